/** `toList`: all items as one list, also of none. */
import type { Value } from "../../values/thing.ts";
import { Gathered } from "../gathered.ts";
import type { Operator } from "../operator.ts";
import { noRank } from "../rank.ts";
import { through } from "../through.ts";

export const toList: Operator = (source) =>
  through(source, "value", (out) => {
    const found = new Gathered<Value>();
    return {
      next: (value, rank) => {
        found.push(value, rank);
      },
      end: () => out.emit([...found.inOrder()], noRank),
    };
  });
