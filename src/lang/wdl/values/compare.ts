/**
 * Equality and order.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#binary-operators-on-primitive-types
 */
import { ValueFailure } from "./failure.ts";
import { render } from "./render.ts";
import { describe, type WdlValue } from "./value.ts";

export function equal(a: WdlValue, b: WdlValue): boolean {
  if (a === b) return a.kind !== "float" || !Number.isNaN(a.value);
  if (a.kind === "none" || b.kind === "none") return a.kind === b.kind;
  if (isNumber(a) && isNumber(b)) return sameNumber(a.value, b.value);
  switch (a.kind) {
    case "array":
      return (
        b.kind === "array" &&
        a.items.length === b.items.length &&
        a.items.every((item, i) => equal(item, b.items[i] as WdlValue))
      );
    case "pair":
      return b.kind === "pair" && equal(a.left, b.left) && equal(a.right, b.right);
    case "map": {
      if (b.kind !== "map") return false;
      if (a.entries.size !== b.entries.size) return false;
      const others = b.entries.values();
      for (const [key, value] of a.entries.values()) {
        const other = others.next().value;
        if (other === undefined || !equal(key, other[0]) || !equal(value, other[1])) return false;
      }
      return true;
    }
    case "struct":
    case "object": {
      if (b.kind !== "struct" && b.kind !== "object") return false;
      if (a.members.size !== b.members.size) return false;
      for (const [name, value] of a.members) {
        const other = b.members.get(name);
        if (other === undefined || !equal(value, other)) return false;
      }
      return true;
    }
    default:
      return isPrimitive(b) && render(a) === render(b);
  }
}

/** Negative, zero or positive. Fails for values that have no order. */
export function compare(a: WdlValue, b: WdlValue): number {
  if (isNumber(a) && isNumber(b))
    return a.value < b.value ? -1 : a.value > b.value ? 1 : sameNumber(a.value, b.value) ? 0 : Number.NaN;
  if (a.kind === "boolean" && b.kind === "boolean") return Number(a.value) - Number(b.value);
  if (isPrimitive(a) && isPrimitive(b)) {
    const left = render(a);
    const right = render(b);
    return left < right ? -1 : left > right ? 1 : 0;
  }
  throw new ValueFailure(`cannot order ${describe(a)} and ${describe(b)}`);
}

function sameNumber(a: bigint | number, b: bigint | number): boolean {
  // Int against Float compares as mathematical numbers.
  // biome-ignore lint/suspicious/noDoubleEquals: bigint and number are only loosely equal
  return a == b;
}

function isNumber(value: WdlValue): value is Extract<WdlValue, { kind: "int" | "float" }> {
  return value.kind === "int" || value.kind === "float";
}

export function isPrimitive(value: WdlValue): boolean {
  switch (value.kind) {
    case "boolean":
    case "int":
    case "float":
    case "string":
    case "file":
    case "directory":
    case "enum":
      return true;
    default:
      return false;
  }
}
