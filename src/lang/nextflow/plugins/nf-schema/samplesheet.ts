/** `samplesheetToList`: rows of a samplesheet, checked and in the order of its schema. */

import { optionsFrom } from "../../channels/factories.ts";
import { filesOf } from "../../channels/find-files.ts";
import type { Session } from "../../run/session.ts";
import { unpackedContent } from "../../stdlib/content.ts";
import { fromPlain, readJson } from "../../stdlib/json.ts";
import { splitCsv } from "../../stdlib/split/csv.ts";
import { splitOptions } from "../../stdlib/split/options.ts";
import { readYaml } from "../../stdlib/yaml.ts";
import { truthOf } from "../../values/compare.ts";
import { GroovyMap } from "../../values/map.ts";
import { cleaned, Path, schemeOf } from "../../values/path.ts";
import { textOf } from "../../values/text.ts";
import { isList, type List, type Value } from "../../values/thing.ts";
import { fail } from "../../values/throwable.ts";
import { faultLines } from "./fault-lines.ts";
import { plain } from "./plain.ts";
import { readSchema, schemaPath, setting } from "./schema-file.ts";
import { groups } from "./schema-groups.ts";
import { unrecognised } from "./unrecognised.ts";
import { isArray, isObject, isPathFormat, type Json, type JsonObject, validate } from "./validate.ts";

export function samplesheetToList(given: readonly Value[], session: Session): Value {
  const [input = null, schema = null] = given;
  const file = pathOf(input, session);
  const schemaFile = pathOf(schema, session);
  const root = readSchema(session, schemaFile.absolute);
  const { items } = root;
  if (!isObject(items))
    fail(
      "SchemaValidationException",
      `The schema for '${file.location}' (${schemaFile.location}) is not valid: 'items' has to be its top level keyword`,
    );
  const rows = rowsOf(file, items);
  const faults = samplesheetFaults(rows, root, session);
  if (faults.length > 0)
    fail(
      "SchemaValidationException",
      `The following errors have been detected in ${file.location}:\n\n${faults.join("\n")}\n`,
    );
  const unknown = new Set<string>();
  const found = rows.map((row) => {
    const meta = new GroovyMap();
    const entry = formatted(row, items, { session, meta, unknown });
    if (meta.size === 0) return entry;
    return isList(entry) ? [meta, ...entry] : [meta, entry];
  });
  if (unknown.size > 0)
    unrecognised(
      session,
      "Headers",
      `Found the following unidentified headers in ${file.location}:\n${[...unknown].map((each) => `\t- ${each}`).join("\n")}\n`,
    );
  return found;
}

/** `fromSamplesheet("input")` of nf-validation: the rows of the samplesheet that a parameter names, by its schema. */
export function samplesheetOfParameter(given: readonly Value[], session: Session): readonly Value[] {
  const name = textOf(given.find((each) => typeof each === "string") ?? "");
  const root = readSchema(
    session,
    schemaPath(session, given.find((each) => each instanceof GroovyMap) ?? null),
  );
  const properties = [...groups(root).values()].find((each) => Object.hasOwn(each, name));
  const about = properties?.[name];
  const schema = isObject(about) ? about["schema"] : undefined;
  if (typeof schema !== "string")
    fail(
      "SchemaValidationException",
      `fromSamplesheet: the schema of the parameter '${name}' names no schema of a samplesheet`,
    );
  const file = session.params.at(name) ?? null;
  if (file === null)
    fail("SchemaValidationException", `fromSamplesheet: the parameter --${name} is not given`);
  const rows = samplesheetToList(
    [file, schema.startsWith("/") ? schema : `${session.projectDir}/${schema}`],
    session,
  );
  return isList(rows) ? [...rows] : [];
}

/** Errors of a samplesheet by a schema file, for parameters that name one. */
export function fileFaults(file: string, schema: string, session: Session): readonly string[] {
  const path = pathOf(file, session);
  const schemaFile = schema.startsWith("/") ? schema : cleaned(`${session.projectDir}/${schema}`);
  const root = readSchema(session, schemaFile);
  const { items } = root;
  return samplesheetFaults(contentOf(path, isObject(items) ? items : {}), root, session);
}

function samplesheetFaults(content: Json, root: JsonObject, session: Session): readonly string[] {
  const faults = validate(content, root, {
    root,
    files: session.outside.files,
    lenient: truthOf(setting(session, "lenientMode")),
    filesOf: (pattern) => filesNamed(pattern, session),
    validateFile: (file, schema) => fileFaults(file, schema, session),
  });
  return faultLines(faults, content, { of: isObject(content) ? "parameter" : "field", session });
}

export function filesNamed(pattern: string, session: Session): readonly string[] {
  const options = optionsFrom(GroovyMap.of({ type: "any" }));
  return filesOf(pattern, options, session.outside)
    .filter((each) => each.files.stat(each.absolute) !== undefined)
    .map((each) => each.absolute);
}

function pathOf(value: Value, session: Session): Path {
  const path = value instanceof Path ? value : new Path(textOf(value), session.outside.files);
  const isThere = path.files.stat(path.absolute) !== undefined;
  if (!isThere && path.isRemote) fail("SchemaValidationException", `${path.location} is not on this machine`);
  if (!isThere) fail("SchemaValidationException", `Samplesheet file ${path.location} does not exist`);
  return path;
}

// --- reading

