/** The schema of a pipeline's parameters. */

import type { Session } from "../../run/session.ts";
import { contentOf } from "../../stdlib/content.ts";
import { GroovyMap } from "../../values/map.ts";
import { cleaned, Path } from "../../values/path.ts";
import { textOf } from "../../values/text.ts";
import type { Value } from "../../values/thing.ts";
import { fail } from "../../values/throwable.ts";
import { isObject, type Json, type JsonObject } from "./validate.ts";

/** Settings of the `validation` scope. */
export function setting(session: Session, name: string): Value {
  const scope = session.config.at("validation");
  let found: Value = scope ?? null;
  for (const part of name.split(".")) found = found instanceof GroovyMap ? (found.at(part) ?? null) : null;
  return found ?? session.params.at(older[name] ?? "") ?? null;
}

/** The parameters by which the older plugin nf-validation is set. */
const older: Readonly<Record<string, string>> = {
  failUnrecognisedParams: "validationFailUnrecognisedParams",
  lenientMode: "validationLenientMode",
  monochromeLogs: "monochrome_logs",
};

export function schemaPath(session: Session, options: Value): string {
  const given =
    options instanceof GroovyMap
      ? (options.at("parameters_schema") ?? options.at("parametersSchema") ?? null)
      : null;
  const name = given ?? setting(session, "parametersSchema") ?? "nextflow_schema.json";
  const text = textOf(name);
  return text.startsWith("/") ? text : cleaned(`${session.projectDir}/${text}`);
}

export function readSchema(session: Session, path: string): JsonObject {
  const text = contentOf(new Path(path, session.outside.files));
  try {
    const found = JSON.parse(text) as Json;
    if (isObject(found)) return found;
  } catch (error) {
    fail(
      "SchemaValidationException",
      `the schema ${path} is not JSON: ${error instanceof Error ? error.message : ""}`,
    );
  }
  return fail("SchemaValidationException", `the schema ${path} is not an object`);
}
