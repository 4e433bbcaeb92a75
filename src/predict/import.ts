/**
 * Stores predictions that a model wrote elsewhere: a CSV or TSV file, also packed with gzip, with an input column and the
 * model's columns, found by name; a shard without a header as Ersilia's cloud cache sends them; a Parquet file. Rows without any value (failures and misses) are left out: they are not answers.
 */
import { extname } from "node:path";
import { isBlankLine, type Separator, takeRecord } from "../csv/index.ts";
import { md5Hex } from "../hash/index.ts";
import { AppError, type Ask, checkAsk, messageOf } from "../kernel/index.ts";
import type { Model } from "../models/index.ts";
import { type PredictionTier, readParquetFile } from "../store/predictions/index.ts";
import type { Cell, Column, PredictionRow, PredictionScope } from "../task/index.ts";
import type { PredictEventSink } from "./events.ts";
import { inputFormatOf } from "./files/format.ts";
import { missingValues } from "./files/missing-values.ts";
import { inputSizeBytes } from "./files/read-inputs.ts";
import { longestCellBytes, textBlocks } from "./files/text-blocks.ts";
import { RowGroups } from "./row-groups.ts";

export interface ImportRequest {
  readonly path: string;
  readonly model: Model;
  readonly tier: Pick<PredictionTier, "putMany">;
  /** What separates the cells of a text. Default: what takes the header apart into the model's columns. */
  readonly delimiter?: Separator;
  /** One more word that stands for a missing value where it is not in quotes. */
  readonly missing?: string;
  readonly emit?: PredictEventSink;
}

export interface ImportReport {
  readonly read: number;
  readonly stored: number;
  readonly alreadyThere: number;
  readonly skipped: number;
}

/** @throws FILE_*, PREDICT_INPUT_*, STORE_*. Rows before the wrong one may be stored; importing again changes nothing. */
export async function importPredictions(request: ImportRequest, ask: Ask): Promise<ImportReport> {
  const { model, tier, path } = request;
  const scope: PredictionScope = { modelId: model.id, release: model.release, columns: model.columns };
  const groups = new RowGroups((rows) => tier.putMany(scope, rows, ask));
  const { read, skipped } =
    extname(path).toLowerCase() === ".parquet"
      ? await importTable(scope, request, groups, ask)
      : await importText(request, groups, ask);
  await groups.flush();
  return { read, stored: groups.stored, alreadyThere: groups.alreadyThere, skipped };
}

interface Taken {
  readonly read: number;
  readonly skipped: number;
}

