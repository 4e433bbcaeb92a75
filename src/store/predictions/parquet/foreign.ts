/**
 * Parquet files of other programs: Ersilia's legacy files (`key,input,output`, the values joined by commas), chunk files
 * with one column per value, anything that DuckDB or Spark wrote. Nothing is known about their order, so each is read
 * once and copied, sorted, into files of Memoir's kind in a private temp folder; everything else then treats them alike.
 */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { AsyncBuffer, FileMetaData } from "hyparquet";
import { md5Hex } from "../../../hash/index.ts";
import { AppError, type Ask, checkAsk, isAppError, messageOf } from "../../../kernel/index.ts";
import type { Cell, Column, ColumnType, PredictionRow, PredictionScope } from "../../../task/index.ts";
import {
  createFolderStore,
  type ObjectInfo,
  type ObjectReader,
  type ObjectStore,
} from "../../objects/index.ts";
import type { TierEventSink } from "../events.ts";
import { scopeIdentity } from "../scope.ts";
import { readFileIndex } from "./file-index.ts";
import type { FileHandle } from "./file-reader.ts";
import { createFileWriter, type KeyedRow } from "./file-writer.ts";
import { byKeyThenInput, fileColumns } from "./layout.ts";
import type { Codec } from "./page-decode.ts";
import type { TempPlaces } from "./temp-places.ts";

export interface ForeignFiles {
  /** Sources for the files that have rows of the scope, in their order. */
  open(scope: PredictionScope, files: readonly ObjectInfo[], ask: Ask): Promise<FileHandle[]>;
  close(): Promise<void>;
}

/** Rows sorted in memory at a time; larger files become several sorted ones. */
const runRows = 200_000;
/** Rows of values decoded at a time. */
const batchRows = 20_000;

export function createForeignFiles(options: {
  readonly store: ObjectStore;
  readonly tierName: string;
  readonly codec: Codec;
  readonly onEvent: TierEventSink;
  readonly temps: TempPlaces;
}): ForeignFiles {
  const { store, onEvent, tierName } = options;
  const copies = new Map<string, Promise<readonly FileHandle[]>>();
  let folder: Promise<string> | undefined;
  const readers: ObjectReader[] = [];

  async function copy(scope: PredictionScope, info: ObjectInfo, ask: Ask): Promise<readonly FileHandle[]> {
    const skip = (reason: string) =>
      onEvent({ kind: "tier-file-skipped", tier: tierName, file: info.name, reason });
    try {
      folder ??= options.temps.folder();
      const place = createFolderStore({ path: await folder, durable: false });
      const handles: FileHandle[] = [];
      let run: KeyedRow[] = [];
      let doubtful = 0;
      const flush = async () => {
        if (run.length === 0) return;
        handles.push(await sortedCopy(scope, run, place, `${randomUUID()}.parquet`, ask));
        run = [];
      };
      for await (const batch of foreignRows(store, info, scope, ask)) {
        doubtful += batch.doubtful;
        for (const row of batch.rows) run.push({ key: md5Hex(row.input), row });
        if (run.length >= runRows) await flush();
      }
      await flush();
      if (doubtful > 0)
        onEvent({ kind: "tier-rows-damaged", tier: tierName, modelId: scope.modelId, rows: doubtful });
      return handles;
    } catch (error) {
      if (isAppError(error) && !isAppError(error, "STORE_OBJECT_DAMAGED")) throw error;
      skip(messageOf(error));
      return [];
    }
  }

  async function sortedCopy(
    scope: PredictionScope,
    rows: readonly KeyedRow[],
    place: ObjectStore,
    name: string,
    ask: Ask,
  ): Promise<FileHandle> {
    const parts: Uint8Array[] = [];
    const writer = await createFileWriter({ scope, sink: (bytes) => parts.push(bytes) });
    for (const row of sortedByKey(rows)) writer.add(row);
    const { tailDigest, sizeBytes } = writer.finish();
    await place.put(name, Buffer.concat(parts), ask);
    const reader = await place.openReader(name, sizeBytes, ask);
    readers.push(reader);
    const answer = await readFileIndex(reader, scope, tailDigest, ask);
    if (answer.kind !== "index") throw new Error(`the sorted copy is ${answer.kind}`);
    return {
      scope,
      index: answer.index,
      codec: options.codec,
      gapBytes: place.gapBytes,
      blooms: new Map(),
      reader,
      name,
      onDamage: (reason) => {
        throw new Error(`the sorted copy ${name} is damaged: ${reason}`);
      },
    };
  }

  return {
    open: async (scope, files, ask) => {
      const handles: FileHandle[] = [];
      for (const info of files) {
        checkAsk(ask, `reading ${info.name}`);
        const id = [
          info.name,
          info.sizeBytes,
          info.etag ?? info.modifiedAt.getTime(),
          scopeIdentity(scope),
        ].join("?");
        let copied = copies.get(id);
        if (copied === undefined) {
          copied = copy(scope, info, ask);
          copies.set(id, copied);
          copied.catch(() => copies.delete(id));
        }
        handles.push(...(await copied));
      }
      return handles;
    },
    close: async () => {
      await Promise.allSettled(readers.map((reader) => reader.close()));
      copies.clear();
      if (folder !== undefined) await rm(await folder, { recursive: true, force: true });
      folder = undefined;
    },
  };
}

