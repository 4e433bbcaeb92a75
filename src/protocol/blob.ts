/**
 * Base64 text of a request, decoded piece by piece: a definition has up to 100 MiB, and other requests get their turn
 * between two pieces.
 */
const pieceCharacters = 1024 * 1024;
const escapes = /\\/;
const alphabet = /^[A-Za-z0-9+/]*$/;
const longestEscape = 6;

export class Blob64 {
  readonly #text: Uint8Array;

  /** `text`: between its quotes, as it was sent. */
  constructor(text: Uint8Array) {
    this.#text = text;
  }

  /** As many bytes as it can be: no fewer than it is. */
  get mostBytes(): number {
    const { length } = this.#text;
    const padding = this.#text[length - 1] !== 0x3d ? 0 : this.#text[length - 2] !== 0x3d ? 1 : 2;
    return Math.ceil(length / 4) * 3 - padding;
  }

  /** Throws what `refuse` makes when it is not base64. */
  async *pieces(refuse: () => Error): AsyncGenerator<Uint8Array> {
    const text = Buffer.from(this.#text.buffer, this.#text.byteOffset, this.#text.length);
    let rest = "";
    for (let start = 0; start < text.length; ) {
      const end = endOfPiece(text, start, refuse);
      rest += unescaped(text.toString("latin1", start, end), refuse);
      start = end;
      const last = start === text.length;
      const whole = last ? rest.length : rest.length - (rest.length % 4);
      const piece = rest.slice(0, whole);
      rest = rest.slice(whole);
      if (!alphabet.test(last ? piece.replace(/={1,2}$/, "") : piece) || (last && piece.length % 4 !== 0))
        throw refuse();
      yield Buffer.from(piece, "base64");
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Never in the middle of an escape. */
function endOfPiece(text: Buffer, start: number, refuse: () => Error): number {
  const end = start + pieceCharacters;
  if (end >= text.length) return text.length;
  const backslash = text.subarray(end - longestEscape, end).lastIndexOf(0x5c);
  if (backslash < 0) return end;
  const cut = end - longestEscape + backslash;
  // An escaped backslash is not base64.
  if (text[cut - 1] === 0x5c) throw refuse();
  return cut;
}

/** Some writers of JSON escape `/` and `+`. */
function unescaped(text: string, refuse: () => Error): string {
  if (!escapes.test(text)) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    throw refuse();
  }
}
