/**
 * Outputs as JSON inside a manifest, exact in both directions: 64-bit integers and floats stay apart, maps keep their
 * order, and files are distinguished from records.
 *
 *   null, true, "text", [ … ]      as they are
 *   {"int": "42"}  {"float": "0.5"}
 *   {"record": [["key", value], …]}
 *   {"file": "out/bam/a.bam", "basename": …, "sizeBytes": …, "sha256": …}      relative to the entry; or "directory"
 */
import { defined } from "../../kernel/index.ts";
import type { FileValue, Outputs, RecordValue, Value } from "../../task/index.ts";

export type StoredValue =
  | null
  | boolean
  | string
  | readonly StoredValue[]
  | { readonly [member: string]: unknown };

export function encodeOutputs(outputs: Outputs): Record<string, StoredValue> {
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, encode(value)]));
}

/** undefined when the stored form is not one that `encodeOutputs` makes. */
export function decodeOutputs(stored: unknown): Outputs | undefined {
  if (typeof stored !== "object" || stored === null || Array.isArray(stored)) return undefined;
  const outputs: [string, Value][] = [];
  for (const [name, value] of Object.entries(stored)) {
    const decoded = decode(value);
    if (decoded === undefined) return undefined;
    outputs.push([name, decoded]);
  }
  return Object.fromEntries(outputs);
}

/** The same value with every file and directory replaced; siblings are replaced before the file that holds them. */
export function mapFiles(value: Value, replace: (file: FileValue) => FileValue): Value {
  if (isList(value)) return value.map((item) => mapFiles(item, replace));
  if (typeof value !== "object" || value === null) return value;
  if (value.kind === "record") {
    return {
      kind: "record",
      entries: value.entries.map(([key, item]) => [key, mapFiles(item, replace)] as const),
    };
  }
  const siblings = value.siblings?.map((sibling) => mapFiles(sibling, replace) as FileValue);
  return replace(siblings === undefined ? value : { ...value, siblings });
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function encode(value: Value): StoredValue {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "bigint") return { int: String(value) };
  if (typeof value === "number") return { float: Object.is(value, -0) ? "-0" : String(value) };
  if (isList(value)) return value.map(encode);
  if (value.kind === "record") return { record: value.entries.map(([key, item]) => [key, encode(item)]) };
  return encodeFile(value);
}

function encodeFile(file: FileValue): { readonly [member: string]: unknown } {
  return {
    [file.kind]: file.location,
    basename: file.basename,
    ...defined({ sizeBytes: file.sizeBytes, sha256: file.sha256 }),
    ...(file.siblings === undefined ? {} : { siblings: file.siblings.map(encodeFile) }),
    ...defined({ extra: file.extra }),
  };
}

function decode(stored: unknown): Value | undefined {
  if (stored === null || typeof stored === "boolean" || typeof stored === "string") return stored;
  if (Array.isArray(stored)) return decodeList(stored);
  if (typeof stored !== "object") return undefined;
  const members = stored as Readonly<Record<string, unknown>>;
  if (typeof members["int"] === "string")
    return /^-?\d+$/.test(members["int"]) ? BigInt(members["int"]) : undefined;
  if (typeof members["float"] === "string") return decodeFloat(members["float"]);
  if (Array.isArray(members["record"])) return decodeRecord(members["record"]);
  return decodeFile(members);
}

function decodeFloat(text: string): number | undefined {
  const value = Number(text);
  return text === "NaN" || (text !== "" && !Number.isNaN(value)) ? value : undefined;
}

function decodeList(stored: readonly unknown[]): readonly Value[] | undefined {
  const values = stored.map(decode);
  return values.every((value) => value !== undefined) ? (values as readonly Value[]) : undefined;
}

function decodeRecord(stored: readonly unknown[]): RecordValue | undefined {
  const entries: (readonly [string, Value])[] = [];
  for (const pair of stored) {
    if (!Array.isArray(pair) || typeof pair[0] !== "string") return undefined;
    const value = decode(pair[1]);
    if (value === undefined) return undefined;
    entries.push([pair[0], value]);
  }
  return { kind: "record", entries };
}

function decodeFile(members: Readonly<Record<string, unknown>>): FileValue | undefined {
  const kind = typeof members["file"] === "string" ? "file" : "directory";
  const location = members[kind];
  const { basename, sizeBytes, sha256, siblings, extra } = members;
  if (typeof location !== "string" || typeof basename !== "string") return undefined;
  const decodedSiblings = Array.isArray(siblings)
    ? siblings.map((sibling: unknown) =>
        typeof sibling === "object" && sibling !== null
          ? decodeFile(sibling as Readonly<Record<string, unknown>>)
          : undefined,
      )
    : undefined;
  if (decodedSiblings?.some((sibling) => sibling === undefined)) return undefined;
  return {
    kind,
    location,
    basename,
    ...(typeof sizeBytes === "number" ? { sizeBytes } : {}),
    ...(typeof sha256 === "string" ? { sha256 } : {}),
    ...(decodedSiblings === undefined ? {} : { siblings: decodedSiblings as readonly FileValue[] }),
    ...(typeof extra === "object" && extra !== null
      ? { extra: extra as Readonly<Record<string, unknown>> }
      : {}),
  };
}
