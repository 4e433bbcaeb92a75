/** Values as JSON for people and for other programs: `outputs.json`, `--json`, and results that wait to be recorded. */
import { isAbsolute } from "node:path";
import { bytesOfText, ExactJson } from "../kernel/index.ts";
import type { FileValue, Outputs, Value } from "../task/index.ts";

/** `path`: a file is its location (WDL). `object`: a file is `{class, location, …}` (CWL). */
export type FileStyle = "path" | "object";

/** What a folder holds, by the folder's location; for directories of the style `object`. */
export type Listings = ReadonlyMap<string, readonly FileValue[]>;

/** JSON text with exact 64-bit integers, floats that stay floats (`3.0`), and maps in their order. */
export function jsonOfOutputs(outputs: Outputs, style: FileStyle, listings: Listings = new Map()): string {
  const how: Writing = { style, indent: "", listings };
  return `${text({ kind: "record", entries: Object.entries(outputs) }, how)}\n`;
}

/** The same for who prints more than the outputs; files are their locations. */
export function exactOutputs(outputs: Outputs): ExactJson {
  const how: Writing = { style: "path", indent: "", listings: new Map() };
  const members = Object.entries(outputs).map(
    ([name, value]) => [name, new ExactJson(text(value, how))] as const,
  );
  return new ExactJson(text({ kind: "record", entries: Object.entries(outputs) }, how), members);
}

interface Writing {
  readonly style: FileStyle;
  readonly indent: string;
  readonly listings: Listings;
}

function text(value: Value, how: Writing): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return numberText(value);
  if (isList(value))
    return block(
      "[",
      "]",
      value.map((item) => [undefined, item] as const),
      how,
    );
  if (value.kind === "record") return block("{", "}", value.entries, how);
  return how.style === "path" ? JSON.stringify(value.location) : text(fileObject(value, how.listings), how);
}

/** JSON has no infinities; the text of WDL's own output is null for them. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return "null";
  const digits = Object.is(value, -0) ? "-0" : String(value);
  return /^-?\d+$/.test(digits) ? `${digits}.0` : digits;
}

function block(
  open: string,
  close: string,
  items: readonly (readonly [string | undefined, Value])[],
  how: Writing,
): string {
  if (items.length === 0) return `${open}${close}`;
  const inner = { ...how, indent: `${how.indent}  ` };
  const lines = items.map(([name, item]) => {
    const label = name === undefined ? "" : `${JSON.stringify(name)}: `;
    return `${inner.indent}${label}${text(item, inner)}`;
  });
  return `${open}\n${lines.join(",\n")}\n${how.indent}${close}`;
}

/** By its bytes, so that `#`, `?`, `%` and names that are not UTF-8 lead back to the file. */
function fileUri(path: string): string {
  let uri = "file://";
  for (const byte of bytesOfText(path)) {
    const sign = String.fromCharCode(byte);
    uri += /[A-Za-z0-9\-_.!~*'();/:@&=+$,]/.test(sign)
      ? sign
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return uri;
}

function fileObject(file: FileValue, listings: Listings): Value {
  const entries: [string, Value][] = [
    ["class", file.kind === "file" ? "File" : "Directory"],
    ["location", isAbsolute(file.location) ? fileUri(file.location) : file.location],
    ["basename", file.basename],
  ];
  if (file.sizeBytes !== undefined) entries.push(["size", BigInt(file.sizeBytes)]);
  const { checksum, format } = file.extra ?? {};
  if (typeof checksum === "string") entries.push(["checksum", checksum]);
  else if (file.sha256 !== undefined && file.kind === "file")
    entries.push(["checksum", `sha256$${file.sha256}`]);
  if (typeof format === "string") entries.push(["format", format]);
  if (file.siblings !== undefined)
    entries.push(["secondaryFiles", file.siblings.map((each) => fileObject(each, listings))]);
  const listing = listings.get(file.location);
  if (file.kind === "directory" && listing !== undefined)
    entries.push(["listing", listing.map((each) => fileObject(each, listings))]);
  return { kind: "record", entries };
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
