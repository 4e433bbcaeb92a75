/** Sets of the kinds that scripts can ask for: in order of arrival, of hashes, or sorted. */
import { compareLoosely } from "./compare-loosely.ts";
import { hashOf } from "./hash.ts";
import { GroovySet, type SetKind } from "./map.ts";
import type { List, Value } from "./thing.ts";

const hashed = (capacity: number): SetKind => ({
  type: "HashSet",
  order: (items) => inHashOrder(items, capacity),
});
const sorted: SetKind = { type: "TreeSet", order: (items) => items.sort(compareLoosely) };

export function setOf(items: readonly Value[], type: string): GroovySet {
  if (type === "HashSet")
    return new GroovySet(items, hashed(Math.max(16, Math.floor(items.length / 0.75) + 1)));
  return type === "TreeSet" ? new GroovySet(items, sorted) : new GroovySet(items);
}

/** What `toSet()` of a list makes: its table begins with as many places as the list has items. */
export function toSet(items: readonly Value[]): GroovySet {
  return new GroovySet(items, hashed(items.length));
}

/** The order of a hash table of Java that grew from a capacity to hold them. */
function inHashOrder(items: List, capacity: number): List {
  let buckets = 1;
  while (buckets < capacity) buckets *= 2;
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
