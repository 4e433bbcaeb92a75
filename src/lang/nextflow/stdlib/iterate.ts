/** How closures are called for the items of lists and the entries of maps. */

import { itemsOf } from "../eval/cast.ts";
import type { Closure } from "../values/closure.ts";
import { truthOf } from "../values/compare.ts";
import { compareLoosely } from "../values/compare-loosely.ts";
import { GroovyMap, MapEntry } from "../values/map.ts";
import { isNumber, toNumber } from "../values/number.ts";
import { Path } from "../values/path.ts";
import { Thing, type Value } from "../values/thing.ts";

/** Items of anything that can be iterated; of maps entries. */
export function elements(value: Value): Value[] {
  if (value instanceof GroovyMap)
    return Array.from(value.entries(), ([key, each]) => new MapEntry(key, each));
  // A path is iterated name by name: a staged file is one name.
  if (value instanceof Path)
    return (value.staged ?? value.location)
      .split("/")
      .filter((part) => part !== "")
      .map((part) => new Path(part, value.files, value.staged === undefined ? undefined : part));
  if (value instanceof Thing && value.type === "Matcher") return itemsOf(value.get("items") ?? []);
  return itemsOf(value);
}

/** Of an entry a closure with two parameters gets key and value. */
export function callWith(closure: Closure, item: Value): Value {
  if (item instanceof MapEntry && closure.arity > 1) return closure.call([item.entryKey, item.value]);
  return closure.call([item]);
}

export function holds(closure: Closure | undefined, item: Value): boolean {
  return truthOf(closure === undefined ? item : callWith(closure, item));
}

/** Stable. A closure of one parameter gives what is compared, one of two compares. */
export function sorted(items: readonly Value[], closure: Closure | undefined): Value[] {
  return [...items].sort(comparing(closure));
}

export function comparing(closure: Closure | undefined): (a: Value, b: Value) => number {
  if (closure === undefined) return compareLoosely;
  if (closure.arity > 1)
    return (a, b) => {
      const order = closure.call([a, b]);
      return isNumber(order) ? toNumber(order) : 0;
    };
  return (a, b) => compareLoosely(callWith(closure, a), callWith(closure, b));
}
