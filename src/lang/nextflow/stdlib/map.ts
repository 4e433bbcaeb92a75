/** Methods of maps. Those of lists work on them, too, over their entries. */

import { itemsOf } from "../eval/cast.ts";
import { Closure } from "../values/closure.ts";
import { equal } from "../values/compare.ts";
import { compareLoosely } from "../values/compare-loosely.ts";
import { keyOf } from "../values/key.ts";
import { GroovyMap, GroovySet, MapEntry, pairOf } from "../values/map.ts";
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { callWith, comparing, holds } from "./iterate.ts";
import { closureAt, intAt, type Method, type Methods, optionalClosure } from "./method.ts";

function of(run: (map: GroovyMap, given: readonly Value[]) => Value): Method {
  return (self, given) =>
    self instanceof GroovyMap ? run(self, given) : fail("ClassCastException", "not a map");
}

function entriesOf(map: GroovyMap): MapEntry[] {
  return Array.from(map.entries(), ([key, value]) => new MapEntry(key, value));
}

function mapOf(entries: readonly Value[]): GroovyMap {
  return new GroovyMap(entries.map((each) => pairOf(each)).filter((pair) => pair !== undefined));
}

/** Under a key that gets null nothing is kept. */
function kept(map: GroovyMap, key: Value, value: Value): Value {
  if (value === null) map.remove(key);
  else map.put(key, value);
  return value;
}

