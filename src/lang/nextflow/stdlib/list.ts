/** Methods of lists, ranges and sets. */

import { indexed } from "../eval/access-index.ts";
import { itemsOf } from "../eval/cast.ts";
import { binary, caseMatches } from "../eval/operators.ts";
import { Closure } from "../values/closure.ts";
import { equal, truthOf } from "../values/compare.ts";
import { Iteration } from "../values/iteration.ts";
import { keyOf } from "../values/key.ts";
import { GroovyMap, GroovySet, MapEntry, pairOf } from "../values/map.ts";
import { arithmetic, asInt, isNumber } from "../values/number.ts";
import { Range } from "../values/range.ts";
import { setOf, toSet } from "../values/sets.ts";
import { textOf } from "../values/text.ts";
import { isList, type List, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { callWith, comparing, elements, holds, sorted } from "./iterate.ts";
import { closureAt, flagAt, intAt, type Method, type Methods, optionalClosure, textAt } from "./method.ts";

/** A method that reads the items. */
function of(run: (items: List, given: readonly Value[], self: Value) => Value): Method {
  return (self, given) => run(elements(self), given, self);
}

/** A method that changes a list. */
function changing(run: (items: List, given: readonly Value[]) => Value): Method {
  return (self, given) => {
    if (isList(self)) return run(self, given);
    if (self instanceof GroovySet) {
      const items = self.items();
      const answer = run(items, given);
      self.clear();
      for (const each of items) self.add(each);
      return answer === items ? self : answer;
    }
    return fail("UnsupportedOperationException", "it cannot be changed");
  };
}

/** Like the source: a set of a set. */
function alike(self: Value, items: List): Value {
  return self instanceof GroovySet ? self.like(items) : items;
}

export const listMethods: Methods = {
  add: changing((items, given) => {
    if (given.length > 1) {
      items.splice(intAt(given, 0), 0, given[1] ?? null);
      return null;
    }
    items.push(given[0] ?? null);
    return true;
  }),
  addAll: changing((items, given) => {
    const more = itemsOf(given.at(-1) ?? null);
    if (given.length > 1) {
      const at = intAt(given, 0);
      refill(items, [...items.slice(0, at), ...more, ...items.slice(at)]);
    } else for (const each of [...more]) items.push(each);
    return more.length > 0;
  }),
  any: of((items, given) => items.some((each) => holds(optionalClosure(given, 0), each))),
  asImmutable: (self) => self,
  asSynchronized: (self) => self,
  asList: of((items) => items),
  average: of((items, given) => {
    const total = sumOf(items, optionalClosure(given, 0), undefined);
    return isNumber(total) ? arithmetic("/", total, items.length) : null;
  }),
  chop: of((items, given) => {
    let at = 0;
    return given.map((_, index) => {
      const size = intAt(given, index);
      const part = size < 0 ? items.slice(at) : items.slice(at, at + size);
      at += part.length;
      return part;
    });
  }),
  clear: changing((items) => {
    items.length = 0;
    return null;
  }),
  clone: of((items, _, self) => alike(self, [...items])),
  collate: of((items, given) => {
    const size = intAt(given, 0);
    const step = isNumber(given[1]) ? intAt(given, 1) : size;
    const keep = flagAt(given, given.length - 1, true);
    if (step <= 0) fail("IllegalArgumentException", "step cannot be zero");
    const parts: List = [];
    for (let at = 0; at < items.length; at += step) {
      const part = items.slice(at, at + size);
      if (part.length === size || keep) parts.push(part);
    }
    return parts;
  }),
  collect: of((items, given) => {
    const closure = given.length === 0 ? undefined : closureAt(given, given.length - 1);
    const found = items.map((each) => (closure === undefined ? each : callWith(closure, each)));
    const [into] = given;
    if (given.length < 2 || into === undefined) return found;
    return into instanceof GroovySet ? into.like([...into.items(), ...found]) : [...itemsOf(into), ...found];
  }),
  collectEntries: of((items, given) => {
    const closure = given.length === 0 ? undefined : closureAt(given, given.length - 1);
    const map = new GroovyMap();
    for (const each of items) {
      const made = closure === undefined ? each : callWith(closure, each);
      // A closure that answers nothing leaves the item out.
      if (made === null) continue;
      if (made instanceof GroovyMap) for (const [key, value] of made.entries()) map.put(key, value);
      else {
        const pair =
          pairOf(made) ?? (isList(made) ? ([made[0] ?? null, made[1] ?? null] as const) : undefined);
        if (pair === undefined)
          fail("ClassCastException", `collectEntries needs pairs or maps, not ${textOf(made)}`);
        map.put(pair[0], pair[1]);
      }
    }
    return map;
  }),
  collectNested: of((items, given) => nested(items, closureAt(given, 0))),
  collectMany: of((items, given) => items.flatMap((each) => itemsOf(callWith(closureAt(given, 0), each)))),
  combinations: of((items, given) => {
    // The first list varies fastest.
    const result = combine(items.map((each) => elements(each)));
    const closure = optionalClosure(given, 0);
    return closure === undefined ? result : result.map((each) => closure.call([each]));
  }),
  contains: of((items, [sought = null], self) =>
    self instanceof GroovySet ? self.has(sought) : items.some((each) => equal(each, sought)),
  ),
  containsAll: of((items, [sought = null]) =>
    itemsOf(sought).every((one) => items.some((each) => equal(each, one))),
  ),
  count: of((items, [what]) => {
    if (what === undefined) return items.length;
    return items.filter((each) => (what instanceof Closure ? holds(what, each) : equal(each, what))).length;
  }),
  countBy: of((items, given) => {
    const map = new GroovyMap();
    for (const each of items) {
      const key = callWith(closureAt(given, 0), each);
      map.put(key, Number(map.at(key) ?? 0) + 1);
    }
    return map;
  }),
  disjoint: of(
    (items, [other = null]) => !itemsOf(other).some((one) => items.some((each) => equal(each, one))),
  ),
  drop: of((items, given) => items.slice(Math.max(0, intAt(given, 0)))),
  dropRight: of((items, given) => items.slice(0, Math.max(0, items.length - Math.max(0, intAt(given, 0))))),
  dropWhile: of((items, given) => {
    const at = items.findIndex((each) => !holds(closureAt(given, 0), each));
    return at < 0 ? [] : items.slice(at);
  }),
  each: (self, given) => {
    for (const each of elements(self)) callWith(closureAt(given, 0), each);
    return self;
  },
  eachWithIndex: (self, given) => {
    const closure = closureAt(given, 0);
    for (const [index, each] of elements(self).entries())
      if (each instanceof MapEntry && closure.arity > 2) closure.call([each.entryKey, each.value, index]);
      else closure.call([each, index]);
    return self;
  },
  encodeBase64: of((items) => bytesIn(items).toString("base64")),
  encodeHex: of((items) => bytesIn(items).toString("hex")),
  every: of((items, given) => items.every((each) => holds(optionalClosure(given, 0), each))),
  find: of((items, given) => items.find((each) => holds(optionalClosure(given, 0), each)) ?? null),
  findAll: of((items, given, self) =>
    alike(
      self,
      items.filter((each) => holds(optionalClosure(given, 0), each)),
    ),
  ),
  findIndexOf: of((items, given) =>
    items.findIndex((each) => holds(closureAt(given, given.length - 1), each)),
  ),
  findIndexValues: of((items, given) =>
    items.flatMap((each, index) => (holds(closureAt(given, 0), each) ? [BigInt(index)] : [])),
  ),
  findLastIndexOf: of((items, given) => items.findLastIndex((each) => holds(closureAt(given, 0), each))),
  findResult: of((items, given) => {
    const closure = closureAt(given, given.length - 1);
    for (const each of items) {
      const found = callWith(closure, each);
      if (found !== null) return found;
    }
    return given.length > 1 ? (given[0] ?? null) : null;
  }),
  findResults: of((items, given) => {
    const closure = optionalClosure(given, 0);
    return items
      .map((each) => (closure === undefined ? each : callWith(closure, each)))
      .filter((each) => each !== null);
  }),
  first: of(
    (items) =>
      items[0] ??
      (items.length > 0
        ? null
        : fail("NoSuchElementException", "Cannot access first() element from an empty List")),
  ),
  flatten: of((items, given) => {
    const flat = flattened(items);
    const closure = optionalClosure(given, 0);
    return closure === undefined ? flat : flattened(flat.map((each) => closure.call([each])));
  }),
  get: of((items, given) => {
    const at = intAt(given, 0);
    if (at < 0 || at >= items.length)
      fail("IndexOutOfBoundsException", `Index ${at} out of bounds for length ${items.length}`);
    return items[at] ?? null;
  }),
  getAt: of((items, given) => indexed(items, given)),
  eachCombination: of((items, given) => {
    for (const each of combine(items.map((one) => elements(one)))) closureAt(given, 0).call([each]);
    return null;
  }),
  eachPermutation: of((items, given) => {
    for (const each of permutations(items)) closureAt(given, 0).call([each]);
    return null;
  }),
  forEach: of((items, given) => {
    for (const each of items) callWith(closureAt(given, 0), each);
    return null;
  }),
  getIndices: of((items) => new Range(0, items.length - 1, "numbers", items.length === 0, items.length)),
  grep: of((items, [what]) =>
    items.filter((each) => (what === undefined ? truthOf(each) : caseMatches(what, each))),
  ),
  groupBy: of((items, given) => grouped(items, isList(given[0]) ? given[0] : given)),
  head: of(
    (items) =>
      items[0] ??
      (items.length > 0
        ? null
        : fail("NoSuchElementException", "Cannot access head() element from an empty List")),
  ),
  inject: of((items, given) => {
    const closure = closureAt(given, given.length - 1);
    let rest = items;
    let total: Value;
    if (given.length > 1) total = given[0] ?? null;
    else {
      if (items.length === 0)
        fail(
          "NoSuchElementException",
          "Cannot call inject() on an empty collection without passing an initial value",
        );
      total = items[0] ?? null;
      rest = items.slice(1);
    }
    for (const each of rest)
      total =
        each instanceof MapEntry && closure.arity > 2
          ? closure.call([total, each.entryKey, each.value])
          : closure.call([total, each]);
    return total;
  }),
  indexed: of(
    (items, given) => new GroovyMap(items.map((each, index) => [index + intAt(given, 0, 0), each])),
  ),
  indexOf: of((items, [sought = null]) => items.findIndex((each) => equal(each, sought))),
  init: of((items) => items.slice(0, -1)),
  intersect: of((items, [other = null], self) => {
    if (other instanceof GroovyMap) return items.filter((each) => other.has(each));
    const others = itemsOf(other);
    const keys = new Set(others.map(keyOf));
    const found = items.filter(
      (each) => keys.has(keyOf(each)) || others.some((one) => isNumber(each) && equal(each, one)),
    );
    return alike(self, [...new GroovySet(found).items()]);
  }),
  isEmpty: of((items) => items.length === 0),
  iterator: of((items) => new Iteration(items)),
  listIterator: of((items) => new Iteration(items)),
  join: of((items, given) =>
    items.map((each) => textOf(each)).join(given[0] === undefined ? "" : textAt(given, 0)),
  ),
  last: of((items) =>
    items.length > 0
      ? (items.at(-1) ?? null)
      : fail("NoSuchElementException", "Cannot access last() element from an empty List"),
  ),
  lastIndexOf: of((items, [sought = null]) => items.findLastIndex((each) => equal(each, sought))),
  /** Of a range: each n-th. */
  step: of((items, given) => {
    const step = intAt(given, 0);
    if (step < 1) fail("IllegalArgumentException", "a step is 1 or more");
    const found = items.filter((_, index) => index % step === 0);
    if (!(given[1] instanceof Closure)) return found;
    for (const each of found) given[1].call([each]);
    return null;
  }),
  leftShift: (self, [value = null]) => binary("<<", self, value),
  max: of((items, given) => extreme(items, optionalClosure(given, 0), 1)),
  min: of((items, given) => extreme(items, optionalClosure(given, 0), -1)),
  minus: (self, [other = null]) => binary("-", self, other),
  multiply: (self, [count = null]) => binary("*", self, count),
  parallelStream: (self) => self,
  stream: (self) => self,
  permutations: of((items) => permutations(items)),
  plus: (self, [other = null]) => binary("+", self, other),
  pop: changing((items) =>
    items.length === 0
      ? fail("NoSuchElementException", "Cannot pop() an empty List")
      : (items.shift() ?? null),
  ),
  push: changing((items, [value = null]) => {
    items.unshift(value);
    return true;
  }),
  putAt: (self, [index = null, value = null]) => {
    const at = asInt(index, "an index");
    if (!isList(self)) return fail("UnsupportedOperationException", "it cannot be changed");
    if (at < 0 || at > self.length + 10_000_000)
      fail("IndexOutOfBoundsException", `Index ${at} is not an index of the list`);
    while (self.length < at) self.push(null);
    self[at] = value;
    return null;
  },
  removeAt: changing((items, given) => {
    const at = intAt(given, 0);
    if (at < 0 || at >= items.length)
      fail("IndexOutOfBoundsException", `Index ${at} out of bounds for length ${items.length}`);
    return items.splice(at, 1)[0] ?? null;
  }),
  removeElement: changing((items, [what = null]) => {
    const at = items.findIndex((each) => equal(each, what));
    if (at >= 0) items.splice(at, 1);
    return at >= 0;
  }),
  replaceAll: changing((items, given) => {
    for (const [index, each] of items.entries()) items[index] = closureAt(given, 0).call([each]);
    return null;
  }),
  remove: (self, given) => {
    if (self instanceof GroovySet) return self.remove(given[0] ?? null);
    if (!isList(self)) return fail("UnsupportedOperationException", "it cannot be changed");
    const [what = null] = given;
    if (typeof what === "number") {
      if (what < 0 || what >= self.length)
        fail("IndexOutOfBoundsException", `Index ${what} out of bounds for length ${self.length}`);
      return self.splice(what, 1)[0] ?? null;
    }
    const at = self.findIndex((each) => equal(each, what));
    if (at >= 0) self.splice(at, 1);
    return at >= 0;
  },
  removeAll: changing((items, [what = null]) =>
    kept(
      items,
      (each) =>
        !(what instanceof Closure ? holds(what, each) : itemsOf(what).some((one) => equal(one, each))),
    ),
  ),
  removeIf: changing((items, given) => kept(items, (each) => !holds(closureAt(given, 0), each))),
  retainAll: changing((items, [what = null]) =>
    kept(items, (each) =>
      what instanceof Closure ? holds(what, each) : itemsOf(what).some((one) => equal(one, each)),
    ),
  ),
  reverse: of((items, given, self) => {
    const turned = [...items].reverse();
    if (flagAt(given, 0, false) && isList(self)) {
      refill(self, turned);
      return self;
    }
    return turned;
  }),
  reverseEach: (self, given) => {
    for (const each of [...elements(self)].reverse()) callWith(closureAt(given, 0), each);
    return self;
  },
  set: changing((items, given) => {
    const at = intAt(given, 0);
    const before = items[at] ?? null;
    items[at] = given[1] ?? null;
    return before;
  }),
  shuffled: of((items) => items),
  size: of((items) => items.length),
  sort: (self, given) => {
    const closure = given.at(-1) instanceof Closure ? closureAt(given, given.length - 1) : undefined;
    const result = sorted(elements(self), closure);
    if (isList(self) && flagAt(given, 0, true)) {
      for (const [index, each] of result.entries()) self[index] = each;
      return self;
    }
    return result;
  },
  split: of((items, given) => {
    const closure = closureAt(given, 0);
    return [items.filter((each) => holds(closure, each)), items.filter((each) => !holds(closure, each))];
  }),
  subList: of((items, given) => items.slice(intAt(given, 0), intAt(given, 1))),
  sum: of((items, given) => {
    const closure = given.at(-1) instanceof Closure ? closureAt(given, given.length - 1) : undefined;
    return sumOf(items, closure, given[0] instanceof Closure ? undefined : given[0]);
  }),
  subsequences: of((items) => setOf(subsequences(items), "HashSet")),
  swap: changing((items, given) => {
    const copy = items;
    const [a, b] = [intAt(given, 0), intAt(given, 1)];
    for (const at of [a, b])
      if (at < 0 || at >= copy.length)
        fail("IndexOutOfBoundsException", `Index ${at} out of bounds for length ${copy.length}`);
    [copy[a], copy[b]] = [copy[b] ?? null, copy[a] ?? null];
    return copy;
  }),
  tail: of((items) => items.slice(1)),
  take: of((items, given) => items.slice(0, Math.max(0, intAt(given, 0)))),
  takeRight: of((items, given) => (intAt(given, 0) <= 0 ? [] : items.slice(-intAt(given, 0)))),
  takeWhile: of((items, given) => {
    const at = items.findIndex((each) => !holds(closureAt(given, 0), each));
    return at < 0 ? [...items] : items.slice(0, at);
  }),
  toArray: of((items) => [...items]),
  toListString: (self) => textOf(self),
  toList: of((items) => [...items]),
  toSet: of((items) => toSet(items)),
  toSorted: of((items, given) => sorted(items, optionalClosure(given, 0))),
  toUnique: of((items, given) => distinct(items, optionalClosure(given, 0))),
  transpose: of((items) => {
    const lists = items.map((each) => itemsOf(each));
    const length = lists.reduce((least, each) => Math.min(least, each.length), lists[0]?.length ?? 0);
    return Array.from({ length }, (_, index) => lists.map((each) => each[index] ?? null));
  }),
  unique: (self, given) => {
    const closure = given.at(-1) instanceof Closure ? closureAt(given, given.length - 1) : undefined;
    const result = distinct(elements(self), closure);
    if (isList(self) && flagAt(given, 0, true)) {
      refill(self, result);
      return self;
    }
    return result;
  },
  withIndex: of((items, given) => items.map((each, index) => [each, index + intAt(given, 0, 0)])),
};

function bytesIn(items: List): Buffer {
  return Buffer.from(items.map((each) => asInt(each, "a byte") & 255));
}

function nested(items: List, closure: Closure): List {
  return items.map((each) =>
    isList(each) || each instanceof GroovySet || each instanceof Range
      ? nested(itemsOf(each), closure)
      : callWith(closure, each),
  );
}

const mostOfSubsequences = 16;

function subsequences(items: List): List {
  if (items.length > mostOfSubsequences) fail("IllegalArgumentException", "there are too many subsequences");
  let found: List[] = [];
  for (const each of items) found = [...found, ...found.map((one) => [...one, each]), [each]];
  return found;
}

function combine(lists: readonly List[]): List[] {
  const [last, ...before] = [...lists].reverse();
  if (last === undefined) return [];
  const rest = before.length === 0 ? [[]] : combine([...before].reverse());
  return last.flatMap((each) => rest.map((start) => [...start, each]));
}

const mostPermutations = 9;

function permutations(items: List): List {
  if (items.length > mostPermutations) fail("IllegalArgumentException", "there are too many permutations");
  if (items.length <= 1) return [items];
  return items.flatMap((each, index) =>
    permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [
      each,
      ...itemsOf(rest),
    ]),
  );
}

