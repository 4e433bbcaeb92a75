/** `with` and `tap`: a closure in which the properties and methods of a value are names. */
import { Closure } from "../values/closure.ts";
import { GroovyMap } from "../values/map.ts";
import { Thing, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";

export type Invoke = (self: Value, name: string, given: readonly Value[]) => Value | undefined;

export function within(self: Value, closure: Value | undefined, invoke: Invoke): Value {
  if (!(closure instanceof Closure)) return fail("MissingMethodException", "a closure is expected");
  return closure.bound(delegateOf(self, invoke), "delegate first").call([self]);
}

/** A value as the delegate of a closure. */
function delegateOf(self: Value, invoke: Invoke) {
  return {
    lookup: (name: string) => {
      if (self instanceof GroovyMap) return self.at(name);
      return self instanceof Thing ? self.get(name) : undefined;
    },
    assign: (name: string, value: Value) => {
      if (self instanceof GroovyMap) {
        self.put(name, value);
        return true;
      }
      return self instanceof Thing && self.set(name, value);
    },
    method: (name: string, given: readonly Value[]) => invoke(self, name, given),
  };
}
