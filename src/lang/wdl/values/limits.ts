/** How large values may become. An expression that doubles a value forty times is a mistake, and not a reason to stop. */
import type { ValueLimits } from "../../core/index.ts";
import { ValueFailure } from "./failure.ts";
import type { WdlValue } from "./value.ts";

export const usualLimits: ValueLimits = {
  items: 10_000_000,
  itemsInAll: 200_000_000,
  characters: 2 ** 28,
  readBytes: 256 * 1024 * 1024,
  runItems: 200_000_000,
};

/** The limits, and how large the values are that were seen. */
export class ValueBounds {
  readonly limits: ValueLimits;
  #held = 0;
  /** Of values that hold others: an item may be held many times. */
  readonly #known = new WeakMap<WdlValue, number>();

  constructor(limits: ValueLimits = usualLimits) {
    this.limits = limits;
  }

  /** The value itself. @throws ValueFailure when it is too large */
  bounded(value: WdlValue): WdlValue {
    const { characters } = this.limits;
    if (value.kind === "string" && value.value.length > characters)
      throw new ValueFailure(
        `this makes a text of ${value.value.length} characters, the limit is ${characters}`,
      );
    if (value.kind === "array") this.checkItems(value.items.length);
    this.checkItemsInAll(this.itemsIn(value));
    return value;
  }

  /** @throws ValueFailure */
  checkItemsInAll(count: number): void {
    const { itemsInAll } = this.limits;
    if (count > itemsInAll)
      throw new ValueFailure(`this makes a value of ${count} items in all, the limit is ${itemsInAll}`);
  }

  /** @throws ValueFailure */
  checkItems(count: number): void {
    const { items } = this.limits;
    if (count > items) throw new ValueFailure(`this makes an array of ${count} items, the limit is ${items}`);
  }

  /** @throws ValueFailure when a file is too large to be read */
  checkReading(shown: string, bytes: number): void {
    const { readBytes } = this.limits;
    if (bytes > readBytes)
      throw new ValueFailure(`cannot read ${shown}: it has ${bytes} bytes, the limit is ${readBytes}`);
  }

  /** What expressions hold until they have their value: scattered ones wait for each other. @throws ValueFailure */
  hold(items: number): void {
    this.#held += items;
    const { runItems } = this.limits;
    if (this.#held > runItems)
      throw new ValueFailure(`with this the run holds more than ${runItems} items, which is the limit`);
  }

  letGo(items: number): void {
    this.#held -= items;
  }

  /** Of the value and everything in it, at any depth; each as often as it is there. */
  itemsIn(value: WdlValue): number {
    switch (value.kind) {
      case "array":
        return this.#sumOf(value, value.items);
      case "pair":
        return this.#sumOf(value, [value.left, value.right]);
      case "map":
        return this.#sumOf(value, mapItems(value.entries));
      case "struct":
      case "object":
        return this.#sumOf(value, value.members.values());
      default:
        return 0;
    }
  }

  #sumOf(value: WdlValue, inner: Iterable<WdlValue>): number {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    let sum = 0;
    for (const each of inner) sum += 1 + this.itemsIn(each);
    this.#known.set(value, sum);
    return sum;
  }
}

function* mapItems(entries: ReadonlyMap<string, readonly [WdlValue, WdlValue]>): Iterable<WdlValue> {
  for (const [key, value] of entries.values()) {
    yield key;
    yield value;
  }
}

/** What the engine of JavaScript says of values that it cannot hold, as a failure of the expression; else the error. */
export function asTooLarge(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  if (/Invalid (string|array) length/.test(error.message))
    return new ValueFailure("this makes a value that is too large to be held in memory");
  if (/call stack/.test(error.message)) return new ValueFailure("this is nested too deeply");
  return error;
}
