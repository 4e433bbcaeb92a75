/** `mean` and `mean { … }`: the average of all items. */
import { binary } from "../../eval/operators.ts";
import type { Value } from "../../values/thing.ts";
import { closureOf, type Operator } from "../operator.ts";
import { noRank } from "../rank.ts";
import { through } from "../through.ts";

export const mean: Operator = (source, given) => {
  const closure = closureOf(given);
  return through(source, "value", (out) => {
    let total: Value = 0;
    let count = 0;
    return {
      next: (item) => {
        total = binary("+", total, closure === undefined ? item : closure.call([item]));
        count++;
      },
      end: () => {
        if (count > 0) out.emit(binary("/", total, count), noRank);
        out.close();
      },
    };
  });
};
