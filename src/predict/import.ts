/**
 * Stores predictions that a model wrote elsewhere: a CSV or TSV file, also packed with gzip, with an input column and the
 * model's columns, found by name; a shard without a header as Ersilia's cloud cache sends them; a Parquet file, or a folder
 * of them. Rows without any value (failures and misses) are left out: they are not answers.
 */
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { guessSeparator, isBlankLine, type Separator, takeRecord } from "../csv/index.ts";
import { byCodeUnit, md5Hex } from "../hash/index.ts";
import { AppError, type Ask, checkAsk, messageOf } from "../kernel/index.ts";
import type { Model } from "../models/index.ts";
import { type PredictionTier, readParquetFile } from "../store/predictions/index.ts";
import type { Cell, Column, PredictionRow, PredictionScope } from "../task/index.ts";
import type { PredictEventSink } from "./events.ts";
import { inputFormatOf } from "./files/format.ts";
import { inputSizeBytes } from "./files/read-inputs.ts";
import { longestCellBytes, textBlocks } from "./files/text-blocks.ts";
import { RowGroups } from "./row-groups.ts";

export interface ImportRequest {
  readonly path: string;
  readonly model: Model;
  readonly tier: PredictionTier;
  readonly emit?: PredictEventSink;
}

export interface ImportReport {
  readonly read: number;
  readonly stored: number;
  readonly alreadyThere: number;
  readonly skipped: number;
}

const missingWords = new Set(["", "None", "\\N", "nan", "NaN", "null"]);

/** @throws FILE_*, PREDICT_INPUT_*, STORE_*. Rows before the wrong one may be stored; importing again changes nothing. */
export async function importPredictions(request: ImportRequest, ask: Ask): Promise<ImportReport> {
  const { model, tier, path } = request;
  const scope: PredictionScope = { modelId: model.id, release: model.release, columns: model.columns };
  const groups = new RowGroups((rows) => tier.putMany(scope, rows, ask));
  const tables = await parquetFilesOf(path);
  const { read, skipped } =
    tables === undefined
      ? await importText(request, groups, ask)
      : await importTables(tables, scope, request, groups, ask);
  await groups.flush();
  return { read, stored: groups.stored, alreadyThere: groups.alreadyThere, skipped };
}

interface Taken {
  readonly read: number;
  readonly skipped: number;
}

/** The Parquet files that the path means, in the order of their names; undefined = it is a file of another kind. */
async function parquetFilesOf(path: string): Promise<readonly string[] | undefined> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return extname(path).toLowerCase() === ".parquet" ? [path] : undefined;
  const names = (await readdir(path)).filter((name) => /\.parquet$/i.test(name)).sort(byCodeUnit);
  if (names.length > 0) return names.map((name) => join(path, name));
  throw new AppError(
    "FILE_NOT_READABLE",
    `cannot import predictions from ${path}: the folder holds no .parquet file`,
  );
}

async function importTables(
  files: readonly string[],
  scope: PredictionScope,
  request: ImportRequest,
  groups: RowGroups,
  ask: Ask,
): Promise<Taken> {
  let read = 0;
  let skipped = 0;
  for (const [number, file] of files.entries()) {
    try {
      for await (const { rows, doubtful } of readParquetFile(file, scope, ask)) {
        checkAsk(ask, "importing predictions");
        read += rows.length + doubtful;
        skipped += doubtful;
        for (const row of rows) if (groups.add(row)) await groups.flush();
        request.emit?.({ kind: "storing", rows: read, share: number / files.length });
      }
    } catch (error) {
      if (error instanceof AppError) throw error;
      const words = `cannot import predictions from ${file}: ${messageOf(error)}`;
      throw new AppError("PREDICT_INPUT_COLUMNS_UNCLEAR", words, { cause: error });
    }
  }
  return { read, skipped };
}

async function importText(request: ImportRequest, groups: RowGroups, ask: Ask): Promise<Taken> {
  const { model, path } = request;
  const bytesTotal = await inputSizeBytes(path);
  let read = 0;
  let skipped = 0;
  let layout: Layout | undefined;
  for await (const { records, bytesRead } of recordBlocks(path, ask)) {
    for (const { cells, quoted, line } of records) {
      if (layout === undefined) {
        layout = shardLayout(cells, model.columns);
        if (layout === undefined) {
          layout = layoutOf(cells, model.columns, path);
          continue;
        }
      }
      read++;
      const row = rowOf({ cells, quoted }, layout, model.columns, () => `${path}, line ${line}`);
      if (row === undefined) skipped++;
      else if (groups.add(row)) await groups.flush();
    }
    const share = bytesTotal === undefined || bytesTotal === 0 ? undefined : bytesRead / bytesTotal;
    request.emit?.({ kind: "storing", rows: read, share });
  }
  if (layout === undefined)
    throw new AppError("PREDICT_INPUT_EMPTY", `cannot import predictions from ${path}: the file is empty`);
  return { read, skipped };
}

interface Layout {
  readonly width: number;
  readonly input: number;
  /** Where each column of the model stands. */
  readonly values: readonly number[];
}

