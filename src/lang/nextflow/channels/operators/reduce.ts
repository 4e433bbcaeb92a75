/** `reduce(seed) { total, item -> … }` */
import type { Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import { neededClosure, type Operator } from "../operator.ts";
import { noRank } from "../rank.ts";
import { through } from "../through.ts";

export const reduce: Operator = (source, given) => {
  if (source.kind === "value") illegal("Operator `reduce` cannot be applied to a value channel");
  const closure = neededClosure(given, "reduce");
  return through(source, "value", (out) => {
    let total: Value | undefined = given.length > 1 ? given[0] : undefined;
    return {
      next: (value) => {
        total = total === undefined ? value : closure.call([total, value]);
      },
      end: () => {
        if (total !== undefined) out.emit(total, noRank);
        out.close();
      },
    };
  });
};
