/** Rows of an input, one bit each. */
import { open, readFile, rename } from "node:fs/promises";
import { sha256 } from "../../hash/index.ts";

export class RowSet {
  #bits: Uint8Array;
  #size = 0;

  constructor(bits: Uint8Array = new Uint8Array(1024)) {
    this.#bits = bits;
    for (const byte of bits) this.#size += countOf(byte);
  }

  static async read(path: string): Promise<RowSet> {
    return new RowSet(new Uint8Array(await readFile(path)));
  }

  get size(): number {
    return this.#size;
  }

  get digest(): string {
    return sha256(this.#bits);
  }

  add(row: number): void {
    const at = row >> 3;
    if (at >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(at + 1, 2 * this.#bits.length));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    if (this.has(row)) return;
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (row & 7));
    this.#size++;
  }

  has(row: number): boolean {
    return ((this.#bits[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
  }

  async write(path: string): Promise<void> {
    const file = await open(`${path}.new`, "w");
    try {
      await file.writeFile(this.#bits);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  }
}

function countOf(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest >>= 1) count += rest & 1;
  return count;
}