/** Key, input, values: known by a first line whose key is that of its input. */
function shardLayout(cells: readonly string[], columns: readonly Column[]): Layout | undefined {
  if (cells.length !== columns.length + 2 || cells[0] !== md5Hex(cells[1] ?? "")) return undefined;
  return { width: cells.length, input: 1, values: columns.map((_, i) => i + 2) };
}

function layoutOf(header: readonly string[], columns: readonly Column[], path: string): Layout {
  const names = header.map((name) => name.trim());
  const input = ["input", "smiles"]
    .map((name) => names.findIndex((one) => one.toLowerCase() === name))
    .find((at) => at >= 0);
  const values = columns.map((column) => names.indexOf(column.name));
  const absent = columns.filter((_, i) => (values[i] ?? -1) < 0).map((column) => column.name);
  if (input !== undefined && absent.length === 0) return { width: header.length, input, values };
  const wanted = input === undefined ? ["input", ...absent] : absent;
  throw new AppError(
    "PREDICT_INPUT_COLUMNS_UNCLEAR",
    `cannot import predictions from ${path}: it has no column ${wanted.slice(0, 10).join(", ")}; got ${names.slice(0, 20).join(", ")}`,
  );
}

interface Cells {
  readonly cells: readonly string[];
  /** Cells in quotes are texts, whatever they say. */
  readonly quoted: ReadonlySet<number>;
}

function rowOf(
  { cells, quoted }: Cells,
  layout: Layout,
  columns: readonly Column[],
  place: () => string,
): PredictionRow | undefined {
  if (cells.length !== layout.width)
    throw new AppError(
      "PREDICT_INPUT_MALFORMED",
      `cannot read ${place()}: got ${cells.length} cells, expected ${layout.width}`,
    );
  const input = cells[layout.input] ?? "";
  const texts = columns.map((_, i) => cells[layout.values[i] ?? -1] ?? "");
  // In a column of texts one of these words may be an answer; a row of nothing else is a failure or a miss.
  const isText = (i: number) => quoted.has(layout.values[i] ?? -1);
  if (input.trim() === "" || texts.every((text, i) => missingWords.has(text) && !isText(i))) return undefined;
  const values = columns.map((column, i) =>
    column.type === "string" && isText(i) ? (texts[i] ?? "") : cellOf(texts[i] ?? "", column, place),
  );
  return { input, values, provenance };
}

/** One object for all rows: tiers note an origin once. */
const provenance = Object.freeze({ runner: "import" });

function cellOf(text: string, column: Column, place: () => string): Cell {
  if (column.type === "string") return text === "" || text === "\\N" ? null : text;
  if (missingWords.has(text)) return null;
  const number = Number(text);
  if (Number.isFinite(number) && (column.type === "float" || Number.isInteger(number))) return number;
  throw new AppError(
    "PREDICT_INPUT_MALFORMED",
    `cannot read ${place()}: the column ${column.name} holds ${JSON.stringify(text.slice(0, 40))}, expected ${column.type === "float" ? "a number" : "a whole number"}`,
  );
}

interface RecordBlock {
  readonly records: readonly (Cells & { readonly line: number })[];
  /** Bytes of the file, this block included. */
  readonly bytesRead: number;
}

async function* recordBlocks(path: string, ask: Ask): AsyncGenerator<RecordBlock, void> {
  const isPacked = extname(path).toLowerCase() === ".gz";
  const inner = isPacked ? path.slice(0, -".gz".length) : path;
  // Shards of Ersilia's cloud cache have no other extension.
  const format = isPacked && extname(inner) === "" ? "csv" : inputFormatOf(inner);
  if (format === "json")
    throw new AppError(
      "PREDICT_FORMAT_UNKNOWN",
      `cannot import predictions from ${path}: got .json, expected .csv, .tsv, .gz or .parquet`,
    );
  let separator: Separator | undefined = format === "tsv" ? "\t" : undefined;
  let pending = "";
  let line = 1;
  const packing = isPacked ? { packing: "gzip" as const } : {};
  for await (const block of textBlocks({ path, cut: "at-line-breaks", ...packing }, ask)) {
    checkAsk(ask, "importing predictions");
    const text = pending + block.text;
    const [first = "", second] = text.split(/\r\n|\n|\r/).filter((each) => each.trim() !== "");
    separator ??= first.includes(",") ? "," : (guessSeparator(first, second) ?? ",");
    const records: (Cells & { line: number })[] = [];
    let at = 0;
    pending = "";
    while (at < text.length) {
      const record = takeRecord(text, at, { separator, last: block.last, strictness: "strict" });
      if (record.kind === "malformed")
        throw new AppError("PREDICT_INPUT_MALFORMED", `cannot read ${path}, line ${line}: ${record.words}`);
      if (record.kind === "incomplete") {
        pending = text.slice(at);
        if (pending.length > longestCellBytes)
          throw new AppError(
            "PREDICT_INPUT_CELL_TOO_LARGE",
            `cannot read ${path}, line ${line}: a cell is too long`,
          );
        break;
      }
      if (!isBlankLine(record)) records.push({ cells: record.cells, quoted: record.quoted, line });
      line += record.lines;
      at = record.end;
    }
    yield { records, bytesRead: block.bytesRead };
  }
}