/** Rows of the scope, and how many were left out: those without a value and those that are uncertain. */
export interface ForeignBatch {
  readonly rows: readonly PredictionRow[];
  readonly doubtful: number;
}

/** The rows of one local Parquet file of any program. Throws a plain Error that says why it cannot be read as rows of the scope. */
export async function* readParquetFile(
  path: string,
  scope: PredictionScope,
  ask: Ask,
): AsyncGenerator<ForeignBatch> {
  const store = createFolderStore({ path: dirname(path), durable: false });
  const info = await store.head(basename(path), ask);
  if (info === undefined) throw new AppError("FILE_NOT_FOUND", `cannot read predictions: no file ${path}`);
  yield* foreignRows(store, info, scope, ask);
}

/** Ordered by key, and of equal inputs only the last. */
export function sortedByKey(rows: readonly KeyedRow[]): readonly KeyedRow[] {
  const last = new Map<string, KeyedRow>();
  for (const row of rows) last.set(row.row.input, row);
  return [...last.values()].sort((a, b) =>
    byKeyThenInput({ key: a.key, input: a.row.input }, { key: b.key, input: b.row.input }),
  );
}

async function* foreignRows(
  store: ObjectStore,
  info: ObjectInfo,
  scope: PredictionScope,
  ask: Ask,
): AsyncGenerator<ForeignBatch> {
  const [{ parquetMetadataAsync, parquetReadObjects, parquetSchema }, { compressors }] = await Promise.all([
    import("hyparquet"),
    import("hyparquet-compressors"),
  ]);
  const reader = await store.openReader(info.name, info.sizeBytes, ask);
  try {
    const file = asyncBuffer(reader, ask);
    const metadata: FileMetaData = await parquetMetadataAsync(file);
    const names = parquetSchema(metadata).children.map((child) => child.element.name);
    const shape = shapeOf(names, scope);
    const total = Number(metadata.num_rows);
    for (let start = 0; start < total; start += batchRows) {
      checkAsk(ask, `reading ${info.name}`);
      const objects = await parquetReadObjects({
        file,
        metadata,
        compressors,
        columns: shape.columns,
        rowStart: start,
        rowEnd: Math.min(start + batchRows, total),
      });
      const rows: PredictionRow[] = [];
      let doubtful = 0;
      for (const object of objects) {
        const row = shape.rowOf(object);
        if (row === undefined) doubtful++;
        else rows.push(row);
      }
      yield { rows, doubtful };
    }
  } finally {
    await reader.close();
  }
}