export const mapMethods: Methods = {
  asImmutable: (self) => self,
  clear: of((map) => {
    map.clear();
    return null;
  }),
  clone: of((map) => new GroovyMap(map.entries(), map.type)),
  compute: of((map, given) => {
    const [key = null] = given;
    return kept(map, key, closureAt(given, 1).call([key, map.at(key) ?? null]));
  }),
  computeIfPresent: of((map, given) => {
    const [key = null] = given;
    const before = map.at(key) ?? null;
    return before === null ? null : kept(map, key, closureAt(given, 1).call([key, before]));
  }),
  computeIfAbsent: of((map, given) => {
    const [key = null] = given;
    if (!map.has(key)) map.put(key, closureAt(given, 1).call([key]));
    return map.at(key) ?? null;
  }),
  containsKey: of((map, [key = null]) => map.has(key)),
  containsValue: of((map, [value = null]) => map.values().some((each) => equal(each, value))),
  drop: of((map, given) => mapOf(entriesOf(map).slice(intAt(given, 0)))),
  dropWhile: of((map, given) => {
    const at = entriesOf(map).findIndex((each) => !holds(closureAt(given, 0), each));
    return at < 0 ? new GroovyMap() : mapOf(entriesOf(map).slice(at));
  }),
  entrySet: of((map) => entriesOf(map)),
  equals: of((map, [other = null]) => equal(map, other)),
  findAll: of((map, given) => mapOf(entriesOf(map).filter((each) => holds(closureAt(given, 0), each)))),
  get: of((map, given) => {
    const [key = null] = given;
    const found = map.at(key);
    if (found === undefined && given.length > 1) {
      map.put(key, given[1] ?? null);
      return given[1] ?? null;
    }
    return found ?? null;
  }),
  getAt: of((map, [key = null]) => map.at(key) ?? null),
  getOrDefault: of((map, [key = null, otherwise = null]) => map.at(key) ?? otherwise),
  intersect: of((map, [other = null]) =>
    mapOf(
      entriesOf(map).filter(
        ({ entryKey, value }) =>
          other instanceof GroovyMap && other.has(entryKey) && equal(other.at(entryKey) ?? null, value),
      ),
    ),
  ),
  groupEntriesBy: of((map, given) => {
    const groups = new Map<unknown, [Value, MapEntry[]]>();
    for (const each of entriesOf(map)) {
      const key = callWith(closureAt(given, 0), each);
      const group = groups.get(keyOf(key));
      if (group === undefined) groups.set(keyOf(key), [key, [each]]);
      else group[1].push(each);
    }
    return new GroovyMap(groups.values());
  }),
  isEmpty: of((map) => map.size === 0),
  keySet: of((map) => new GroovySet(map.keys())),
  leftShift: of((map, [other = null]) => {
    for (const each of other instanceof GroovyMap ? entriesOf(other) : [other]) {
      const pair = pairOf(each);
      if (pair !== undefined) map.put(pair[0], pair[1]);
    }
    return map;
  }),
  merge: of((map, given) => {
    const [key = null, value = null] = given;
    const before = map.at(key);
    map.put(key, before === undefined || before === null ? value : closureAt(given, 2).call([before, value]));
    return map.at(key) ?? null;
  }),
  minus: of((map, [other = null]) => {
    if (!(other instanceof GroovyMap))
      return mapOf(
        entriesOf(map).filter(({ entryKey }) => !itemsOf(other).some((each) => equal(each, entryKey))),
      );
    return mapOf(
      entriesOf(map).filter(
        ({ entryKey, value }) => !(other.has(entryKey) && equal(other.at(entryKey) ?? null, value)),
      ),
    );
  }),
  plus: of(
    (map, [other = null]) =>
      new GroovyMap([...map.entries(), ...(other instanceof GroovyMap ? other.entries() : [])]),
  ),
  put: of((map, [key = null, value = null]) => {
    const before = map.at(key) ?? null;
    map.put(key, value);
    return before;
  }),
  putAll: of((map, [other = null]) => {
    if (other instanceof GroovyMap) for (const [key, value] of other.entries()) map.put(key, value);
    return null;
  }),
  putAt: of((map, [key = null, value = null]) => {
    map.put(key, value);
    return value;
  }),
  putIfAbsent: of((map, [key = null, value = null]) => {
    const before = map.at(key);
    if (before === undefined || before === null) map.put(key, value);
    return before ?? null;
  }),
  remove: of((map, [key = null]) => map.remove(key) ?? null),
  removeAll: of((map, given) => {
    const gone = entriesOf(map).filter((each) => holds(closureAt(given, 0), each));
    for (const { entryKey } of gone) map.remove(entryKey);
    return gone.length > 0;
  }),
  retainAll: of((map, given) => {
    const gone = entriesOf(map).filter((each) => !holds(closureAt(given, 0), each));
    for (const { entryKey } of gone) map.remove(entryKey);
    return gone.length > 0;
  }),
  reverseEach: of((map, given) => {
    for (const each of entriesOf(map).reverse()) callWith(closureAt(given, 0), each);
    return map;
  }),
  replaceAll: of((map, given) => {
    for (const [key, value] of map.entries()) map.put(key, closureAt(given, 0).call([key, value]));
    return null;
  }),
  size: of((map) => map.size),
  sort: of((map, given) => {
    const closure = given.find((each) => each instanceof Closure);
    const order =
      closure === undefined
        ? (a: MapEntry, b: MapEntry) => compareLoosely(a.entryKey, b.entryKey)
        : comparing(closure);
    return mapOf(entriesOf(map).sort(order));
  }),
  subMap: of(
    (map, given) =>
      new GroovyMap(
        given
          .flatMap((each) => (typeof each === "string" ? [each] : itemsOf(each)))
          .flatMap((key): [Value, Value][] => (map.has(key) ? [[key, map.at(key) ?? null]] : [])),
      ),
  ),
  take: of((map, given) => mapOf(entriesOf(map).slice(0, intAt(given, 0)))),
  toSorted: of((map, given) => {
    const closure = optionalClosure(given, 0);
    return mapOf(
      entriesOf(map).sort(
        closure === undefined ? (a, b) => compareLoosely(a.value, b.value) : comparing(closure),
      ),
    );
  }),
  spread: (self) => self,
  toMapString: (self) => textOf(self),
  toSpreadMap: (self) => self,
  takeWhile: of((map, given) => {
    const at = entriesOf(map).findIndex((each) => !holds(closureAt(given, 0), each));
    return mapOf(at < 0 ? entriesOf(map) : entriesOf(map).slice(0, at));
  }),
  values: of((map) => map.values()),
  withDefault: of((map, given) => {
    const copy = new GroovyMap(map.entries());
    const closure = closureAt(given, 0);
    copy.setDefault((key) => closure.call([key]));
    return copy;
  }),
};
