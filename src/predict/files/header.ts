/** Which column of a table holds the inputs, and whether its first line is a header at all. */
import { AppError } from "../../kernel/index.ts";
import { looksLikeMolecule } from "./molecule-look.ts";

export interface HeaderOptions {
  /** A column by its header, or by its number counted from 1. Default: `smiles` or `input`, or the only column. */
  readonly column?: string;
  /** Default: yes, unless the file has one column and its first line looks like a molecule. */
  readonly header?: "present" | "absent";
}

export interface HeaderDecision {
  /** Counted from 0. */
  readonly column: number;
  readonly firstLineIsRow: boolean;
  /** For the user: what was guessed. */
  readonly note?: string;
}

const inputHeaders = ["input", "smiles"];

/** Whether a column of this name holds the inputs. */
export function isInputHeader(name: string): boolean {
  return inputHeaders.includes(name.trim().toLowerCase());
}

export function decideHeader(
  cells: readonly string[],
  options: HeaderOptions,
  place: string,
): HeaderDecision {
  const names = cells.map((cell) => cell.trim());
  if (options.header === "absent")
    return { column: withoutHeader(names, options, place), firstLineIsRow: true };
  const column = withHeader(names, options, place);
  const only = names.length === 1 ? names[0] : undefined;
  const guess = options.header === undefined && options.column === undefined && only !== undefined;
  if (guess && !inputHeaders.includes(only.toLowerCase()) && looksLikeMolecule(only)) {
    return {
      column,
      firstLineIsRow: true,
      note: `${place} has no header: its first line (${short(only)}) looks like a molecule and is counted as a row; say --header if it is one`,
    };
  }
  return { column, firstLineIsRow: false };
}

function withHeader(names: readonly string[], options: HeaderOptions, place: string): number {
  if (options.column !== undefined) return chosen(names, options.column, place);
  if (names.length === 1) return 0;
  for (const header of inputHeaders) {
    const at = names.findIndex((name) => name.toLowerCase() === header);
    if (at >= 0) return at;
  }
  throw unclear(names, "none of them is called smiles or input", place);
}

function withoutHeader(names: readonly string[], options: HeaderOptions, place: string): number {
  if (options.column !== undefined) return chosen(names, options.column, place);
  if (names.length === 1) return 0;
  throw unclear(names, "without a header it must be said which column holds the inputs", place);
}

function chosen(names: readonly string[], wanted: string, place: string): number {
  const exact = names.indexOf(wanted);
  if (exact >= 0) return exact;
  const loose = names.findIndex((name) => name.toLowerCase() === wanted.toLowerCase());
  if (loose >= 0) return loose;
  const number = /^[1-9]\d*$/.test(wanted) ? Number(wanted) : 0;
  if (number >= 1 && number <= names.length) return number - 1;
  throw unclear(names, `none of them is called ${wanted}`, place);
}

function unclear(names: readonly string[], why: string, place: string): AppError {
  const listed = names
    .slice(0, 20)
    .map((name) => short(name))
    .join(", ");
  const more = names.length > 20 ? `, … (${names.length} in all)` : "";
  return new AppError(
    "PREDICT_INPUT_COLUMNS_UNCLEAR",
    `cannot determine which column of ${place} contains the inputs: got ${names.length} ${names.length === 1 ? "column" : "columns"} (${listed}${more}), and ${why}`,
  );
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
