/** An iterator of Java over items that do not change. */
import { type List, Unique, type Value } from "./thing.ts";
import { fail } from "./throwable.ts";

export class Iteration extends Unique {
  readonly type = "Iterator";
  override readonly kinds = ["ListIterator"];
  readonly #items: List;
  #at = 0;

  constructor(items: List) {
    super();
    this.#items = [...items];
  }

  /** What was not visited yet. */
  rest(): List {
    const rest = this.#items.slice(this.#at);
    this.#at = this.#items.length;
    return rest;
  }

  override invoke(name: string): Value | undefined {
    switch (name) {
      case "hasNext":
        return this.#at < this.#items.length;
      case "next":
        if (this.#at >= this.#items.length) return fail("NoSuchElementException", "there is no next item");
        return this.#items[this.#at++] ?? null;
      case "iterator":
        return this;
      default:
        return undefined;
    }
  }
}
