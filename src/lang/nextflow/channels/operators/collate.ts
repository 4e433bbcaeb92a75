/** `collate(size, step, remainder)`: items in lists that may overlap. */
import { intAt } from "../../stdlib/method.ts";
import { isNumber } from "../../values/number.ts";
import type { Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import type { Operator } from "../operator.ts";
import type { Rank } from "../rank.ts";
import { through } from "../through.ts";

export const collate: Operator = (source, given) => {
  const size = intAt(given, 0);
  const step = isNumber(given[1]) ? intAt(given, 1) : size;
  const remainder = given.find((each) => typeof each === "boolean") !== false;
  if (size <= 0 || step <= 0)
    illegal("Illegal argument for operator `collate`: size and step must be greater than zero");
  return through(source, "queue", (out) => {
    const open: { readonly items: Value[]; readonly rank: Rank }[] = [];
    let index = 0;
    return {
      next: (value, rank) => {
        if (index % step === 0) open.push({ items: [], rank });
        index++;
        for (const each of open) each.items.push(value);
        if (open[0]?.items.length === size) {
          const done = open.shift();
          if (done !== undefined) out.emit(done.items, done.rank);
        }
      },
      end: () => {
        if (remainder) for (const each of open) out.emit(each.items, each.rank);
        out.close();
      },
    };
  });
};
