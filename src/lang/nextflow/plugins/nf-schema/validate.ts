/** JSON Schema, as far as schemas of pipelines and samplesheets use it, with the words of nf-schema for files. */
import type { ScriptFiles } from "../../values/files.ts";
import { cleaned, schemeOf } from "../../values/path.ts";
import { regexOf } from "../../values/pattern.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

export interface Fault {
  /** Names and positions down to the value. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export interface ValidateOptions {
  readonly root: JsonObject;
  readonly files: ScriptFiles;
  /** Numbers and booleans are fine where a string is wanted. */
  readonly lenient: boolean;
  /** Validates the file that a value names by the schema of that name. */
  readonly validateFile?: (file: string, schema: string) => readonly string[];
}

type Path = readonly (string | number)[];

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

const deepest = 60;

export function validate(
  value: Json,
  schema: Json,
  options: ValidateOptions,
  path: Path = [],
): readonly Fault[] {
  if (schema === false) return [{ path, message: "Value is not allowed" }];
  if (!isObject(schema) || path.length > deepest) return [];
  const faults = [
    ...reference(value, schema, options, path),
    ...typed(value, schema, options, path),
    ...general(value, schema, path),
    ...(typeof value === "string" ? textFaults(value, schema, options, path) : []),
    ...(typeof value === "number" ? numberFaults(value, schema, path) : []),
    ...(isArray(value) ? arrayFaults(value, schema, options, path) : []),
    ...(isObject(value) ? objectFaults(value, schema, options, path) : []),
    ...combined(value, schema, options, path),
  ];
  const own = schema["errorMessage"];
  // The schema's own words say what is wrong better than ours.
  if (typeof own === "string" && faults.some((each) => each.path.length === path.length)) {
    const others = faults.filter((each) => each.path.length > path.length);
    const first = faults.find((each) => each.path.length === path.length);
    return [{ path, message: first === undefined ? own : `${first.message} (${own})` }, ...others];
  }
  return faults;
}

function reference(value: Json, schema: JsonObject, options: ValidateOptions, path: Path): readonly Fault[] {
  const ref = schema["$ref"];
  if (typeof ref !== "string" || !ref.startsWith("#")) return [];
  const target = resolved(ref, options.root);
  return target === undefined ? [] : validate(value, target, options, path);
}

