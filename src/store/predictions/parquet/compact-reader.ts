/**
 * Reads Thrift's compact protocol in place: the general reader makes an object per struct and a BigInt per number, and
 * a look-up among ten million rows meets hundreds of thousands of them. Whatever does not fit its bytes throws.
 */

/** Type numbers of the compact protocol. */
export const compact = {
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

export class CompactReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#at;
  }

  /** `onField` reads the field's value or skips it. */
  struct(onField: (field: number, type: number) => void): void {
    let field = 0;
    for (;;) {
      const head = this.byte();
      const type = head & 15;
      if (type === 0) return;
      field = head >> 4 === 0 ? this.number() : field + (head >> 4);
      onField(field, type);
    }
  }

  /** A signed number (i16, i32, i64) up to 2^53. */
  number(): number {
    const raw = this.#varint();
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  }

  listSize(elementType: number): number {
    const head = this.byte();
    const size = head >> 4 === 15 ? this.#varint() : head >> 4;
    // Some writers give an empty list no type.
    if (size > 0 && (head & 15) !== elementType)
      throw new Error(`a list of type ${head & 15}, expected ${elementType}`);
    // Each element takes a byte at least: a larger count is damage and must not allocate.
    if (size > this.#bytes.length - this.#at) throw new Error("a list longer than its bytes");
    return size;
  }

  text(encoding: "latin1" | "utf8" = "utf8"): string {
    const start = this.#skipText();
    const { buffer, byteOffset } = this.#bytes;
    return Buffer.from(buffer, byteOffset + start, this.#at - start).toString(encoding);
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
        this.#skipText();
        return;
      case compact.list:
      case compact.set: {
        const head = this.byte();
        const size = head >> 4 === 15 ? this.#varint() : head >> 4;
        const element = head & 15;
        // Inside lists a boolean takes its own byte.
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

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error("the bytes end early");
    return byte;
  }

  /** Answers where the text starts; it ends at the new offset. */
  #skipText(): number {
    const length = this.#varint();
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new Error("a text longer than its bytes");
    this.#at = start + length;
    return start;
  }

  #varint(): number {
    let result = 0;
    // Up to 28 bits in whole numbers, which is nearly always; what is longer continues in floating point.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      result |= (byte & 127) << shift;
      if (byte < 128) return result;
    }
    for (let factor = 2 ** 28; factor <= 2 ** 56; factor *= 128) {
      const byte = this.byte();
      result += (byte & 127) * factor;
      if (byte < 128) return result;
    }
    throw new Error("a number that is too long");
  }
}
