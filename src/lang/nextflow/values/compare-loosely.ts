/** The order of `sort()` and its like, which every two values have. */
import { compare, equal } from "./compare.ts";
import { hashOf } from "./hash.ts";
import { keyOf } from "./key.ts";
import { GroovyMap, MapEntry } from "./map.ts";
import { isList, Thing, type Value } from "./thing.ts";
import { ScriptFailure } from "./throwable.ts";

/** Groovy orders what cannot be compared by its hash. */
export function compareLoosely(a: Value, b: Value): number {
  if (a instanceof MapEntry && b instanceof MapEntry) return compareLoosely(a.entryKey, b.entryKey);
  // Lists and maps have no natural order. With files in them their hash is another one in each run.
  if (isGroup(a) && isGroup(b)) return holdsPath(a) || holdsPath(b) ? inOrder(a, b) : byHash(a, b);
  try {
    return compare(a, b);
  } catch (error) {
    if (!(error instanceof ScriptFailure)) throw error;
    return byHash(a, b);
  }
}

function byHash(a: Value, b: Value): number {
  const [first, second] = [hashOf(a), hashOf(b)];
  if (first === second && equal(a, b)) return 0;
  return first < second ? -1 : 1;
}

function inOrder(a: Value, b: Value): number {
  if (isList(a) && isList(b)) {
    for (const [index, each] of a.entries()) {
      if (index >= b.length) return 1;
      const order = compareLoosely(each, b[index] ?? null);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }
  const [first, second] = [String(keyOf(a)), String(keyOf(b))];
  return first < second ? -1 : first > second ? 1 : 0;
}

function isGroup(value: Value): boolean {
  return isList(value) || value instanceof GroovyMap;
}

function holdsPath(value: Value): boolean {
  if (isList(value)) return value.some(holdsPath);
  if (value instanceof GroovyMap) return value.values().some(holdsPath);
  return value instanceof Thing && value.type === "Path";
}
