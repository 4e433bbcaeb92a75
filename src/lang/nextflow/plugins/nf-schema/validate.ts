/** JSON Schema, as far as schemas of pipelines and samplesheets use it, with the words of nf-schema for files. */

import { isPattern } from "../../channels/glob.ts";
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
  /** Names of what is missing. */
  readonly missing?: readonly string[];
  /** The words of its schema are there already. */
  readonly isWhole?: true;
}

export interface ValidateOptions {
  readonly root: JsonObject;
  readonly files: ScriptFiles;
  /** Numbers and booleans are fine where a string is wanted. */
  readonly lenient: boolean;
  /** Absolute paths of the files that a pattern names; undefined: it cannot be asked. */
  readonly filesOf?: (pattern: string) => readonly string[];
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
  const words = typeof own === "string" && own !== "" ? ` (${own})` : "";
  return faults.map((each) => {
    if (each.isWhole === true) return each;
    const isOfFile = each.message.startsWith(fileFailed);
    return { ...each, message: isOfFile ? each.message : each.message + words, isWhole: true };
  });
}

/** How errors of a file begin that a value names. */
const fileFailed = "Validation of file failed:";

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
      faults.push({ path, message: `"${value}" does not match regular expression ${pattern}` });
  }
  const least = schema["minLength"];
  const most = schema["maxLength"];
  if (typeof least === "number" && value.length < least)
    faults.push({ path, message: `"${value}" is shorter than ${least} characters` });
  if (typeof most === "number" && value.length > most)
    faults.push({ path, message: `"${value}" is longer than ${most} characters` });
  faults.push(...formatFaults(value, schema, path), ...fileFaults(value, schema, options, path));
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
  if (format === "file-path-pattern") return patternFaults(value, options, path);
  const isGlob = isPattern(value) && options.files.stat(value) === undefined;
  if (isGlob && isPathFormat(format))
    return [{ path, message: `'${value}' is not a ${pathNouns[String(format)]}, but a file path pattern` }];
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
    if (inner.length > 0) return [{ path, message: `${fileFailed}\n\t${inner.join("\n\t")}` }];
  }
  return [];
}

const pathNouns: Readonly<Record<string, string>> = {
  "file-path": "file",
  "directory-path": "directory",
  path: "path",
};

function patternFaults(value: string, options: ValidateOptions, path: Path): readonly Fault[] {
  const found = options.filesOf?.(value);
  if (found === undefined) return [];
  if (found.length === 0) return [{ path, message: `No files were found using the glob pattern '${value}'` }];
  return found
    .filter((each) => options.files.stat(each)?.kind === "directory")
    .map((each) => ({ path, message: `'${each}' is not a file, but a directory` }));
}

/** Formats of JSON Schema that pipelines use; others are not looked at, as the standard allows. */
const formats: Readonly<Record<string, RegExp>> = {
  date: /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/,
  time: /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i,
  "date-time":
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i,
  email: /^[^\s@]+@[^\s@]+$/,
  ipv4: /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/,
  uri: /^[a-z][a-z0-9+.-]*:[^\s]*$/i,
  uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
};

function formatFaults(value: string, { format }: JsonObject, path: Path): readonly Fault[] {
  const wanted = typeof format === "string" && Object.hasOwn(formats, format) ? formats[format] : undefined;
  if (wanted === undefined || wanted.test(value)) return [];
  return [{ path, message: `"${value}" is not in the valid format (${String(format)})` }];
}

function numberFaults(value: number, schema: JsonObject, path: Path): readonly Fault[] {
  const faults: Fault[] = [];
  const bound = (name: string, wrong: (limit: number) => boolean, words: string) => {
    const limit = schema[name];
    if (typeof limit === "number" && wrong(limit))
      faults.push({ path, message: `${value} is ${words} ${limit}` });
  };
  bound("minimum", (limit) => value < limit, "lesser than");
  bound("maximum", (limit) => value > limit, "greater than");
  bound("exclusiveMinimum", (limit) => value <= limit, "lesser or equal to");
  bound("exclusiveMaximum", (limit) => value >= limit, "greater or equal to");
  bound("multipleOf", (limit) => !Number.isInteger(value / limit), "not multiple of");
  return faults;
}

