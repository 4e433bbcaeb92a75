/** `max` and `max { … }`: the largest item. */
import { comparing } from "../../stdlib/iterate.ts";
import type { Value } from "../../values/thing.ts";
import { closureOf, type Operator } from "../operator.ts";
import { noRank } from "../rank.ts";
import { through } from "../through.ts";

export const max: Operator = (source, given) => {
  const order = comparing(closureOf(given));
  return through(source, "value", (out) => {
    let best: Value | undefined;
    return {
      next: (value) => {
        if (best === undefined || order(value, best) > 0) best = value;
      },
      end: () => {
        if (best !== undefined) out.emit(best, noRank);
        out.close();
      },
    };
  });
};
