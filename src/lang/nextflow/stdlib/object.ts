/** Methods that every value has. */

import { cast } from "../eval/cast.ts";
import { ClassValue } from "../eval/class-value.ts";
import { compare, equal, truthOf } from "../values/compare.ts";
import { hashOf } from "../values/hash.ts";
import { GroovyMap } from "../values/map.ts";
import { inspected, textOf } from "../values/text.ts";
import { isList, Thing, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { typeName } from "../values/type-name.ts";
import type { Methods } from "./method.ts";

export const objectMethods: Methods = {
  toString: (self: Value) => textOf(self),
  compareTo: (self, [other = null]) =>
    isList(self) || self instanceof GroovyMap
      ? fail("MissingMethodException", `${typeName(self)} has no method compareTo`)
      : Math.sign(compare(self, other)),
  equals: (self, [other = null]) => equal(self, other),
  hasProperty: (self, [name = null]) =>
    self instanceof Thing && !(self instanceof GroovyMap) && self.get(textOf(name)) !== undefined
      ? true
      : null,
  hashCode: (self) => hashOf(self),
  getClass: (self) => new ClassValue(typeName(self)),
  inspect: (self) => inspected(self),
  dump: (self) => inspected(self),
  asBoolean: (self) => truthOf(self),
  asType: (self, [type = null]) => cast(self, type instanceof ClassValue ? type.name : textOf(type)),
  is: (self: Value, given: readonly Value[]) => self === (given[0] ?? null),
};
