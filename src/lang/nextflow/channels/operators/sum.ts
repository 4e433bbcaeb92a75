/** `sum` and `sum { … }`: the total of all items. */
import { binary } from "../../eval/operators.ts";
import type { Value } from "../../values/thing.ts";
import { closureOf, type Operator } from "../operator.ts";
import { noRank } from "../rank.ts";
import { through } from "../through.ts";

export const sum: Operator = (source, given) => {
  const closure = closureOf(given);
  return through(source, "value", (out) => {
    let total: Value | undefined;
    return {
      next: (item) => {
        const value = closure === undefined ? item : closure.call([item]);
        total = total === undefined ? value : binary("+", total, value);
      },
      end: () => {
        if (total !== undefined) out.emit(total, noRank);
        out.close();
      },
    };
  });
};
