/** `toSortedList`: all items as one sorted list. */
import type { Value } from "../../values/thing.ts";
import { Gathered } from "../gathered.ts";
import { closureOf, type Operator } from "../operator.ts";
import { noRank } from "../rank.ts";
import { sortedBy } from "../sorting.ts";
import { through } from "../through.ts";

export const toSortedList: Operator = (source, given) => {
  const how = closureOf(given) ?? true;
  return through(source, "value", (out) => {
    const found = new Gathered<Value>();
    return {
      next: (value, rank) => {
        found.push(value, rank);
      },
      end: () => out.emit(sortedBy([...found.inOrder()], how), noRank),
    };
  });
};
