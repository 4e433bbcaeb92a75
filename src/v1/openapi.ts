/** The OpenAPI 3.1 description of `/api/v1`, made of the table of routes. */
import { defined } from "../kernel/index.ts";
import { bodySchema } from "./body.ts";
import type { Parameter } from "./query.ts";
import type { V1Route } from "./route.ts";
import { refTo, type Schema } from "./schema.ts";
import { schemas } from "./schemas.ts";

export function openApi(routes: readonly V1Route[], version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = paths[route.path] ?? {};
    path[route.method.toLowerCase()] = operationOf(route);
    paths[route.path] = path;
  }
  return {
    openapi: "3.1.0",
    info: { title: "Memoir", version, summary: "Runs, caches and predictions of a Memoir server" },
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "`token` of an entry of the access-keys file" },
        signature: {
          ...{ type: "apiKey", in: "header", name: "authorization" },
          description: "AWS Signature Version 4, service `omics` or `execute-api`",
        },
        session: {
          ...{ type: "apiKey", in: "cookie", name: "memoir-session" },
          description:
            "the cookie of the web page; `-<port>` is appended where the server is addressed by a port. Changes need the header `x-memoir-page: 1`",
        },
      },
    },
    // Without access keys the server requires no authentication.
    security: [{ token: [] }, { signature: [] }, { session: [] }, {}],
  };
}

function operationOf(route: V1Route): unknown {
  const { name, summary, command, schema, query, path, streams, body, upload } = route;
  const labels = [...path.matchAll(/\{(\w+)\}/g)].map(([, label = ""]) => label);
  const content = (type: string, of: Schema) => ({ [type]: { schema: of } });
  return {
    operationId: name,
    summary,
    ...(command === undefined ? {} : { description: `\`memoir ${command} --json\` prints the same object.` }),
    parameters: [
      ...labels.map((label) => ({ name: label, in: "path", required: true, schema: { type: "string" } })),
      ...Object.entries(query).map(([parameter, rules]) => ({
        ...{ name: parameter, in: "query", required: false },
        description: rules.about,
        schema: schemaOf(rules),
      })),
      ...(streams === true
        ? [
            {
              ...{ name: "last-event-id", in: "header", required: false, schema: { type: "string" } },
              description: "continues a stream after this event",
            },
          ]
        : []),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: content("application/json", bodySchema(body)) } }),
    ...(upload === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: content(upload, { type: "string", format: "binary" }),
          },
        }),
    ...(route.for === "anybody" ? { security: [{}] } : {}),
    responses: {
      200: {
        description: summary,
        content: {
          ...content(schema === "Bytes" ? "application/octet-stream" : "application/json", refTo(schema)),
          ...(streams === true ? content("text/event-stream", { type: "string" }) : {}),
        },
      },
      default: { description: "A problem", content: content("application/problem+json", refTo("Problem")) },
    },
  };
}

function schemaOf(parameter: Parameter): Schema {
  if (parameter.kind === "text") return { type: "string", ...defined({ enum: parameter.choices }) };
  const { least, most, usual } = parameter;
  return {
    ...{ type: "integer", minimum: least, maximum: most },
    ...defined({ default: usual }),
  };
}
