/**
 * Reads Parquet's page indexes (Thrift compact protocol) straight into arrays. The general reader makes an object and
 * several BigInts per page; a store of ten million rows has some 300,000 pages.
 */

/** Where the pages of one column chunk lie. */
export interface PageOffsets {
  readonly offsets: Float64Array;
  readonly sizes: Int32Array;
  /** First row of each page within its row group. */
  readonly firstRows: Int32Array;
}

export function readOffsetIndex(bytes: Uint8Array): PageOffsets {
  const reader = new CompactReader(bytes);
  let pages: PageOffsets | undefined;
  reader.struct((field, type) => {
    if (field !== 1 || type !== compact.list) return reader.skip(type);
    const count = reader.listSize(compact.struct);
    const offsets = new Float64Array(count);
    const sizes = new Int32Array(count);
    const firstRows = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      reader.struct((member, memberType) => {
        if (member === 1) offsets[i] = reader.zigzag();
        else if (member === 2) sizes[i] = reader.zigzag();
        else if (member === 3) firstRows[i] = reader.zigzag();
        else reader.skip(memberType);
      });
    }
    pages = { offsets, sizes, firstRows };
  });
  if (pages === undefined) throw new Error("an offset index without page locations");
  return pages;
}

/** The smallest and largest value of each page, as ASCII text (keys are hex). */
export interface PageBounds {
  readonly min: readonly string[];
  readonly max: readonly string[];
}

export function readColumnIndex(bytes: Uint8Array): PageBounds {
  const reader = new CompactReader(bytes);
  let min: string[] | undefined;
  let max: string[] | undefined;
  reader.struct((field, type) => {
    if ((field !== 2 && field !== 3) || type !== compact.list) return reader.skip(type);
    const count = reader.listSize(compact.binary);
    const texts = Array.from({ length: count }, () => reader.text());
    if (field === 2) min = texts;
    else max = texts;
  });
  if (min === undefined || max === undefined || min.length !== max.length)
    throw new Error("a column index without bounds");
  return { min, max };
}

/** Type numbers of the compact protocol. */
const compact = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const;

class CompactReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  struct(onField: (field: number, type: number) => void): void {
    let field = 0;
    for (;;) {
      const head = this.#byte();
      const type = head & 15;
      if (type === 0) return;
      field = head >> 4 === 0 ? this.zigzag() : field + (head >> 4);
      onField(field, type);
    }
  }

  /** Numbers up to 2^53. */
  zigzag(): number {
    const raw = this.#varint();
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  }

  listSize(elementType: number): number {
    const head = this.#byte();
    if ((head & 15) !== elementType) throw new Error(`a list of type ${head & 15}, expected ${elementType}`);
    const size = head >> 4 === 15 ? this.#varint() : head >> 4;
    // Each element takes a byte at least: a larger count is damage and must not allocate.
    if (size > this.#bytes.length - this.#at) throw new Error("a list longer than its bytes");
    return size;
  }

  text(): string {
    const length = this.#varint();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error("a text longer than its bytes");
    const text = this.#bytes.toString("latin1", this.#at, end);
    this.#at = end;
    return text;
  }

  skip(type: number): void {
    switch (type) {
      case compact.true:
      case compact.false:
        return;
      case compact.byte:
        this.#at += 1;
        return;
      case compact.i16:
      case compact.i32:
      case compact.i64:
        this.#varint();
        return;
      case compact.double:
        this.#at += 8;
        return;
      case compact.binary:
        this.#at += this.#varint();
        return;
      case compact.list:
      case compact.set: {
        const head = this.#byte();
        const size = head >> 4 === 15 ? this.#varint() : head >> 4;
        const element = head & 15;
        // Inside lists a boolean takes a byte of its own.
        for (let i = 0; i < size; i++) this.skip(element <= compact.false ? compact.byte : element);
        return;
      }
      case compact.struct:
        this.struct((_, inner) => this.skip(inner));
        return;
      default:
        throw new Error(`unknown type ${type}`);
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error("the bytes end early");
    return byte;
  }

  #varint(): number {
    let result = 0;
    let factor = 1;
    for (;;) {
      const byte = this.#byte();
      result += (byte & 127) * factor;
      if (byte < 128) return result;
      factor *= 128;
      if (factor > 2 ** 56) throw new Error("a number that is too long");
    }
  }
}
