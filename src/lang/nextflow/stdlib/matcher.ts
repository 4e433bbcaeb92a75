/** Methods of the matches of a regular expression. */

import { Iteration } from "../values/iteration.ts";
import { Matcher } from "../values/pattern.ts";
import type { List, Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { callWith, holds } from "./iterate.ts";
import { closureAt, type Method, type Methods, optionalClosure } from "./method.ts";

function of(run: (matches: List, given: readonly Value[]) => Value): Method {
  return (self, given) =>
    self instanceof Matcher
      ? run(
          self.all.map((each) => Matcher.shown(each)),
          given,
        )
      : fail("ClassCastException", "not a matcher");
}

export const matcherMethods: Methods = {
  any: of((matches, given) => matches.some((each) => holds(optionalClosure(given, 0), each))),
  collect: of((matches, given) => matches.map((each) => callWith(closureAt(given, 0), each))),
  each: of((matches, given) => {
    for (const each of matches) callWith(closureAt(given, 0), each);
    return null;
  }),
  findAll: of((matches, given) =>
    given.length === 0 ? matches : matches.filter((each) => holds(closureAt(given, 0), each)),
  ),
  iterator: of((matches) => new Iteration(matches)),
  toList: of((matches) => matches),
};
