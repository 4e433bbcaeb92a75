/** The bytes of a Parquet file in order, and what of hyparquet-writer makes them. */
import { crc32 } from "node:zlib";

/** What the thrift writer takes for a struct. */
type Fields = Parameters<typeof import("hyparquet-writer/src/thrift.js").serializeTCompactProtocol>[1];

export interface PlacedPage {
  readonly offset: number;
  readonly size: number;
  readonly plainSize: number;
}

export type PageKind =
  | { readonly dictionary: true; readonly values: number }
  | { readonly dictionary: false; readonly values: number; readonly encoding: 0 | 8 };

export type WriterTools = Awaited<ReturnType<typeof loadWriterTools>>;

export async function loadWriterTools() {
  const [
    { ByteWriter },
    { writeMetadata },
    { serializeTCompactProtocol },
    { snappyCompress },
    { writeBloomFilter },
  ] = await Promise.all([
    import("hyparquet-writer"),
    import("hyparquet-writer/src/metadata.js"),
    import("hyparquet-writer/src/thrift.js"),
    import("hyparquet-writer/src/snappy.js"),
    import("hyparquet-writer/src/bloom.js"),
  ]);
  const struct = (bytes: number, fields: Fields): Uint8Array => {
    const writer = new ByteWriter(bytes);
    serializeTCompactProtocol(writer, fields);
    return writer.getBytes();
  };
  return { ByteWriter, writeMetadata, writeBloomFilter, snappyCompress, struct };
}

export class FileOutput {
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #tools: Pick<WriterTools, "snappyCompress" | "struct">;
  /** Bytes so far. */
  offset = 0;

  constructor(sink: (bytes: Uint8Array) => void, tools: Pick<WriterTools, "snappyCompress" | "struct">) {
    this.#sink = sink;
    this.#tools = tools;
  }

  emit(bytes: Uint8Array): void {
    this.offset += bytes.byteLength;
    this.#sink(bytes);
  }

  /** Writes one page and says where it lies. */
  page(body: Uint8Array, compress: boolean, kind: PageKind): PlacedPage {
    const packed = compress ? this.#tools.snappyCompress(body) : body;
    const head = this.#tools.struct(64, {
      field_1: kind.dictionary ? 2 : 0,
      field_2: body.byteLength,
      field_3: packed.byteLength,
      field_4: crc32(packed) | 0,
      ...(kind.dictionary
        ? { field_7: { field_1: kind.values, field_2: 0 } }
        : { field_5: { field_1: kind.values, field_2: kind.encoding, field_3: 3, field_4: 3 } }),
    });
    const start = this.offset;
    this.emit(head);
    this.emit(packed);
    return { offset: start, size: this.offset - start, plainSize: head.byteLength + body.byteLength };
  }
}
