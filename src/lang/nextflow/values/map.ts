/** Maps and sets, in the order in which keys came; keys are equal by value. */
import { keyOf } from "./key.ts";
import { isList, type List, Thing, type Value } from "./thing.ts";

export class GroovyMap extends Thing {
  readonly type: string;
  override readonly kinds = ["Map", "HashMap", "AbstractMap"];
  readonly #entries = new Map<unknown, [Value, Value]>();
  /** Called for a key that is missing, with what is then kept: `withDefault`. */
  #initial: ((key: Value) => Value) | undefined;

  constructor(entries: Iterable<readonly [Value, Value]> = [], type = "LinkedHashMap") {
    super();
    this.type = type;
    for (const [key, value] of entries) this.put(key, value);
  }

  static of(members: Readonly<Record<string, Value>>): GroovyMap {
    return new GroovyMap(Object.entries(members));
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whether what is missing is made when it is asked for. */
  get hasDefault(): boolean {
    return this.#initial !== undefined;
  }

  at(key: Value): Value | undefined {
    const found = this.#entries.get(keyOf(key));
    if (found !== undefined) return found[1];
    if (this.#initial === undefined) return undefined;
    const value = this.#initial(key);
    this.put(key, value);
    return value;
  }

  has(key: Value): boolean {
    return this.#entries.has(keyOf(key));
  }

  put(key: Value, value: Value): void {
    const inner = keyOf(key);
    const found = this.#entries.get(inner);
    if (found === undefined) this.#entries.set(inner, [key, value]);
    else found[1] = value;
  }

  remove(key: Value): Value | undefined {
    const inner = keyOf(key);
    const found = this.#entries.get(inner);
    this.#entries.delete(inner);
    return found?.[1];
  }

  clear(): void {
    this.#entries.clear();
  }

  entries(): IterableIterator<[Value, Value]> {
    return this.#entries.values();
  }

  keys(): List {
    return Array.from(this.#entries.values(), ([key]) => key);
  }

  values(): List {
    return Array.from(this.#entries.values(), ([, value]) => value);
  }

  setDefault(initial: (key: Value) => Value): void {
    this.#initial = initial;
  }

  override text(): string {
    return this.key();
  }

  /** Order does not matter. */
  override key(): string {
    const members = Array.from(
      this.#entries.entries(),
      ([inner, [, value]]) => `${String(inner)}\u0001${String(keyOf(value))}`,
    );
    return `\u0000{${members.sort().join("\u0002")}}`;
  }

  override truth(): boolean {
    return this.#entries.size > 0;
  }
}

/** One entry, as closures over maps get it. */
export class MapEntry extends Thing {
  readonly type = "Entry";
  override readonly kinds = ["Map.Entry"];
  readonly entryKey: Value;
  readonly value: Value;

  constructor(key: Value, value: Value) {
    super();
    this.entryKey = key;
    this.value = value;
  }

  override text(): string {
    return this.key();
  }

  override key(): string {
    return `\u0000entry:${String(keyOf(this.entryKey))}\u0001${String(keyOf(this.value))}`;
  }

  override get(name: string): Value | undefined {
    return name === "key" ? this.entryKey : name === "value" ? this.value : undefined;
  }

  override invoke(name: string): Value | undefined {
    return name === "getKey" ? this.entryKey : name === "getValue" ? this.value : undefined;
  }
}

export interface SetKind {
  readonly type: "LinkedHashSet" | "HashSet" | "TreeSet";
  /** Default: the order in which the items came. */
  readonly order?: (items: List) => List;
}

export class GroovySet extends Thing {
  readonly type: string;
  readonly #kind: SetKind;
  override readonly kinds = ["Set", "HashSet", "AbstractSet", "Collection", "Iterable"];
  readonly #items = new Map<unknown, Value>();

  constructor(items: Iterable<Value> = [], kind: SetKind = { type: "LinkedHashSet" }) {
    super();
    this.#kind = kind;
    this.type = kind.type;
    for (const item of items) this.add(item);
  }

  get size(): number {
    return this.#items.size;
  }

  has(value: Value): boolean {
    return this.#items.has(keyOf(value));
  }

  /** Whether it is new. */
  add(value: Value): boolean {
    const key = keyOf(value);
    if (this.#items.has(key)) return false;
    this.#items.set(key, value);
    return true;
  }

  remove(value: Value): boolean {
    return this.#items.delete(keyOf(value));
  }

  items(): List {
    const items = [...this.#items.values()];
    return this.#kind.order?.(items) ?? items;
  }

  unordered(): Iterable<Value> {
    return this.#items.values();
  }

  /** A set of the same kind. */
  like(items: Iterable<Value>): GroovySet {
    return new GroovySet(items, this.#kind);
  }

  clear(): void {
    this.#items.clear();
  }

  override text(): string {
    return this.key();
  }

  override key(): string {
    return `\u0000set:${[...this.#items.keys()].map(String).sort().join("\u0002")}`;
  }

  override truth(): boolean {
    return this.#items.size > 0;
  }
}

/** A list of pairs or entries as the entries of a map. */
export function pairOf(value: Value): readonly [Value, Value] | undefined {
  if (value instanceof MapEntry) return [value.entryKey, value.value];
  if (isList(value) && value.length === 2) return [value[0] ?? null, value[1] ?? null];
  return undefined;
}
