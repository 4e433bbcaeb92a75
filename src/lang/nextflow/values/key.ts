/** What makes values one key of a map, and equal. */
import { isList, Thing, type Value } from "./thing.ts";

/** Primitives are their own keys; a 1 that is an integer and one that is a long are two keys, as in Java. */
export function keyOf(value: Value): unknown {
  if (value instanceof Thing) return value.key();
  if (isList(value)) return listKey(value);
  return value;
}

function listKey(items: readonly Value[]): string {
  let text = "\u0000[";
  for (const item of items) {
    const key = keyOf(item);
    // With its length, since a text may hold anything.
    text += typeof key === "string" ? `s${key.length}:${key}` : `${String(key)}${typeof key}\u0003`;
  }
  return text;
}