/** Rows and columns of a Parquet file of any program, from its footer. */
export async function parquetFacts(
  store: ObjectStore,
  info: ObjectInfo,
  ask: Ask,
): Promise<{ readonly rows: number; readonly columns: readonly Column[] }> {
  const { parquetMetadataAsync, parquetSchema } = await import("hyparquet");
  const reader = await store.openReader(info.name, info.sizeBytes, ask);
  try {
    const metadata = await parquetMetadataAsync(asyncBuffer(reader, ask));
    const columns = parquetSchema(metadata).children.map(({ element }): Column => {
      const { name, type } = element;
      const isFloat = type === "DOUBLE" || type === "FLOAT";
      return { name, type: isFloat ? "float" : type === "INT32" || type === "INT64" ? "integer" : "string" };
    });
    return { rows: Number(metadata.num_rows), columns };
  } finally {
    await reader.close();
  }
}

function asyncBuffer(reader: ObjectReader, ask: Ask): AsyncBuffer {
  return {
    byteLength: reader.sizeBytes,
    slice: async (start, end = reader.sizeBytes) => {
      const [bytes] = await reader.readRanges([{ start, end }], ask);
      // hyparquet wants an ArrayBuffer of exactly these bytes.
      return Uint8Array.from(bytes ?? []).buffer;
    },
  };
}

interface ForeignShape {
  readonly columns: string[];
  /** undefined = the row is not certain. */
  readonly rowOf: (object: Readonly<Record<string, unknown>>) => PredictionRow | undefined;
}

function shapeOf(names: readonly string[], scope: PredictionScope): ForeignShape {
  const inputName = ["input", "smiles"].find((name) => names.includes(name));
  if (inputName === undefined) throw new Error(`it has no column input: ${names.join(", ")}`);
  const stored = fileColumns(scope).slice(2, 2 + scope.columns.length);
  // Files that other programs made from Memoir's carry Memoir's names; all others carry the model's.
  const own = (name: string, at: number) => (names.includes(name) ? name : (stored[at]?.name ?? name));
  const wanted = scope.columns.map(({ name }, at) =>
    name === inputName ? (stored[at]?.name ?? name) : own(name, at),
  );
  if (wanted.every((name) => names.includes(name)))
    return {
      columns: [inputName, ...wanted],
      rowOf: (object) =>
        rowOf(
          object[inputName],
          scope,
          wanted.map((name) => object[name]),
        ),
    };
  if (!names.includes("output")) {
    const missing = wanted.filter((name) => !names.includes(name));
    throw new Error(`it has no column ${missing.slice(0, 5).join(", ")}`);
  }
  return {
    columns: [inputName, "output"],
    rowOf: (object) => {
      const { output } = object;
      if (typeof output !== "string") return undefined;
      const cells =
        scope.columns.length === 1 && scope.columns[0]?.type === "string" ? [output] : output.split(",");
      // More pieces than columns: a text had commas, and it is not known which.
      return cells.length === scope.columns.length ? rowOf(object[inputName], scope, cells) : undefined;
    },
  };
}

function rowOf(input: unknown, scope: PredictionScope, cells: readonly unknown[]): PredictionRow | undefined {
  if (typeof input !== "string") return undefined;
  const values: Cell[] = [];
  for (let at = 0; at < cells.length; at++) {
    const cell = cellOf(cells[at], scope.columns[at]?.type ?? "string");
    if (cell === undefined) return undefined;
    values.push(cell);
  }
  // A row without any value is how earlier stores kept a failure.
  if (values.every((value) => value === null)) return undefined;
  return { input, values, provenance: { runner: "import" } };
}

/** How Python and pandas write "no value". */
const nothing = new Set(["", "nan", "None", "NaN", "null", "NULL", "<NA>", "\\N"]);

/** undefined = not a value of this type. */
function cellOf(value: unknown, type: ColumnType): Cell | undefined {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" && nothing.has(value)) return null;
  if (type === "string") return typeof value === "string" ? value : undefined;
  const number =
    typeof value === "string" ? numberOf(value) : typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number") return undefined;
  if (type === "float") return Number.isNaN(number) ? null : number;
  if (Number.isNaN(number)) return null;
  return Number.isSafeInteger(number) ? number + 0 : undefined;
}

function numberOf(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^[+-]?inf(inity)?$/i.test(trimmed)) return trimmed.startsWith("-") ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : undefined;
}
