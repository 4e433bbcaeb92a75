/**
 * Methods that can be called on null. It is Groovy's NullObject: it has those of every object, and is iterated as if it
 * were empty; all others fail.
 */
import { equal } from "../values/compare.ts";
import type { Value } from "../values/thing.ts";
import type { Methods } from "./method.ts";

export const nullMethods: Methods = {
  toString: () => "null",
  inspect: () => "null",
  dump: () => "null",
  asBoolean: () => false,
  asType: () => null,
  equals: (_, [other = null]) => equal(null, other),
  is: (_, [other = null]) => other === null,
  iterator: () => [],
  each: () => null,
  eachWithIndex: () => null,
  collect: () => [],
  find: () => null,
  findResult: (_, given): Value => (given.length > 1 ? (given[0] ?? null) : null),
  findAll: () => [],
  grep: () => [],
  findIndexOf: () => -1,
  findLastIndexOf: () => -1,
  any: () => false,
  every: () => true,
};
