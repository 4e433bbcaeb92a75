/** Reads the inputs of a file of any format in chunks of bounded size, in the file's order. */
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { Separator } from "../../csv/index.ts";
import { AppError, type Ask, defined } from "../../kernel/index.ts";
import { CsvScanner } from "./csv-scan.ts";
import { type InputFormat, inputFormatOf } from "./format.ts";
import type { HeaderOptions } from "./header.ts";
import { JsonScanner } from "./json-scan.ts";
import { SmilesScanner } from "./smiles-scan.ts";
import { textBlocks } from "./text-blocks.ts";

export interface InputChunk {
  readonly inputs: readonly string[];
  /** Row of each input in the file, counted from 0; absent where chunks have every row of the file. */
  readonly rows?: readonly number[];
  /** Bytes of the file read so far. */
  readonly bytesRead: number;
  /** Something the user should know about how the file was read. At most once, with the first chunk. */
  readonly note?: string;
}

export interface ReadInputsRequest extends HeaderOptions {
  readonly path: string;
  /** Read instead of the file; `path` is what it is called then. */
  readonly stream?: Readable;
  /** Default: by the extension of the path. */
  readonly format?: InputFormat;
  /** What separates cells. Default: what the first lines show, else a tab in .tsv and a comma in others. */
  readonly delimiter?: Separator;
  /** Rows of a chunk; the last one has fewer. Chunks of very long rows have fewer as well. */
  readonly chunkRows: number;
}

/** Characters of a chunk at which it is handed on although it has fewer rows. */
const chunkCharacters = 16 << 20;

/** Size of the input in bytes, for progress; undefined when it cannot be determined (the reader will say why). */
export async function inputSizeBytes(path: string): Promise<number | undefined> {
  return await stat(path).then(
    (stats) => (stats.isFile() ? stats.size : undefined),
    () => undefined,
  );
}

/** Whether the input can be read once only: a pipe or a device. What is not there is said by the reader. */
export async function isReadOnce(path: string): Promise<boolean> {
  return await stat(path).then(
    (stats) => !stats.isFile() && !stats.isDirectory(),
    () => false,
  );
}

/** Throws FILE_*, PREDICT_FORMAT_UNKNOWN and PREDICT_INPUT_* errors that name the file and the line. */
export async function* readInputs(request: ReadInputsRequest, ask: Ask): AsyncGenerator<InputChunk, void> {
  const scanner = scannerFor(request);
  let rows: string[] = [];
  let characters = 0;
  let bytesBefore = 0;
  let noted = false;
  const note = () => {
    if (noted || scanner.note() === undefined) return {};
    noted = true;
    return { note: scanner.note() as string };
  };
  const { path, stream } = request;
  const cut = formatOf(request) === "json" ? "between-characters" : "at-line-breaks";
  const source = { path, cut, ...defined({ stream }) } as const;
  for await (const block of textBlocks(source, ask)) {
    scanner.feed(block.text, block.last, rows);
    characters += block.text.length;
    let from = 0;
    // How far into the file a row in the middle of a block is: as if all rows were equally long.
    const bytesAt = (row: number) =>
      Math.round(bytesBefore + ((block.bytesRead - bytesBefore) * row) / Math.max(1, rows.length));
    for (; rows.length - from >= request.chunkRows; from += request.chunkRows) {
      const to = from + request.chunkRows;
      yield { inputs: rows.slice(from, to), bytesRead: bytesAt(to), ...note() };
    }
    bytesBefore = bytesAt(from);
    if (from > 0) rows = rows.slice(from);
    const left = block.last || characters >= chunkCharacters ? rows.length : 0;
    if (left > 0) {
      yield { inputs: rows, bytesRead: block.bytesRead, ...note() };
      rows = [];
      bytesBefore = block.bytesRead;
    }
    if (from > 0 || left > 0) characters = 0;
  }
  if (!scanner.started())
    throw new AppError(
      "PREDICT_INPUT_EMPTY",
      `cannot read the inputs from ${request.path}: ${stream === undefined ? "the file is" : "it was"} empty`,
    );
}

/** The inputs of a file alone, for what is not a run. */
export async function* readInputTexts(
  { path, column }: Pick<ReadInputsRequest, "path" | "column">,
  ask: Ask,
): AsyncGenerator<readonly string[], void> {
  const request = { path, chunkRows: 10_000, ...defined({ column }) };
  for await (const { inputs } of readInputs(request, ask)) yield inputs;
}

interface Scanner {
  feed(text: string, last: boolean, rows: string[]): void;
  note(): string | undefined;
  started(): boolean;
}

function formatOf({ path, format }: ReadInputsRequest): InputFormat {
  return format ?? inputFormatOf(path);
}

function scannerFor(request: ReadInputsRequest): Scanner {
  const format = formatOf(request);
  const name = request.path;
  if (format === "json") {
    const json = new JsonScanner({
      name,
      ...defined({ column: request.column }),
    });
    return { feed: (t, l, r) => json.feed(t, l, r), note: () => undefined, started: () => json.sawList };
  }
  if (format === "smi" && request.delimiter === undefined) {
    const smiles = new SmilesScanner(name);
    return { feed: (t, l, r) => smiles.feed(t, l, r), note: () => undefined, started: () => smiles.started };
  }
  const csv = new CsvScanner({
    ...request,
    name,
    fallback: format === "tsv" ? "\t" : ",",
    ...defined({ separator: request.delimiter }),
  });
  return { feed: (t, l, r) => csv.feed(t, l, r), note: () => csv.note, started: () => csv.sawHeader };
}
