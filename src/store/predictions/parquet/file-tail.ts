/** The end of a Parquet file: bloom filters, page indexes and the footer. */
import { createHash, randomUUID } from "node:crypto";
import type { ColumnChunk, FileMetaData, RowGroup, SchemaElement } from "hyparquet";
import type { PredictionScope } from "../../../task/index.ts";
import { columnsDigest } from "../scope.ts";
import type { WrittenChunk } from "./column-chunk.ts";
import type { FileOutput, WriterTools } from "./file-output.ts";
import { type FileColumn, formatVersion, meta } from "./layout.ts";

export interface TailOrder {
  readonly scope: PredictionScope;
  readonly columns: readonly FileColumn[];
  readonly rows: number;
  readonly groups: readonly RowGroup[];
  readonly blooms: readonly { readonly chunk: ColumnChunk; readonly filter: Uint32Array }[];
  readonly indexed: readonly WrittenChunk[];
  /** See `FileWriter.finish`. */
  readonly replaces: readonly string[];
}

/** Writes what stands behind the row groups. Answers a digest of it. */
export function writeTail(order: TailOrder, output: FileOutput, tools: WriterTools): string {
  const { blooms, indexed } = order;
  const { ByteWriter, writeBloomFilter, writeMetadata, struct } = tools;
  const digest = createHash("sha256");
  for (const { chunk, filter } of blooms) {
    const writer = new ByteWriter(filter.byteLength + 64);
    writeBloomFilter(writer, filter);
    if (chunk.meta_data !== undefined) {
      chunk.meta_data.bloom_filter_offset = BigInt(output.offset);
      chunk.meta_data.bloom_filter_length = writer.offset;
    }
    output.emit(writer.getBytes());
  }
  const tailOffset = output.offset;
  const covered = (bytes: Uint8Array) => {
    digest.update(bytes);
    output.emit(bytes);
  };
  for (const { chunk, pages, keys } of indexed) {
    if (keys === undefined) continue;
    const last = (page: number) => (pages[page + 1]?.firstRow ?? keys.length) - 1;
    const bytes = struct(4_096, {
      field_1: pages.map(() => false),
      field_2: pages.map((page) => lowerBound(keys[page.firstRow] ?? "")),
      field_3: pages.map((_, page) => upperBound(keys[last(page)] ?? "")),
      field_4: 1, // ascending
      field_5: pages.map(() => 0n),
    });
    chunk.column_index_offset = BigInt(output.offset);
    chunk.column_index_length = bytes.byteLength;
    covered(bytes);
  }
  for (const { chunk, pages } of indexed) {
    const bytes = struct(4_096, {
      field_1: pages.map((page) => ({
        field_1: BigInt(page.offset),
        field_2: page.size,
        field_3: BigInt(page.firstRow),
      })),
    });
    chunk.offset_index_offset = BigInt(output.offset);
    chunk.offset_index_length = bytes.byteLength;
    covered(bytes);
  }
  const footer = new ByteWriter(1 << 16);
  writeMetadata(footer, footerOf(order, tailOffset), Number.POSITIVE_INFINITY);
  footer.appendUint32(0x31524150);
  covered(footer.getBytes());
  return digest.digest("hex").slice(0, 16);
}

function footerOf({ scope, columns, groups, rows, replaces }: TailOrder, tailOffset: number): FileMetaData {
  const pairs: readonly [string, string][] = [
    [meta.format, formatVersion],
    [meta.columns, columnsDigest(scope.columns)],
    [meta.tailOffset, String(tailOffset)],
    [meta.unique, randomUUID()],
    [meta.replaces, JSON.stringify(replaces)],
  ];
  const metadata: Omit<FileMetaData, "metadata_length"> = {
    version: 2,
    created_by: "memoir",
    schema: schemaOf(columns),
    num_rows: BigInt(rows),
    row_groups: [...groups],
    key_value_metadata: pairs.map(([key, value]) => ({ key, value })),
  };
  // The writer never writes `metadata_length`; only its type, shared with the reader, asks for it.
  return metadata as FileMetaData;
}

function schemaOf(columns: readonly FileColumn[]): SchemaElement[] {
  return [
    { name: "schema", num_children: columns.length },
    ...columns.map(({ name, form, required }): SchemaElement => {
      const repetition_type = required ? "REQUIRED" : "OPTIONAL";
      if (form === "float") return { name, type: "DOUBLE", repetition_type };
      if (form === "integer") return { name, type: "INT64", repetition_type };
      return {
        name,
        type: "BYTE_ARRAY",
        repetition_type,
        converted_type: "UTF8",
        logical_type: { type: "STRING" },
      };
    }),
  ];
}

/** Half a key distinguishes pages; a shortened lower bound is still one. */
const boundLength = 16;
function lowerBound(key: string): Uint8Array {
  return Buffer.from(key.slice(0, boundLength), "latin1");
}

/** A shortened upper bound must be raised: the last character by one (`f` becomes `g`). */
function upperBound(key: string): Uint8Array {
  const bytes = Buffer.from(key.slice(0, boundLength), "latin1");
  if (key.length > boundLength) bytes[boundLength - 1] = (bytes[boundLength - 1] ?? 0) + 1;
  return bytes;
}
