/**
 * What a prediction file looks like: which Parquet columns it has, how many rows go in a page and a row group, what its
 * name says and in which folder it lies.
 */
import { byCodeUnit } from "../../../hash/index.ts";
import type { PredictionScope } from "../../../task/index.ts";
import { columnsDigest } from "../scope.ts";

/** How the values of one Parquet column are written and read. */
export type ColumnForm =
  /** BYTE_ARRAY, UTF-8. */
  | "text"
  /** The same, as a dictionary: few distinct values. */
  | "tag"
  | "float"
  | "integer";

export interface FileColumn {
  readonly name: string;
  readonly form: ColumnForm;
  readonly required: boolean;
}

export const keyAt = 0;
export const inputAt = 1;
/** The model's columns start here; the four columns of provenance and canonical form follow them. */
export const valuesAt = 2;

/**
 * Rows of a page. Pages end at the same rows in every column, so one page number finds a row in all of them. 256 rows
 * make pages of 2 KiB (numbers) to some 12 KiB (inputs): a look-up reads little, and the index of 10 million rows
 * stays below 5 MB.
 */
export const pageRows = 256;
/** A page also ends when its texts reach this, so that a megabyte of input does not sit in a page with 255 others. */
export const pageTextBytes = 128 * 1024;
/** Rows of a row group: what DuckDB and Athena read at once and in parallel. A multiple of DuckDB's 2,048. */
export const groupRows = 16_384;
/** A row group also ends when its values reach this: wide models (fingerprints) have fewer rows in each. */
export const groupValueBytes = 16 << 20;

/** Columns named like ours, in any case: Athena and DuckDB do not distinguish upper and lower case. */
const reserved = ["key", "input", "canonical", "computed_at", "runner", "toolkit", "model_id", "release"];

/** The columns of a scope's files, in file order. A model column with the name of one of Memoir's columns gets underscores appended. */
export function fileColumns(scope: PredictionScope): readonly FileColumn[] {
  const taken = new Set(reserved);
  const values = scope.columns.map((column): FileColumn => {
    let name = column.name;
    while (taken.has(name.toLowerCase())) name += "_";
    taken.add(name.toLowerCase());
    return { name, form: column.type === "string" ? "text" : column.type, required: false };
  });
  return [
    { name: "key", form: "text", required: true },
    { name: "input", form: "text", required: true },
    ...values,
    { name: "canonical", form: "text", required: false },
    { name: "computed_at", form: "tag", required: false },
    { name: "runner", form: "tag", required: false },
    { name: "toolkit", form: "tag", required: false },
  ];
}

/** Names that a value column of a file may have in the model: with and without the underscores that we append. */
export function modelNames(fileName: string): readonly string[] {
  const stem = fileName.replace(/_+$/, "");
  if (!reserved.includes(stem.toLowerCase())) return [fileName];
  return Array.from({ length: fileName.length - stem.length + 1 }, (_, n) => stem + "_".repeat(n));
}

/** Keys of the key-value metadata of our files. */
export const meta = {
  /** `1`: the version of this layout. */
  format: "memoir.format",
  /** `columnsDigest` of the scope. */
  columns: "memoir.columns",
  /** Where the page indexes begin; from there to its end the file is covered by the digest in its name. */
  tailOffset: "memoir.tail",
  /** JSON list of the names of files whose rows are all in this one. */
  replaces: "memoir.replaces",
  /** Makes two files with equal rows different files. */
  unique: "memoir.unique",
} as const;

export const formatVersion = "1";

/** `model_id=eos3b5e/`, below the `predictions/` folder. */
export function modelFolder(scope: PredictionScope): string {
  return `predictions/model_id=${hiveValue(scope.modelId)}/`;
}

/** `predictions/model_id=eos3b5e/release=v1/` */
export function releaseFolder(scope: PredictionScope): string {
  return releasePath(scope.modelId, scope.release);
}

/** The same for a model and release that no scope is known of. */
export function releasePath(modelId: string, release: string): string {
  return `predictions/model_id=${hiveValue(modelId)}/release=${hiveValue(release)}/`;
}

/** Below this lies every prediction file. */
export const predictionsFolder = "predictions/";

export interface FileAddress {
  readonly modelId: string;
  readonly release: string;
  readonly base: string;
}

/** Model and release of a file's full name; undefined for a file that is elsewhere. */
export function parseFileAddress(name: string): FileAddress | undefined {
  const [, model, release, base] =
    /^predictions\/model_id=([^/]*)\/release=([^/]*)\/([^/]+)$/.exec(name) ?? [];
  if (model === undefined || release === undefined || base === undefined) return undefined;
  try {
    return { modelId: hiveText(model), release: hiveText(release), base };
  } catch {
    return undefined;
  }
}

function hiveText(value: string): string {
  return value === "__HIVE_DEFAULT_PARTITION__" ? "" : decodeURIComponent(value);
}

/** Hive percent-encodes what file systems or its own syntax could not take. */
function hiveValue(value: string): string {
  const encoded = encodeURIComponent(value).replaceAll("*", "%2A").replaceAll("'", "%27");
  return encoded === "" ? "__HIVE_DEFAULT_PARTITION__" : encoded;
}

export interface FileName {
  /** Larger is newer; a newer value of an input wins. Milliseconds since 1970 of the writing, or a little later. */
  readonly sequence: number;
  /** First 16 hex digits of the sha-256 of the file's tail. */
  readonly tailDigest: string;
}

/**
 * `0001763776800000-0123456789abcdef-60cbce48e2d600bd.parquet`: the last part is the digest of the columns, for engines
 * that see a file's name but not its metadata.
 */
export function fileNameOf({ sequence, tailDigest }: FileName, { columns }: PredictionScope): string {
  return `${String(sequence).padStart(16, "0")}-${tailDigest}-${columnsDigest(columns)}.parquet`;
}

/** undefined for a file that we did not name: a legacy file or another program's. Older names lack the columns. */
export function parseFileName(base: string): FileName | undefined {
  const found = /^(\d{16})-([0-9a-f]{16})(-[0-9a-f]{16})?\.parquet$/.exec(base);
  if (found === null) return undefined;
  return { sequence: Number(found[1]), tailDigest: found[2] ?? "" };
}

/** The order of rows in a file: by key; two inputs with one key (an MD5 collision) by input. */
export function byKeyThenInput(
  x: { readonly key: string; readonly input: string },
  y: { readonly key: string; readonly input: string },
): number {
  return byCodeUnit(x.key, y.key) || byCodeUnit(x.input, y.input);
}
