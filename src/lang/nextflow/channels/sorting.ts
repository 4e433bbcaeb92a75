/** The `sort` option of operators: true, `hash`, `deep`, or a closure that gives a key or compares. */
import { comparing, sorted } from "../stdlib/iterate.ts";
import { Closure } from "../values/closure.ts";
import { keyOf } from "../values/key.ts";
import { textOf } from "../values/text.ts";
import type { List, Value } from "../values/thing.ts";
import { illegal } from "../values/throwable.ts";

export function sortedBy(items: List, how: Value): List {
  if (how instanceof Closure) return [...items].sort(comparing(how));
  if (how === true || how === "true" || how === "natural") return sorted(items, undefined);
  // An order that depends on nothing but the items.
  if (how === "hash" || how === "deep") {
    const keys = new Map(items.map((each) => [each, String(keyOf(each))] as const));
    return [...items].sort((a, b) => ((keys.get(a) ?? "") < (keys.get(b) ?? "") ? -1 : 1));
  }
  return illegal(`Not a valid value of the option sort: ${textOf(how)}`);
}
