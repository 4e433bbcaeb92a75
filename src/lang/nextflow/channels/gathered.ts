/**
 * Items that are kept with their ranks until all are there. Ranks are kept as numbers one after the other: millions of
 * small arrays would be most of what the collector of garbage has to look at.
 */
import { noRank, type Rank } from "./rank.ts";

export class Gathered<T> {
  readonly #items: T[] = [];
  readonly #ranks: number[] = [];
  /** Where each rank ends, once they are not all of one length. */
  #ends: number[] | undefined;
  #length = 0;
  #ordered = true;

  get size(): number {
    return this.#items.length;
  }

  push(item: T, rank: Rank): void {
    const index = this.#items.length;
    if (index === 0) this.#length = rank.length;
    else if (rank.length !== this.#length) this.#ends ??= this.#items.map((_, at) => (at + 1) * this.#length);
    this.#items.push(item);
    for (const each of rank) this.#ranks.push(each);
    this.#ends?.push(this.#ranks.length);
    if (index > 0 && this.#ordered) this.#ordered = this.#compare(index - 1, index) <= 0;
  }

  /** By rank; those of one rank as they came. */
  inOrder(): readonly T[] {
    if (this.#ordered) return this.#items;
    const indexes = this.#items.map((_, index) => index).sort((a, b) => this.#compare(a, b));
    return indexes.map((index) => this.#items[index] as T);
  }

  /** The least of the ranks. */
  rank(): Rank {
    if (this.size === 0) return noRank;
    let least = 0;
    if (!this.#ordered)
      for (let index = 1; index < this.size; index++) if (this.#compare(index, least) < 0) least = index;
    return this.#ranks.slice(this.#start(least), this.#end(least));
  }

  #start(index: number): number {
    return index === 0 ? 0 : this.#end(index - 1);
  }

  #end(index: number): number {
    return this.#ends?.[index] ?? (index + 1) * this.#length;
  }

  #compare(a: number, b: number): number {
    const [startA, startB] = [this.#start(a), this.#start(b)];
    const [lengthA, lengthB] = [this.#end(a) - startA, this.#end(b) - startB];
    for (let i = 0; i < lengthA && i < lengthB; i++) {
      const order = (this.#ranks[startA + i] ?? 0) - (this.#ranks[startB + i] ?? 0);
      if (order !== 0) return order;
    }
    return lengthA - lengthB;
  }
}
