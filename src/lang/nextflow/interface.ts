/** What a pipeline takes, as far as its text says: parameters of its scripts. */
import type { Parameter, WorkflowInterface } from "../core/index.ts";
import type { LoadedScripts } from "./check/load.ts";
import { groups } from "./plugins/nf-schema/schema-groups.ts";
import { isArray, isObject, type Json, type JsonObject } from "./plugins/nf-schema/validate.ts";
import type { Expression, Item } from "./syntax/ast.ts";

/** `schema`: the text of nextflow_schema.json, which knows more of parameters than scripts say. */
export function interfaceOf(
  loaded: LoadedScripts,
  {
    name,
    schema,
    version,
  }: { readonly name: string; readonly schema: string | undefined; readonly version: string },
): WorkflowInterface {
  const items = loaded.main?.script.items ?? [];
  const text = loaded.main?.script.source.text ?? "";
  const described = schema === undefined ? [] : schemaParameters(schema);
  const known = new Set(described.map((each) => each.name));
  const written = items.flatMap((each) => parametersOf(each, text)).filter((each) => !known.has(each.name));
  const parameters = [...described, ...written];
  const tasks = [...loaded.scripts.values()].flatMap(({ script }) =>
    script.items.flatMap((each) => (each.kind === "process" ? [each.name.text] : [])),
  );
  const hidden = schema === undefined ? [] : namesWith(schema, (each) => each["hidden"] === true);
  const existing = schema === undefined ? [] : namesWith(schema, (each) => each["exists"] === true);
  return {
    ...{
      kind: "workflow",
      name,
      parameters,
      outputs: [],
      tasks: [...new Set(tasks)],
      engineVersion: version,
    },
    ...(hidden.length > 0 && { hiddenParameters: hidden }),
    ...(existing.length > 0 && { existingInputs: existing }),
  };
}

/** Parameters that people are to know: hidden ones are not among them. A schema that cannot be read has none. */
function schemaParameters(text: string): readonly Parameter[] {
  const root = schemaRoot(text);
  if (root === undefined) return [];
  const needed = new Set(requiredIn(root));
  return [...groups(root).values()].flatMap((properties) =>
    Object.entries(properties).flatMap(([name, schema]): Parameter[] => {
      if (!isObject(schema) || schema["hidden"] === true) return [];
      const { type, description } = schema;
      const initial = schema["default"];
      return [
        {
          name,
          type: typeof type === "string" ? type : "string",
          required: needed.has(name) && initial === undefined,
          ...(initial !== undefined && { defaultText: JSON.stringify(initial) }),
          ...(typeof description === "string" && { description }),
        },
      ];
    }),
  );
}

function namesWith(text: string, wanted: (schema: JsonObject) => boolean): readonly string[] {
  const root = schemaRoot(text);
  if (root === undefined) return [];
  return [...groups(root).values()].flatMap((properties) =>
    Object.entries(properties).flatMap(([name, schema]) =>
      isObject(schema) && wanted(schema) ? [name] : [],
    ),
  );
}

function schemaRoot(text: string): JsonObject | undefined {
  try {
    const root = JSON.parse(text) as Json;
    return isObject(root) ? root : undefined;
  } catch {
    return undefined;
  }
}

function requiredIn(node: Json): readonly string[] {
  if (!isObject(node)) return [];
  const own = isArray(node["required"]) ? node["required"].map(String) : [];
  const parts = [node["$defs"], node["definitions"]].flatMap((each) =>
    isObject(each) ? Object.values(each) : [],
  );
  return [...own, ...parts.flatMap(requiredIn)];
}

function parametersOf(item: Item, text: string): Parameter[] {
  if (item.kind === "params")
    return item.parameters.map(({ name, type, value }) => ({
      name: name.text,
      type: type === undefined ? "Object" : text.slice(type.span.start, type.span.end),
      required: value === undefined && type?.optional !== true && type?.name !== "Boolean",
      ...(value !== undefined && { defaultText: text.slice(value.span.start, value.span.end) }),
    }));
  if (item.kind !== "expression" || item.expression.kind !== "assign") return [];
  const path = pathOf(item.expression.target);
  if (path?.[0] !== "params" || path.length < 2) return [];
  const { value } = item.expression;
  return [
    {
      name: path.slice(1).join("."),
      type: typeOf(value),
      required: false,
      defaultText: text.slice(value.span.start, value.span.end),
    },
  ];
}

function pathOf(node: Expression): readonly string[] | undefined {
  if (node.kind === "name") return [node.name];
  if (node.kind !== "property" || typeof node.name !== "string") return undefined;
  const before = pathOf(node.object);
  return before === undefined ? undefined : [...before, node.name];
}

function typeOf(node: Expression): string {
  switch (node.kind) {
    case "boolean":
      return "Boolean";
    case "number":
      return /^\d+$/.test(node.text) ? "Integer" : "Number";
    case "string":
    case "gstring":
      return "String";
    case "list":
      return "List";
    case "map":
      return "Map";
    default:
      return "Object";
  }
}