async function importTable(
  scope: PredictionScope,
  request: ImportRequest,
  groups: RowGroups,
  ask: Ask,
): Promise<Taken> {
  const { path } = request;
  let read = 0;
  let skipped = 0;
  try {
    for await (const { rows, doubtful } of readParquetFile(path, scope, ask)) {
      checkAsk(ask, "importing predictions");
      read += rows.length + doubtful;
      skipped += doubtful;
      for (const row of rows) if (groups.add(row)) await groups.flush();
      request.emit?.({ kind: "storing", rows: read, share: undefined });
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    const words = `cannot import predictions from ${path}: ${messageOf(error)}`;
    throw new AppError("PREDICT_INPUT_COLUMNS_UNCLEAR", words, { cause: error });
  }
  return { read, skipped };
}

async function importText(request: ImportRequest, groups: RowGroups, ask: Ask): Promise<Taken> {
  const { model, path } = request;
  const bytesTotal = await inputSizeBytes(path);
  let read = 0;
  let skipped = 0;
  let layout: Layout | undefined;
  // Where everything is in quotes they say nothing.
  let quotesSay = true;
  for await (const { records, bytesRead } of recordBlocks(request, ask)) {
    for (const { cells, quoted, line } of records) {
      if (layout === undefined) {
        const found = layoutOf(cells, model.columns);
        if (found.kind === "twice")
          throw new AppError(
            "PREDICT_INPUT_COLUMNS_UNCLEAR",
            `cannot import predictions from ${path}: it has two columns called ${found.name}`,
          );
        if (found.kind === "none") throw columnsUnclear(path, cells, found.absent);
        layout = found.layout;
        quotesSay = quoted.size < cells.length;
        if (found.kind === "header") continue;
      }
      read++;
      const row = rowOf({ cells, quoted: quotesSay ? quoted : noQuotes }, layout, model.columns, {
        missing: request.missing,
        place: () => `${path}, line ${line}`,
      });
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
  /** The column that says how each row was answered, where the file has one. */
  readonly status?: number;
}

type LayoutFound =
  | { readonly kind: "header" | "shard"; readonly layout: Layout }
  | { readonly kind: "twice"; readonly name: string }
  | { readonly kind: "none"; readonly absent: readonly string[] };

/** By the names of a header, or by a first row of key, input and values whose key is that of its input. */
function layoutOf(first: readonly string[], columns: readonly Column[]): LayoutFound {
  if (first.length === columns.length + 2 && first[0] === md5Hex(first[1] ?? ""))
    return { kind: "shard", layout: { width: first.length, input: 1, values: columns.map((_, i) => i + 2) } };
  const names = first.map((name) => name.trim());
  const twice = ["input", "smiles", "status", ...columns.map(({ name }) => name)].find((name) => {
    const like =
      name === "input" || name === "smiles" ? (one: string) => one.toLowerCase() : (one: string) => one;
    return names.filter((one) => like(one) === name).length > 1;
  });
  if (twice !== undefined) return { kind: "twice", name: twice };
  const input = ["input", "smiles"]
    .map((name) => names.findIndex((one) => one.toLowerCase() === name))
    .find((at) => at >= 0);
  const values = columns.map((column) => names.indexOf(column.name));
  const absent = columns.filter((_, i) => (values[i] ?? -1) < 0).map((column) => column.name);
  const status = columns.some((column) => column.name === "status") ? -1 : names.indexOf("status");
  if (input !== undefined && absent.length === 0)
    return {
      kind: "header",
      layout: { width: first.length, input, values, ...(status < 0 ? {} : { status }) },
    };
  return { kind: "none", absent: input === undefined ? ["input", ...absent] : absent };
}

function columnsUnclear(path: string, header: readonly string[], absent: readonly string[]): AppError {
  return new AppError(
    "PREDICT_INPUT_COLUMNS_UNCLEAR",
    `cannot import predictions from ${path}: it has no column ${absent.slice(0, 10).join(", ")}; got ${header
      .slice(0, 20)
      .map((name) => name.trim())
      .join(", ")}`,
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
  { missing, place }: { readonly missing: string | undefined; readonly place: () => string },
): PredictionRow | undefined {
  if (cells.length !== layout.width)
    throw new AppError(
      "PREDICT_INPUT_MALFORMED",
      `cannot read ${place()}: got ${cells.length} cells, expected ${layout.width}`,
    );
  const input = cells[layout.input] ?? "";
  const texts = columns.map((_, i) => cells[layout.values[i] ?? -1] ?? "");
  if (input.trim() === "" || isUnanswered(cells[layout.status ?? -1])) return undefined;
  const isMissing = (text: string) => missingValues.has(text) || text === missing;
  const values = columns.map((column, i) => {
    const text = texts[i] ?? "";
    const isText = column.type === "string" && quoted.has(layout.values[i] ?? -1);
    return isText ? text : isMissing(text) ? null : cellOf(text, column, place);
  });
  // Ersilia writes texts that are missing as two quotes: a row of nothing but those is a failure.
  return values.every((value) => value === null || value === "") ? undefined : { input, values, provenance };
}

/** By a status column of Memoir's. */
function isUnanswered(status: string | undefined): boolean {
  // A neighbour's value is not an answer for the molecule: it is never stored.
  return status === "missing" || status === "failed" || (status?.startsWith("nearest") ?? false);
}

const noQuotes: ReadonlySet<number> = new Set();

/** One object for all rows: tiers note an origin once. */
const provenance = Object.freeze({ runner: "import" });

const decimal = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

function cellOf(text: string, column: Column, place: () => string): Cell {
  if (column.type === "string") return text;
  // Number() also takes blanks, 0x10 and 0b1; an integer that is not safe would be stored as its neighbour.
  const number = decimal.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(number) && (column.type === "float" || Number.isSafeInteger(number))) return number;
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

async function* recordBlocks(request: ImportRequest, ask: Ask): AsyncGenerator<RecordBlock, void> {
  const { path } = request;
  const isPacked = extname(path).toLowerCase() === ".gz";
  const inner = isPacked ? path.slice(0, -".gz".length) : path;
  // Shards of Ersilia's cloud cache have no other extension.
  const format = isPacked && extname(inner) === "" ? "csv" : inputFormatOf(inner);
  if (format !== "csv" && format !== "tsv")
    throw new AppError(
      "PREDICT_FORMAT_UNKNOWN",
      `cannot import predictions from ${path}: got .${format}, expected .csv, .tsv, .gz or .parquet`,
    );
  const usual: Separator = format === "tsv" ? "\t" : ",";
  let separator = request.delimiter;
  let pending = "";
  let line = 1;
  const packing = isPacked ? { packing: "gzip" as const } : {};
  for await (const block of textBlocks({ path, cut: "at-line-breaks", ...packing }, ask)) {
    checkAsk(ask, "importing predictions");
    const text = pending + block.text;
    const records: (Cells & { line: number })[] = [];
    let at = 0;
    pending = "";
    separator ??= separatorOf(text, usual, request.model.columns);
    if (separator === undefined) continue;
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

/** The one that finds the model's columns in the first record; undefined while the text has no more than blank lines. */
function separatorOf(text: string, usual: Separator, columns: readonly Column[]): Separator | undefined {
  if (text.trim() === "") return undefined;
  const others: readonly Separator[] = [",", "\t", ";", "|"];
  const finds = [usual, ...others].find((separator) => {
    for (let at = 0; at < text.length; ) {
      const record = takeRecord(text, at, { separator, last: true, strictness: "strict" });
      if (record.kind !== "record") return false;
      if (!isBlankLine(record)) return layoutOf(record.cells, columns).kind !== "none";
      at = record.end;
    }
    return false;
  });
  return finds ?? usual;
}
