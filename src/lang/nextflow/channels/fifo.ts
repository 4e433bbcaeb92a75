/** What waits in the order of its arrival. An array's `shift()` moves all that is behind, which a million items notice. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #at = 0;

  get size(): number {
    return this.#items.length - this.#at;
  }

  get first(): T | undefined {
    return this.#items[this.#at];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** undefined: nothing waits. */
  shift(): T | undefined {
    const item = this.#items[this.#at];
    if (this.size === 0) return undefined;
    this.#items[this.#at++] = undefined;
    if (this.#at > 32 && this.#at * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#at);
      this.#at = 0;
    }
    return item;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.slice(this.#at).values() as IterableIterator<T>;
  }
}