function rowsOf(file: Path, items: JsonObject): readonly Json[] {
  const found = contentOf(file, items);
  return isArray(found) ? found : [];
}

/** A list of rows, or a map. */
function contentOf(file: Path, items: JsonObject): Json {
  const text = unpackedContent(file);
  const kind = /\.(csv|tsv|ya?ml|json)(?:\.gz)?$/i.exec(file.fileName)?.[1]?.toLowerCase();
  if (kind === "json" || kind === "yaml" || kind === "yml")
    return plain(kind === "json" ? readJson(text) : readYaml(text));
  const options = GroovyMap.of({ sep: kind === "tsv" ? "\t" : ",", quote: '"', strip: true });
  const lines = splitCsv(text, splitOptions([options])).map((row) => (isList(row) ? row.map(textOf) : []));
  const { properties } = items;
  // Without names for its columns a row is one value, or a list of them.
  if (!isObject(properties) || Object.keys(properties).length === 0)
    return lines.map((cells) => (cells.length === 1 ? cellValue(cells[0] ?? "", items) : cells));
  const [names = [], ...rows] = lines;
  return rows.map((row) => cells(row, names, properties));
}

/** Empty cells are not there, nor are those of columns without a name; others are what the schema says they are. */
function cells(row: readonly string[], names: readonly string[], properties: JsonObject): Json {
  const found: Record<string, Json> = {};
  for (const [index, name] of names.entries()) {
    const value = row[index] ?? "";
    if (name !== "" && value !== "") found[name] = cellValue(value, properties[name]);
  }
  return found;
}

function cellValue(text: string, schema: Json | undefined): Json {
  const types = typesOf(schema);
  if (types.length === 0 || !types.includes("string") || types.length > 1) {
    if (/^(?:true|false)$/i.test(text) && (types.length === 0 || types.includes("boolean")))
      return text.toLowerCase() === "true";
    const number = types.length === 0 || types.includes("integer") || types.includes("number");
    if (number && /^-?\d+$/.test(text)) return Number(text);
    if (number && /^-?\d*\.\d+(?:[eE][+-]?\d+)?$/.test(text)) return Number(text);
  }
  return text;
}

function typesOf(schema: Json | undefined): readonly string[] {
  if (!isObject(schema)) return [];
  const { type } = schema;
  if (typeof type === "string") return [type];
  if (isArray(type)) return type.map(String);
  return [schema["anyOf"], schema["oneOf"]].flatMap((each) => (isArray(each) ? each.flatMap(typesOf) : []));
}

// --- rows as lists

interface FormatOptions {
  readonly session: Session;
  readonly meta: GroovyMap;
  readonly unknown: Set<string>;
}

function formatted(given: Json | undefined, schema: Json | undefined, options: FormatOptions): Value {
  const own = isObject(schema) ? schema : {};
  const input = valueOrDefault(given, own);
  if (isObject(input)) {
    const properties = isObject(own["properties"]) ? own["properties"] : {};
    for (const name of Object.keys(input)) if (!Object.hasOwn(properties, name)) options.unknown.add(name);
    const result: List = [];
    for (const [name, each] of Object.entries(properties)) {
      const meta = isObject(each) ? each["meta"] : undefined;
      const names = typeof meta === "string" ? [meta] : isArray(meta) ? meta.map(String) : [];
      if (names.length === 0) result.push(formatted(input[name], each, options));
      for (const key of names) options.meta.put(key, asMember(input[name], each, options));
    }
    return result;
  }
  if (isArray(input)) return input.map((each) => formatted(each, own["items"], options));
  return leaf(input, own, options);
}

/** What is not given, and has no default, is an empty list; a default may be null. */
function valueOrDefault(given: Json | undefined, { default: standard }: JsonObject): Json {
  return given ?? (standard === undefined ? [] : standard);
}

/** In the meta map objects stay maps. */
function asMember(given: Json | undefined, schema: Json | undefined, options: FormatOptions): Value {
  const own = isObject(schema) ? schema : {};
  const input = valueOrDefault(given, own);
  if (isObject(input)) {
    const properties = isObject(own["properties"]) ? own["properties"] : {};
    return new GroovyMap(
      Object.entries(properties).map(([name, each]): [Value, Value] => [
        name,
        asMember(input[name], each, options),
      ]),
    );
  }
  if (isArray(input)) return input.map((each) => asMember(each, own["items"], options));
  return leaf(input, own, options);
}

function leaf(value: Json, schema: JsonObject, { session }: FormatOptions): Value {
  if (typeof value !== "string" || !namesFile(value, schema)) return fromPlain(value);
  const { files } = session.outside;
  if (schemeOf(value) !== undefined || value.startsWith("/")) return new Path(value, files);
  return new Path(cleaned(`${files.launchDir}/${value}`), files);
}

/** Where a string may be a path or not, one with a slash or an ending is a path. */
function namesFile(value: string, schema: JsonObject): boolean {
  const alternatives = [
    schema,
    ...[schema["anyOf"], schema["oneOf"], schema["allOf"]].flatMap((each) => (isArray(each) ? each : [])),
  ];
  const strings = alternatives
    .filter((each) => isObject(each) && each["type"] === "string")
    .map((each) => isObject(each) && isPathFormat(each["format"] ?? schema["format"]));
  if (!strings.includes(true)) return false;
  return !strings.includes(false) || value.includes("/") || value.slice(-7).includes(".");
}
