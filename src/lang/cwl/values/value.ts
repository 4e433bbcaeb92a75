/**
 * Values as CWL has them: JSON with two special objects. They are immutable. Integers that a double cannot hold are
 * bigint, all other numbers are number: an integral number is an int and a float alike.
 */
import type { FileValue } from "../../../task/index.ts";

export type CwlValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | FileV
  | DirectoryV
  | CwlRecord
  | readonly CwlValue[];

/** Keys keep their order. Made by `cwlRecord` or a spread of one, so that `__proto__` is a name like any other. */
export interface CwlRecord {
  readonly [name: string]: CwlValue;
}

export interface FileV {
  readonly class: "File";
  /** `file:///…` (percent-encoded), `http(s)://…` or `s3://…`; absent for literals. */
  readonly location?: string;
  /** Where the process sees it; set only inside a call. */
  readonly path?: string;
  readonly basename?: string;
  readonly dirname?: string;
  readonly nameroot?: string;
  readonly nameext?: string;
  /** `sha1$` and 40 hex digits. */
  readonly checksum?: string;
  readonly size?: number;
  readonly secondaryFiles?: readonly (FileV | DirectoryV)[];
  readonly format?: string;
  readonly contents?: string;
  /** The file as the engine knows it, where it does. Expressions and JSON never see it. */
  readonly held?: FileValue;
}

export interface DirectoryV {
  readonly class: "Directory";
  readonly location?: string;
  readonly path?: string;
  readonly basename?: string;
  readonly listing?: readonly (FileV | DirectoryV)[];
  readonly held?: FileValue;
}

export function isFile(value: CwlValue | undefined): value is FileV {
  return isObject(value) && value["class"] === "File";
}

export function isDirectory(value: CwlValue | undefined): value is DirectoryV {
  return isObject(value) && value["class"] === "Directory";
}

export function isFileOrDirectory(value: CwlValue | undefined): value is FileV | DirectoryV {
  return isFile(value) || isDirectory(value);
}

export function isList(value: CwlValue | undefined): value is readonly CwlValue[] {
  return Array.isArray(value);
}

/** A record of the user: neither a File nor a Directory. */
export function isRecord(value: CwlValue | undefined): value is CwlRecord {
  return isObject(value) && !isFileOrDirectory(value as CwlValue);
}

export function cwlRecord(entries: Iterable<readonly [string, CwlValue]>): CwlRecord {
  return Object.fromEntries(entries);
}

/** A member of a record; undefined = not there. Names of Object.prototype are names like any other. */
export function member(record: CwlRecord, name: string): CwlValue | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function isObject(value: CwlValue | undefined): value is CwlRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
