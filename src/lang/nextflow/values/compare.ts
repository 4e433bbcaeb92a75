/** Equality, order and truth. */
import { keyOf } from "./key.ts";
import { GroovyMap, GroovySet } from "./map.ts";
import { compareNumbers, isNumber } from "./number.ts";
import { Range } from "./range.ts";
import { textOf } from "./text.ts";
import { isList, Thing, type Value } from "./thing.ts";
import { fail } from "./throwable.ts";
import { typeName } from "./type-name.ts";

export function truthOf(value: Value): boolean {
  if (typeof value === "boolean") return value;
  if (value === null) return false;
  if (typeof value === "string" || isList(value)) return value.length > 0;
  if (typeof value === "number") return value !== 0;
  if (typeof value === "bigint") return value !== 0n;
  return value.truth();
}

export function equal(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b) === 0;
  if (typeof a === "string" || typeof b === "string" || typeof a === "boolean" || typeof b === "boolean")
    return equalToText(a, b);
  const [left, right] = [listOf(a), listOf(b)];
  if (left !== undefined && right !== undefined)
    return left.length === right.length && left.every((each, index) => equal(each, right[index] ?? null));
  if (a instanceof GroovyMap && b instanceof GroovyMap)
    return (
      a.size === b.size &&
      Array.from(a.entries()).every(([key, value]) => b.has(key) && equal(value, b.at(key) ?? null))
    );
  if (a instanceof GroovySet && b instanceof GroovySet)
    return a.size === b.size && a.items().every((each) => b.has(each));
  if (a instanceof Thing && b instanceof Thing) {
    if (a.type !== b.type) return a.compare(b) === 0;
    const order = a.compare(b);
    return order === undefined ? a.key() === b.key() : order === 0;
  }
  if (a instanceof Thing) return a.compare(b) === 0;
  return b instanceof Thing && b.compare(a) === 0;
}

/** A unit or version equals the text that says the same. */
function equalToText(a: Value, b: Value): boolean {
  if (a instanceof Thing && a.type === "VersionNumber") return a.compare(b) === 0;
  return a instanceof Thing && a.type === "GroupKey" && a.compare(b) === 0;
}

function listOf(value: Value): readonly Value[] | undefined {
  if (isList(value)) return value;
  return value instanceof Range ? value.items() : undefined;
}

export function compare(a: Value, b: Value): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : 1;
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return a ? 1 : -1;
  if (a instanceof Thing) {
    const order = a.compare(b);
    if (order !== undefined) return order;
  }
  if (b instanceof Thing) {
    const order = b.compare(a);
    if (order !== undefined) return -order;
  }
  if (isList(a) && isList(b)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const order = compare(a[i] ?? null, b[i] ?? null);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }
  if (keyOf(a) === keyOf(b)) return 0;
  return fail(
    "IllegalArgumentException",
    `Cannot compare ${typeName(a)} with value '${textOf(a)}' and ${typeName(b)} with value '${textOf(b)}'`,
  );
}
