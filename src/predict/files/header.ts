/** Which column of a table holds the inputs, and whether its first line is a header at all. */
import { AppError, defined } from "../../kernel/index.ts";
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
  const note = options.column === undefined ? otherInput(names, column, place) : undefined;
  return { column, firstLineIsRow: false, ...defined({ note }) };
}

function otherInput(names: readonly string[], column: number, place: string): string | undefined {
  const other = names.findIndex((name, i) => i !== column && isInputHeader(name));
  if (other < 0) return undefined;
  return `${place} has the columns ${names[column]} and ${names[other]}: the inputs are those of ${names[column]}; --column chooses another`;
}

function withHeader(names: readonly string[], options: HeaderOptions, place: string): number {
  if (options.column !== undefined) return chosen(names, options.column, place);
  if (names.length === 1) return 0;
  for (const header of inputHeaders) {
    const at = onlyOne(names, (name) => name.toLowerCase() === header, place);
    if (at !== undefined) return at;
  }
  throw unclear(names, "none of them is called smiles or input", place);
}

function withoutHeader(names: readonly string[], options: HeaderOptions, place: string): number {
  if (options.column !== undefined) return chosen(names, options.column, place);
  if (names.length === 1) return 0;
  throw unclear(names, "without a header it must be said which column holds the inputs", place);
}

function chosen(names: readonly string[], wanted: string, place: string): number {
  const named =
    onlyOne(names, (name) => name === wanted, place) ??
    onlyOne(names, (name) => name.toLowerCase() === wanted.toLowerCase(), place);
  if (named !== undefined) return named;
  const number = /^[1-9]\d*$/.test(wanted) ? Number(wanted) : 0;
  if (number >= 1 && number <= names.length) return number - 1;
  throw unclear(names, `none of them is called ${wanted}`, place);
}

/** Two columns of one name may hold different inputs, and neither is more meant than the other. */
function onlyOne(
  names: readonly string[],
  fits: (name: string) => boolean,
  place: string,
): number | undefined {
  const [at, another] = names.flatMap((name, i) => (fits(name) ? [i] : []));
  if (at === undefined || another === undefined) return at;
  const why = `columns ${at + 1} and ${another + 1} are both called ${names[another]}; choose one by its number, for example --column ${at + 1}`;
  throw unclear(names, why, place);
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
