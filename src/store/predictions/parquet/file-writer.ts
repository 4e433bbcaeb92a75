/**
 * Sorted rows to a Parquet file: row groups of aligned pages, then bloom filters, page indexes and the footer. The
 * footer, the page indexes' Thrift and Snappy are hyparquet-writer's; pages are laid out here because the look-up needs
 * them to end at the same rows in every column, and because it is several times faster.
 */
import type { ColumnChunk, RowGroup } from "hyparquet";
import { invariant } from "../../../kernel/index.ts";
import type { Cell, PredictionRow, PredictionScope } from "../../../task/index.ts";
import { bloomBytesFor, bloomInsert, createKeyHasher } from "./bloom.ts";
import { type WrittenChunk, writeChunk } from "./column-chunk.ts";
import { FileOutput, loadWriterTools, type WriterTools } from "./file-output.ts";
import { writeTail } from "./file-tail.ts";
import {
  type FileColumn,
  fileColumns,
  groupRows,
  groupValueBytes,
  keyAt,
  pageRows,
  pageTextBytes,
} from "./layout.ts";

/** A row with its key; rows come to the writer ordered by key, then input. */
export interface KeyedRow {
  /** MD5 of the input, in hex. */
  readonly key: string;
  readonly row: PredictionRow;
}

export interface WrittenFile {
  readonly rows: number;
  readonly sizeBytes: number;
  /** For the file's name. */
  readonly tailDigest: string;
}

export interface FileWriter {
  add(row: KeyedRow): void;
  /** `replaces`: names of files whose rows are all in this one (or in others written before it). */
  finish(replaces?: readonly string[]): WrittenFile;
}

interface FileWriterOptions {
  readonly scope: PredictionScope;
  /** Gets the file's bytes in order. */
  readonly sink: (bytes: Uint8Array) => void;
}

export async function createFileWriter(options: FileWriterOptions): Promise<FileWriter> {
  return new ParquetFileWriter(options, await loadWriterTools());
}

class ParquetFileWriter implements FileWriter {
  readonly #scope: PredictionScope;
  readonly #columns: readonly FileColumn[];
  readonly #tools: WriterTools;
  readonly #output: FileOutput;
  readonly #hashKey = createKeyHasher();
  readonly #groups: RowGroup[] = [];
  readonly #blooms: { chunk: ColumnChunk; filter: Uint32Array }[] = [];
  readonly #indexed: WrittenChunk[] = [];
  #rows = 0;
  #waiting: KeyedRow[] = [];
  #waitingBytes = 0;

  constructor({ scope, sink }: FileWriterOptions, tools: WriterTools) {
    this.#scope = scope;
    this.#columns = fileColumns(scope);
    this.#tools = tools;
    this.#output = new FileOutput(sink, tools);
    this.#output.emit(Buffer.from("PAR1"));
  }

  add(row: KeyedRow): void {
    this.#waiting.push(row);
    this.#waitingBytes += this.#scope.columns.length * 8 + row.row.input.length;
    if (this.#waiting.length >= groupRows || this.#waitingBytes >= groupValueBytes) this.#writeGroup();
  }

  finish(replaces: readonly string[] = []): WrittenFile {
    this.#writeGroup();
    const order = {
      scope: this.#scope,
      columns: this.#columns,
      rows: this.#rows,
      groups: this.#groups,
      blooms: this.#blooms,
      indexed: this.#indexed,
      replaces,
    };
    const tailDigest = writeTail(order, this.#output, this.#tools);
    return { rows: this.#rows, sizeBytes: this.#output.offset, tailDigest };
  }

  #writeGroup(): void {
    const rows = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (rows.length === 0) return;
    const start = this.#output.offset;
    const ends = pageEnds(rows);
    const written = this.#columns.map((column, at) =>
      writeChunk(
        {
          column,
          isKey: at === keyAt,
          values: rows.map((each) => cellOf(each, at, this.#scope.columns.length)),
          ends,
        },
        this.#output,
        this.#tools.snappyCompress,
      ),
    );
    this.#indexed.push(...written);
    const chunks = written.map(({ chunk }) => chunk);
    const filter = new Uint32Array(bloomBytesFor(rows.length) / 4);
    for (const { key } of rows) bloomInsert(filter, this.#hashKey(key));
    const keyChunk = chunks[keyAt];
    invariant(keyChunk, "a file without a key column");
    this.#blooms.push({ chunk: keyChunk, filter });
    this.#groups.push({
      columns: chunks,
      total_byte_size: chunks.reduce(
        (sum, chunk) => sum + (chunk.meta_data?.total_uncompressed_size ?? 0n),
        0n,
      ),
      num_rows: BigInt(rows.length),
      sorting_columns: [{ column_idx: keyAt, descending: false, nulls_first: false }],
      file_offset: BigInt(start),
      total_compressed_size: BigInt(this.#output.offset - start),
    });
    this.#rows += rows.length;
  }
}

/** The cell of a row in the file's n-th column. */
function cellOf({ key, row }: KeyedRow, column: number, valueColumns: number): Cell {
  if (column === 0) return key;
  if (column === 1) return row.input;
  if (column < 2 + valueColumns) return row.values[column - 2] ?? null;
  switch (column - 2 - valueColumns) {
    case 0:
      return row.canonical ?? null;
    case 1:
      return row.provenance?.computedAt ?? null;
    case 2:
      return row.provenance?.runner ?? null;
    default:
      return row.provenance?.toolkit ?? null;
  }
}

/** Where pages end, for all columns alike: by rows, or earlier where texts are long. */
function pageEnds(rows: readonly KeyedRow[]): readonly number[] {
  const ends: number[] = [];
  let count = 0;
  let bytes = 0;
  rows.forEach(({ row }, at) => {
    count++;
    bytes += row.input.length + (row.canonical?.length ?? 0);
    for (const value of row.values) if (typeof value === "string") bytes += value.length;
    if (count < pageRows && bytes < pageTextBytes && at < rows.length - 1) return;
    ends.push(at + 1);
    count = 0;
    bytes = 0;
  });
  return ends;
}
