/** Methods of closures. */
import { Closure, NativeClosure } from "../values/closure.ts";
import type { Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { closureAt, type Method, type Methods } from "./method.ts";

function of(run: (closure: Closure, given: readonly Value[]) => Value): Method {
  return (self, given) =>
    self instanceof Closure ? run(self, given) : fail("ClassCastException", "not a closure");
}

export const closureMethods: Methods = {
  apply: of((closure, given) => closure.call(given)),
  call: of((closure, given) => closure.call(given)),
  curry: of(
    (closure, given) =>
      new NativeClosure(Math.max(0, closure.arity - given.length), (...more) =>
        closure.call([...given, ...more]),
      ),
  ),
  doCall: of((closure, given) => closure.call(given)),
  getMaximumNumberOfParameters: of((closure) => closure.arity),
  leftShift: of((closure, given) => {
    const other = closureAt(given, 0);
    return new NativeClosure(other.arity, (...values) => closure.call([other.call(values)]));
  }),
  memoize: (self) => self,
  ncurry: of(
    (closure, [, ...given]) =>
      new NativeClosure(closure.arity - given.length, (first = null, ...more) =>
        closure.call([first, ...given, ...more]),
      ),
  ),
  rcurry: of(
    (closure, given) =>
      new NativeClosure(Math.max(0, closure.arity - given.length), (...first) =>
        closure.call([...first, ...given]),
      ),
  ),
  rightShift: of((closure, given) => {
    const other = closureAt(given, 0);
    return new NativeClosure(closure.arity, (...values) => other.call([closure.call(values)]));
  }),
  setDelegate: (self) => self,
  setResolveStrategy: (self) => self,
  clone: (self) => self,
};
