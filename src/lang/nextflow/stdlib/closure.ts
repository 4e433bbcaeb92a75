/** Methods of closures. */
import { Closure, NativeClosure } from "../values/closure.ts";
import type { Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import type { Method, Methods } from "./method.ts";

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
  setDelegate: (self) => self,
  setResolveStrategy: (self) => self,
  clone: (self) => self,
};
