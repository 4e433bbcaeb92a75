/** File formats of inputs and outputs, chosen by the extension of the path. */
import { statSync } from "node:fs";
import { extname } from "node:path";
import { AppError } from "../../kernel/index.ts";

export type InputFormat = "csv" | "tsv" | "smi" | "json";
export type OutputFormat = "csv" | "tsv" | "json" | "hdf5";
/** Formats whose rows can be written one after the other into anything. */
export type StreamedFormat = Exclude<OutputFormat, "hdf5">;

const inputs: Readonly<Record<string, InputFormat>> = {
  ".csv": "csv",
  ".tsv": "tsv",
  ".smi": "smi",
  ".smiles": "smi",
  ".json": "json",
};
const outputs: Readonly<Record<string, OutputFormat>> = {
  ".csv": "csv",
  ".tsv": "tsv",
  ".json": "json",
  ".h5": "hdf5",
  ".hdf5": "hdf5",
};

/** The format of an input file by its extension. Throws PREDICT_FORMAT_UNKNOWN. */
export function inputFormatOf(path: string): InputFormat {
  return byExtension(path, inputs, "read the inputs from");
}

/** The format of an output file by its extension. Throws PREDICT_FORMAT_UNKNOWN. */
export function outputFormatOf(path: string): OutputFormat {
  return byExtension(path, outputs, "write the predictions to");
}

function byExtension<T>(path: string, table: Readonly<Record<string, T>>, doing: string): T {
  const extension = extname(path).toLowerCase();
  const format = Object.hasOwn(table, extension) ? table[extension] : undefined;
  if (format !== undefined) return format;
  const isFolder = isFolderAt(path);
  const got = isFolder ? "a folder" : extension === "" ? "no extension" : `the extension ${extension}`;
  const known = Object.keys(table).join(", ");
  throw new AppError(
    "PREDICT_FORMAT_UNKNOWN",
    `cannot ${doing} ${path}: got ${got}, expected ${isFolder ? "a file with " : ""}one of ${known}`,
  );
}

/** For a message: what cannot be looked at is not called a folder. */
function isFolderAt(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
