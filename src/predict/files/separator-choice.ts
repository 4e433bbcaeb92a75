/**
 * What separates the cells of an input file, decided by its first lines where nobody said it. A table whose header names
 * the inputs is read and the choice is reported; where a guess could be wrong the file is refused with the flag that settles
 * it, since an input that is taken for more than it is (`CCO ethanol`) would be stored under a wrong name.
 */
import { isBlankLine, type Separator, separatorName, takeRecord } from "../../csv/index.ts";
import { AppError } from "../../kernel/index.ts";
import { type HeaderOptions, isInputHeader } from "./header.ts";
import { looksLikeMolecule } from "./molecule-look.ts";

/** Number of records that a decision looks at, at most. */
export const sampleRecords = 20;

export interface SeparatorRequest extends HeaderOptions {
  readonly name: string;
  /** What files of this kind have as a rule. */
  readonly fallback: Separator;
}

export interface SeparatorChoice {
  readonly separator: Separator;
  /** Where the first record starts: behind a line such as Excel's `sep=;`. */
  readonly start: number;
  readonly note?: string;
}

/** @throws PREDICT_INPUT_COLUMNS_UNCLEAR */
export function chooseSeparator(
  text: string,
  last: "last" | "more",
  request: SeparatorRequest,
): SeparatorChoice {
  const announced = /^\s*"?sep=(\\t|[,\t;| ])"?[ \t]*(\r\n|\n|\r|$)/i.exec(text);
  if (announced !== null) {
    const separator = (announced[1] === "\\t" ? "\t" : announced[1]) as Separator;
    return { separator, start: announced[0].length };
  }
  const { fallback } = request;
  const looks = (separator: Separator) => lookAt(text, separator, last);
  const plain = { separator: fallback, start: 0 };
  const own = looks(fallback);
  if (own?.every((cells) => isExtendedSmiles(cells[0] ?? "")) === true) return plain;
  const all: readonly Separator[] = ["\t", ";", "|", ","];
  const fitting = all.filter((separator) => fits(looks(separator)));
  const named = fitting.filter((separator) => namesInputs(looks(separator)?.[0] ?? [], request));
  const [only] = named.length > 0 ? named : fitting;
  if (named.length > 1 || (named.length === 0 && fitting.length > 1)) {
    if ((named.length > 0 ? named : fitting).includes(fallback)) return plain;
    throw unclear(request, own?.[0]?.[0] ?? "", fitting);
  }
  if (only === fallback) return plain;
  if (only !== undefined) {
    if (named.length === 0) throw unclear(request, own?.[0]?.join(fallback) ?? "", [only]);
    return { separator: only, start: 0, note: noteOf(request, only) };
  }
  const words = looks(" ");
  if (words !== undefined && isTableOfBlanks(words, request))
    return { separator: " ", start: 0, note: noteOf(request, " ") };
  // Molecules with a word behind each: the first line is not a header, so no column has a name.
  if (words !== undefined && fits(words) && unseparated(words.map((cells) => cells.join(" "))).length > 0)
    throw unclear(request, own?.[0]?.[0] ?? "", [" "]);
  return plain;
}

/**
 * Refuses inputs that look like a SMILES with something behind it: cells of a table whose separator was not recognised.
 * Sentences are not split, and neither are CXSMILES. @throws PREDICT_INPUT_COLUMNS_UNCLEAR
 */
export function refuseUnseparated(inputs: readonly string[], name: string): void {
  const [example] = unseparated(inputs);
  if (example === undefined) return;
  throw new AppError(
    "PREDICT_INPUT_COLUMNS_UNCLEAR",
    `cannot read ${name}: inputs look like a SMILES with other cells behind it (${shown(example)}); say --delimiter (comma takes them as they are), or --input-format smi where each line is a SMILES and its name`,
  );
}

function unseparated(inputs: readonly string[]): readonly string[] {
  const several = inputs.map((input) => input.trim()).filter((input) => /[\t ;|]/.test(input));
  const found = several.filter(
    (input) => !isExtendedSmiles(input) && looksLikeMolecule(input.slice(0, input.search(/[\t ;|]/))),
  );
  return found.length * 2 > several.length && found.length * 4 >= inputs.length ? found : [];
}

/** `CCO |$;;R$|`: one input, with with blanks, semicolons and pipes in it. */
function isExtendedSmiles(input: string): boolean {
  return /^\S+[ \t]+\|[^|]*\|/.test(input.trim());
}

/** The first records; undefined where the text cannot be read that way. Blanks at the ends of a line separate nothing. */
function lookAt(
  text: string,
  separator: Separator,
  last: "last" | "more",
): readonly (readonly string[])[] | undefined {
  const records: (readonly string[])[] = [];
  for (let at = 0; at < text.length && records.length < sampleRecords; ) {
    const record = takeRecord(text, at, { separator, last: last === "last", strictness: "strict" });
    if (record.kind === "malformed") return undefined;
    if (record.kind === "incomplete") break;
    const cells = separator === " " ? withoutEdges(record.cells) : record.cells;
    if (!isBlankLine({ cells, quoted: record.quoted }) && cells.length > 0) records.push(cells);
    at = record.end;
  }
  return records;
}

/** Blanks at the ends of a line separate nothing. */
export function withoutEdges(cells: readonly string[]): readonly string[] {
  return cells.slice(cells[0] === "" ? 1 : 0, cells.length > 1 && cells.at(-1) === "" ? -1 : undefined);
}

/** The first two records have as many cells, two at least. */
function fits(records: readonly (readonly string[])[] | undefined): boolean {
  const [first, second] = records ?? [];
  return first !== undefined && first.length > 1 && (second === undefined || second.length === first.length);
}

function namesInputs(header: readonly string[], request: SeparatorRequest): boolean {
  return columnOf(header, request) >= 0;
}

/** Where the inputs are by that header; -1 where it does not say. */
function columnOf(header: readonly string[], { column, header: given }: SeparatorRequest): number {
  if (column === undefined) return given === "absent" ? -1 : header.findIndex(isInputHeader);
  const named = header.findIndex((cell) => cell.trim().toLowerCase() === column.toLowerCase());
  if (named >= 0) return named;
  const number = /^[1-9]\d*$/.test(column) ? Number(column) : 0;
  return number <= header.length ? number - 1 : -1;
}

/**
 * Words with blanks between them may be one text each, so blanks are believed only where every line has as many words and
 * a molecule in the column of the inputs.
 */
function isTableOfBlanks(records: readonly (readonly string[])[], request: SeparatorRequest): boolean {
  const [header = [], ...rows] = records;
  const column = columnOf(header, request);
  if (column < 0 || header.length < 2) return false;
  const sample = request.header === "absent" ? records : rows;
  return sample.every((cells) => cells.length === header.length && looksLikeMolecule(cells[column] ?? ""));
}

function noteOf({ name }: SeparatorRequest, separator: Separator): string {
  return `${name} is read with ${separatorName(separator)} as its delimiter; --delimiter says otherwise`;
}

function unclear({ name }: SeparatorRequest, line: string, separators: readonly Separator[]): AppError {
  const names = separators.map(separatorName);
  return new AppError(
    "PREDICT_INPUT_COLUMNS_UNCLEAR",
    `cannot read ${name}: line 1 looks ${names.join("- or ")}-separated (${shown(line)}), and no column is called smiles or input; name the column with --column and say --delimiter ${names[0]}, or --delimiter comma to read each line as it is`,
  );
}

function shown(text: string): string {
  const line = text.trim().replaceAll("\t", "\\t");
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
