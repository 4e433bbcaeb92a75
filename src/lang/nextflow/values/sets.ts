/** Sets of the kinds that scripts can ask for: in order of arrival, of hashes, or sorted. */
import { compareLoosely } from "./compare-loosely.ts";
import { hashOf } from "./hash.ts";
import { GroovySet, type SetKind } from "./map.ts";
import type { List, Value } from "./thing.ts";

const hashed: SetKind = { type: "HashSet", order: inHashOrder };
const sorted: SetKind = { type: "TreeSet", order: (items) => items.sort(compareLoosely) };

export function setOf(items: Iterable<Value>, type: string): GroovySet {
  if (type === "HashSet") return new GroovySet(items, hashed);
  return type === "TreeSet" ? new GroovySet(items, sorted) : new GroovySet(items);
}

/** The order of a hash table of Java that grew to hold them. */
function inHashOrder(items: List): List {
  let buckets = 16;
  while (items.length > buckets * 0.75) buckets *= 2;
  const place = (item: Value) => {
    const hash = hashOf(item);
    return (hash ^ (hash >>> 16)) & (buckets - 1);
  };
  return items
    .map((item) => ({ item, at: place(item) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