export function resolved(ref: string, root: JsonObject): Json | undefined {
  let found: Json | undefined = root;
  for (const part of ref.replace(/^#\/?/, "").split("/")) {
    if (part === "") continue;
    found = isObject(found) ? found[part.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined;
  }
  return found;
}

function typeOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "object" ? "object" : typeof value;
}

function typed(value: Json, schema: JsonObject, options: ValidateOptions, path: Path): readonly Fault[] {
  const type = schema["type"];
  if (type === undefined) return [];
  const wanted = isArray(type) ? type.map(String) : [String(type)];
  const own = typeOf(value);
  if (wanted.includes(own) || (own === "integer" && wanted.includes("number"))) return [];
  if (options.lenient && wanted.includes("string") && ["integer", "number", "boolean"].includes(own))
    return [];
  return [{ path, message: `Value is [${own}] but should be [${wanted.join(", ")}]` }];
}

function general(value: Json, schema: JsonObject, path: Path): readonly Fault[] {
  const faults: Fault[] = [];
  if (schema["deprecated"] === true) faults.push({ path, message: "This option is deprecated" });
  const choices = schema["enum"];
  if (isArray(choices) && !choices.some((each) => JSON.stringify(each) === JSON.stringify(value)))
    faults.push({
      path,
      message: `Expected any of [${choices.map((each) => (typeof each === "string" ? each : JSON.stringify(each))).join(", ")}]`,
    });
  const only = schema["const"];
  if (only !== undefined && JSON.stringify(only) !== JSON.stringify(value))
    faults.push({ path, message: `Expected ${JSON.stringify(only)}` });
  return faults;
}

function textFaults(
  value: string,
  schema: JsonObject,
  options: ValidateOptions,
  path: Path,
): readonly Fault[] {
  const faults: Fault[] = [];
  const pattern = schema["pattern"];
  if (typeof pattern === "string") {
    const regex = regexOf(pattern);
    regex.lastIndex = 0;
    if (!regex.test(value))
      faults.push({ path, message: `"${value}" does not match regular expression [${pattern}]` });
  }
  const least = schema["minLength"];
  const most = schema["maxLength"];
  if (typeof least === "number" && value.length < least)
    faults.push({ path, message: `"${value}" is shorter than ${least} characters` });
  if (typeof most === "number" && value.length > most)
    faults.push({ path, message: `"${value}" is longer than ${most} characters` });
  faults.push(...fileFaults(value, schema, options, path));
  return faults;
}

const pathFormats = new Set(["file-path", "directory-path", "path", "file-path-pattern"]);

export function isPathFormat(format: Json | undefined): boolean {
  return typeof format === "string" && pathFormats.has(format);
}

function fileFaults(
  value: string,
  schema: JsonObject,
  options: ValidateOptions,
  path: Path,
): readonly Fault[] {
  const { format, exists } = schema;
  if ((!isPathFormat(format) && exists === undefined) || schemeOf(value) !== undefined || value === "")
    return [];
  if (format === "file-path-pattern") return [];
  const place = value.startsWith("/") ? cleaned(value) : cleaned(`${options.files.launchDir}/${value}`);
  const found = options.files.stat(place);
  if (exists === true && found === undefined)
    return [{ path, message: `the file or directory '${value}' does not exist` }];
  if (exists === false && found !== undefined)
    return [{ path, message: `the file or directory '${value}' should not exist` }];
  if (format === "file-path" && found?.kind === "directory")
    return [{ path, message: `'${value}' is not a file, but a directory` }];
  if (format === "directory-path" && found?.kind === "file")
    return [{ path, message: `'${value}' is not a directory, but a file` }];
  const own = schema["schema"];
  if (typeof own === "string" && found?.kind === "file" && options.validateFile !== undefined) {
    const inner = options.validateFile(value, own);
    if (inner.length > 0) return [{ path, message: `Validation of file failed:\n\t${inner.join("\n\t")}` }];
  }
  return [];
}

function numberFaults(value: number, schema: JsonObject, path: Path): readonly Fault[] {
  const faults: Fault[] = [];
  const bound = (name: string, wrong: (limit: number) => boolean, words: string) => {
    const limit = schema[name];
    if (typeof limit === "number" && wrong(limit))
      faults.push({ path, message: `${value} is ${words} ${limit}` });
  };
  bound("minimum", (limit) => value < limit, "less than");
  bound("maximum", (limit) => value > limit, "greater than");
  bound("exclusiveMinimum", (limit) => value <= limit, "not greater than");
  bound("exclusiveMaximum", (limit) => value >= limit, "not less than");
  bound("multipleOf", (limit) => !Number.isInteger(value / limit), "not a multiple of");
  return faults;
}

function arrayFaults(
  value: readonly Json[],
  schema: JsonObject,
  options: ValidateOptions,
  path: Path,
): readonly Fault[] {
  const faults: Fault[] = [];
  const { items } = schema;
  if (items !== undefined)
    for (const [index, each] of value.entries())
      faults.push(...validate(each, items, options, [...path, index]));
  const least = schema["minItems"];
  const most = schema["maxItems"];
  if (typeof least === "number" && value.length < least)
    faults.push({ path, message: `there are fewer than ${least} items` });
  if (typeof most === "number" && value.length > most)
    faults.push({ path, message: `there are more than ${most} items` });
  if (
    schema["uniqueItems"] === true &&
    new Set(value.map((each) => JSON.stringify(each))).size < value.length
  )
    faults.push({ path, message: "items are not unique" });
  const unique = schema["uniqueEntries"];
  if (isArray(unique)) faults.push(...uniqueFaults(value, unique.map(String), path));
  return faults;
}

function uniqueFaults(value: readonly Json[], names: readonly string[], path: Path): readonly Fault[] {
  const seen = new Set<string>();
  const faults: Fault[] = [];
  for (const [index, each] of value.entries()) {
    if (!isObject(each)) continue;
    const own = JSON.stringify(names.map((name) => each[name] ?? null));
    if (seen.has(own))
      faults.push({
        path: [...path, index],
        message: `Detected duplicate entries: ${names.map((name) => `${name}=${String(each[name] ?? "")}`).join(", ")}`,
      });
    seen.add(own);
  }
  return faults;
}

function objectFaults(
  value: JsonObject,
  schema: JsonObject,
  options: ValidateOptions,
  path: Path,
): readonly Fault[] {
  const faults: Fault[] = [];
  const { properties, required } = schema;
  if (isObject(properties))
    for (const [name, own] of Object.entries(properties)) {
      const member = Object.hasOwn(value, name) ? value[name] : undefined;
      if (member !== undefined && member !== null)
        faults.push(...validate(member, own, options, [...path, name]));
    }
  if (isArray(required)) {
    const missing = required
      .map(String)
      .filter((name) => !Object.hasOwn(value, name) || value[name] === null || value[name] === "");
    for (const name of missing) {
      const own = isObject(properties) ? properties[name] : undefined;
      const words =
        isObject(own) && typeof own["errorMessage"] === "string" ? ` (${own["errorMessage"]})` : "";
      faults.push({ path, message: `Missing required field(s): ${name}${words}` });
    }
  }
  const dependent = schema["dependentRequired"];
  if (isObject(dependent))
    for (const [name, needs] of Object.entries(dependent)) {
      if (!Object.hasOwn(value, name) || !isArray(needs)) continue;
      for (const other of needs.map(String))
        if (!Object.hasOwn(value, other) || value[other] === "")
          faults.push({ path, message: `${other} is required when ${name} is given` });
    }
  if (schema["additionalProperties"] === false && isObject(properties))
    for (const name of Object.keys(value))
      if (!Object.hasOwn(properties, name))
        faults.push({ path: [...path, name], message: "Value is not allowed" });
  return faults;
}

function combined(value: Json, schema: JsonObject, options: ValidateOptions, path: Path): readonly Fault[] {
  const faults: Fault[] = [];
  const { allOf, anyOf, oneOf, not } = schema;
  if (isArray(allOf)) for (const each of allOf) faults.push(...validate(value, each, options, path));
  if (isArray(anyOf)) {
    const all = anyOf.map((each) => validate(value, each, options, path));
    if (!all.some((each) => each.length === 0)) faults.push(...(all[0] ?? []));
  }
  if (isArray(oneOf)) {
    const right = oneOf.filter((each) => validate(value, each, options, path).length === 0).length;
    if (right !== 1)
      faults.push({ path, message: `Value meets ${right} of the alternatives, and should meet one` });
  }
  if (not !== undefined && validate(value, not, options, path).length === 0)
    faults.push({ path, message: "Value is not allowed" });
  const condition = schema["if"];
  if (condition !== undefined) {
    const branch = validate(value, condition, options, path).length === 0 ? schema["then"] : schema["else"];
    if (branch !== undefined) faults.push(...validate(value, branch, options, path));
  }
  return faults;
}
