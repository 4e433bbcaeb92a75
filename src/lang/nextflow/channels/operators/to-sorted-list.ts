/** `toSortedList`: all items as one sorted list. */
import type { Value } from "../../values/thing.ts";
import { closureOf, type Operator } from "../operator.ts";
import { byRank, noRank, type Rank } from "../rank.ts";
import { sortedBy } from "../sorting.ts";
import { through } from "../through.ts";

export const toSortedList: Operator = (source, given) => {
  const how = closureOf(given) ?? true;
  return through(source, "value", (out) => {
    const found: { readonly value: Value; readonly rank: Rank }[] = [];
    return {
      next: (value, rank) => {
        found.push({ value, rank });
      },
      end: () =>
        out.emit(
          sortedBy(
            found.sort(byRank).map(({ value }) => value),
            how,
          ),
          noRank,
        ),
    };
  });
};