function arrayFaults(
  value: readonly Json[],
  schema: JsonObject,
  options: ValidateOptions,
  path: Path,
): readonly Fault[] {
  const faults: Fault[] = [];
  // Draft 7 has a list in `items` where 2020-12 has `prefixItems`, and `additionalItems` for what follows.
  const { items, prefixItems, additionalItems, contains } = schema;
  const first = isArray(prefixItems) ? prefixItems : isArray(items) ? items : [];
  const rest = isArray(items) ? additionalItems : items;
  for (const [index, each] of value.entries()) {
    const own = first[index] ?? rest;
    if (own !== undefined) faults.push(...validate(each, own, options, [...path, index]));
  }
  if (contains !== undefined) {
    const count = value.filter((each) => validate(each, contains, options, path).length === 0).length;
    const { minContains = 1, maxContains } = schema;
    if (typeof minContains === "number" && count < minContains)
      faults.push({ path, message: `only ${count} of the items are as at least ${minContains} should be` });
    if (typeof maxContains === "number" && count > maxContains)
      faults.push({ path, message: `${count} of the items are as at most ${maxContains} should be` });
  }
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
    const own = names
      .flatMap((name) => {
        const value = each[name];
        return value === undefined || value === null
          ? []
          : [`${name}:${typeof value === "string" ? value : JSON.stringify(value)}`];
      })
      .join(", ");
    if (own === "") continue;
    if (seen.has(own)) {
      // As there, the first one is enough.
      faults.push({ path: [...path, index], message: `Detected duplicate entries: [${own}]` });
      return faults;
    }
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
  const { properties, required, patternProperties, additionalProperties, propertyNames } = schema;
  const patterns = isObject(patternProperties) ? Object.entries(patternProperties) : [];
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
    if (missing.length > 0)
      faults.push({ path, message: `Missing required field(s): ${missing.join(", ")}`, missing });
  }
  for (const [pattern, own] of patterns) {
    const regex = regexOf(pattern);
    for (const [name, member] of Object.entries(value)) {
      regex.lastIndex = 0;
      if (regex.test(name) && member !== null)
        faults.push(...validate(member, own, options, [...path, name]));
    }
  }
  if (propertyNames !== undefined)
    for (const name of Object.keys(value))
      faults.push(...validate(name, propertyNames, options, [...path, name]));
  const count = Object.keys(value).length;
  const { minProperties, maxProperties } = schema;
  if (typeof minProperties === "number" && count < minProperties)
    faults.push({ path, message: `there are fewer than ${minProperties} properties` });
  if (typeof maxProperties === "number" && count > maxProperties)
    faults.push({ path, message: `there are more than ${maxProperties} properties` });
  // Draft 7 has both kinds in `dependencies`.
  for (const keyword of ["dependentSchemas", "dependencies"]) {
    const schemas = schema[keyword];
    for (const [name, own] of isObject(schemas) ? Object.entries(schemas) : [])
      if (!isArray(own) && isThere(value, name)) faults.push(...validate(value, own, options, path));
  }
  for (const keyword of ["dependentRequired", "dependencies"]) {
    const dependent = schema[keyword];
    for (const [name, needs] of isObject(dependent) ? Object.entries(dependent) : []) {
      if (!isThere(value, name) || !isArray(needs)) continue;
      for (const other of needs.map(String))
        if (!isThere(value, other))
          faults.push({ path, message: `${other} is required when ${name} is given` });
    }
  }
  if (additionalProperties !== undefined)
    for (const [name, member] of Object.entries(value)) {
      if (isObject(properties) && Object.hasOwn(properties, name)) continue;
      if (patterns.some(([pattern]) => matches(pattern, name))) continue;
      if (additionalProperties === false)
        faults.push({ path: [...path, name], message: "Value is not allowed" });
      else if (member !== null)
        faults.push(...validate(member, additionalProperties, options, [...path, name]));
    }
  return faults;
}

function matches(pattern: string, name: string): boolean {
  const regex = regexOf(pattern);
  regex.lastIndex = 0;
  return regex.test(name);
}

/** An empty cell has no value. */
function isThere(value: JsonObject, name: string): boolean {
  return Object.hasOwn(value, name) && value[name] !== null && value[name] !== "";
}

/** Says only that one of the others is wrong. */
export const allFailed = "Value does not match against the schemas at indexes";
const noneFits = "Value does not match against any of the schemas";

function combined(value: Json, schema: JsonObject, options: ValidateOptions, path: Path): readonly Fault[] {
  const faults: Fault[] = [];
  const { allOf, anyOf, oneOf, not } = schema;
  if (isArray(allOf)) {
    const all = allOf.map((each) => validate(value, each, options, path));
    const wrong = all.flatMap((each, index) => (each.length > 0 ? [index] : []));
    faults.push(...all.flat());
    if (wrong.length > 0) faults.push({ path, message: `${allFailed} [${wrong.join(", ")}]` });
  }
  if (isArray(anyOf)) {
    const all = anyOf.map((each) => validate(value, each, options, path));
    if (!all.some((each) => each.length === 0)) faults.push(...all.flat(), { path, message: noneFits });
  }
  if (isArray(oneOf)) {
    const all = oneOf.map((each) => validate(value, each, options, path));
    const right = all.flatMap((each, index) => (each.length === 0 ? [index] : []));
    if (right.length === 0) faults.push(...all.flat(), { path, message: noneFits });
    if (right.length > 1)
      faults.push({
        path,
        message: `Value matches against more than one schema. Matched schema indexes [${right.join(", ")}]`,
      });
  }
  if (not !== undefined && validate(value, not, options, path).length === 0)
    faults.push({ path, message: "Value matches against given schema but it must not" });
  const condition = schema["if"];
  if (condition !== undefined) {
    const branch = validate(value, condition, options, path).length === 0 ? schema["then"] : schema["else"];
    if (branch !== undefined) faults.push(...validate(value, branch, options, path));
  }
  return faults;
}