export function flattened(items: readonly Value[]): List {
  return items.flatMap((each) =>
    isList(each) || each instanceof GroovySet || each instanceof Range ? flattened(itemsOf(each)) : [each],
  );
}

function grouped(items: List, given: readonly Value[]): GroovyMap {
  const closure = closureAt(given, 0);
  const groups = new GroovyMap();
  for (const each of items) {
    const key = callWith(closure, each);
    const group = groups.at(key);
    if (isList(group)) group.push(each);
    else groups.put(key, [each]);
  }
  const asMaps = items.length > 0 && items.every((each) => each instanceof MapEntry);
  const more = given.slice(1);
  const found = Array.from(groups.entries(), ([key, group]): [Value, Value] => {
    const members = itemsOf(group);
    if (more.length > 0) return [key, grouped(members, more)];
    return [
      key,
      asMaps
        ? new GroovyMap(members.map((each) => pairOf(each)).filter((pair) => pair !== undefined))
        : members,
    ];
  });
  return new GroovyMap(found);
}

function extreme(items: List, closure: Closure | undefined, sign: 1 | -1): Value {
  const order = comparing(closure);
  let best: Value | undefined;
  for (const each of items) {
    if (closure === undefined && each === null) continue;
    if (best === undefined || order(each, best) * sign > 0) best = each;
  }
  return best ?? null;
}

function sumOf(items: List, closure: Closure | undefined, seed: Value | undefined): Value {
  let total = seed;
  for (const each of items) {
    const value = closure === undefined ? each : callWith(closure, each);
    total = total === undefined ? value : binary("+", total, value);
  }
  return total ?? null;
}

function kept(items: List, keep: (each: Value) => boolean): boolean {
  const rest = items.filter(keep);
  const changed = rest.length < items.length;
  refill(items, rest);
  return changed;
}

/** Not by `splice`: what is spread among arguments is limited by the stack. */
function refill(list: List, items: List): void {
  list.length = 0;
  for (const each of items) list.push(each);
}

function distinct(items: List, closure: Closure | undefined): List {
  if (closure === undefined) return firstOf(items, (each) => keyOf(each));
  if (closure.arity > 1) {
    const found: List = [];
    for (const each of items)
      if (!found.some((other) => !truthOf(closure.call([other, each])))) found.push(each);
    return found;
  }
  return firstOf(items, (each) => keyOf(callWith(closure, each)));
}

function firstOf(items: List, key: (each: Value) => unknown): List {
  const seen = new Set<unknown>();
  return items.filter((each) => {
    const own = key(each);
    if (seen.has(own)) return false;
    seen.add(own);
    return true;
  });
}
