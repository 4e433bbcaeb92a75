/** Ranges of integers and characters. They are lists that cannot be changed. */
import { keyOf } from "./key.ts";
import { type List, Thing, type Value } from "./thing.ts";

/** Longer ones are refused when their items are asked for. */
const longest = 10_000_000;

export class Range extends Thing {
  readonly type = "IntRange";
  override readonly kinds = ["List", "Range", "Collection", "Iterable", "AbstractList"];
  readonly from: number;
  readonly to: number;
  readonly of: "numbers" | "characters";
  /** `1..<1` holds nothing. */
  readonly empty: boolean;
  /** The end as it is written, where it does not belong to the range. */
  readonly end: number | undefined;

  constructor(
    from: number,
    to: number,
    of: "numbers" | "characters" = "numbers",
    empty = false,
    end: number | undefined = undefined,
  ) {
    super();
    this.end = end;
    this.from = from;
    this.to = to;
    this.of = of;
    this.empty = empty;
  }

  get size(): number {
    return this.empty ? 0 : Math.abs(this.to - this.from) + 1;
  }

  item(index: number): Value {
    const value = this.from <= this.to ? this.from + index : this.from - index;
    return this.of === "numbers" ? value : String.fromCharCode(value);
  }

  items(): List {
    if (this.size > longest) throw new RangeError(`a range of ${this.size} items is too long`);
    return Array.from({ length: this.size }, (_, index) => this.item(index));
  }

  override text(): string {
    const show = (value: number) => (this.of === "numbers" ? value : String.fromCharCode(value));
    return this.end === undefined
      ? `${show(this.from)}..${show(this.to)}`
      : `${show(this.from)}..<${show(this.end)}`;
  }

  override key(): string {
    return String(keyOf(this.items()));
  }

  override truth(): boolean {
    return !this.empty;
  }

  override get(name: string): Value | undefined {
    if (name === "from") return this.item(0);
    if (name === "to") return this.item(this.size - 1);
    return undefined;
  }
}
