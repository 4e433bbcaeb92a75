/** `8.GB`: amounts of memory, in powers of 1024. */

import { isNumber, toNumber } from "./number.ts";
import { Thing, type Value } from "./thing.ts";
import { illegal } from "./throwable.ts";

const units = ["B", "KB", "MB", "GB", "TB", "PB", "EB", "ZB"];

export class MemoryUnit extends Thing {
  readonly type = "MemoryUnit";
  readonly bytes: number;

  constructor(bytes: number) {
    super();
    if (!Number.isFinite(bytes) || bytes < 0) illegal("Memory unit cannot be a negative number");
    this.bytes = Math.trunc(bytes);
  }

  static parse(text: string): MemoryUnit | undefined {
    const found = /^\s*(\d+(?:\.\d+)?)\s*([KMGTPEZ]?B?)\s*$/i.exec(text);
    const dotted = /^\s*(\d+)\.([KMGTPEZ]?B)\s*$/i.exec(text);
    const [, amount, unit] = dotted ?? found ?? [];
    if (amount === undefined || unit === undefined) return undefined;
    const wide = unit === "" ? "B" : unit.length === 1 && unit.toUpperCase() !== "B" ? `${unit}B` : unit;
    return new MemoryUnit(Math.round(Number(amount) * 1024 ** units.indexOf(wide.toUpperCase())));
  }

  static of(value: Value): MemoryUnit {
    if (value instanceof MemoryUnit) return value;
    if (isNumber(value)) return new MemoryUnit(toNumber(value));
    const found = typeof value === "string" ? MemoryUnit.parse(value) : undefined;
    return found ?? illegal(`Not a valid FileSize value: '${String(value)}'`);
  }

  override text(): string {
    if (this.bytes === 0) return "0";
    const level = Math.min(units.length - 1, Math.floor(Math.log2(this.bytes) / 10));
    const amount = this.bytes / 1024 ** level;
    return `${halfEven(amount * 10) / 10} ${units[level] ?? "B"}`;
  }

  override key(): string {
    return `\u0000memory:${this.bytes}`;
  }

  override truth(): boolean {
    return this.bytes > 0;
  }

  override compare(other: Value): number | undefined {
    if (other === null || (typeof other === "object" && !(other instanceof MemoryUnit) && !isNumber(other)))
      return undefined;
    const right = MemoryUnit.of(other).bytes;
    return this.bytes < right ? -1 : this.bytes > right ? 1 : 0;
  }

  override get(name: string): Value | undefined {
    const level = levels[name];
    return level === undefined ? undefined : wholeOf(this.bytes / 1024 ** level);
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "toUnit") {
      const level = units.indexOf(String(given[0]).toUpperCase());
      if (level < 0) illegal(`Not a valid memory unit: ${String(given[0])}`);
      return wholeOf(this.bytes / 1024 ** level);
    }
    const [other = null] = given;
    if (name === "plus") return new MemoryUnit(this.bytes + MemoryUnit.of(other).bytes);
    if (name === "minus") return new MemoryUnit(this.bytes - MemoryUnit.of(other).bytes);
    if (name === "multiply" && isNumber(other))
      return new MemoryUnit(Math.trunc(this.bytes * toNumber(other)));
    if (name === "div" && isNumber(other)) return new MemoryUnit(Math.round(this.bytes / toNumber(other)));
    const getter = /^(?:to|get)([A-Z].*)$/.exec(name)?.[1]?.toLowerCase();
    return getter === undefined ? undefined : this.get(getter);
  }
}

/** As Java's format of decimals rounds. */
function halfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

const levels: Readonly<Record<string, number>> = {
  bytes: 0,
  kilo: 1,
  mega: 2,
  giga: 3,
  tera: 4,
  peta: 5,
  exa: 6,
  zetta: 7,
};

function wholeOf(amount: number): bigint {
  return BigInt(Math.floor(amount));
}
