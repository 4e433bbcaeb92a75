/** `count` and `count(criterion)`: how many items meet it. */
import { meets, type Operator } from "../operator.ts";
import { noRank } from "../rank.ts";
import { through } from "../through.ts";

export const count: Operator = (source, [criterion]) =>
  through(source, "value", (out) => {
    let found = 0n;
    return {
      next: (value) => {
        if (criterion === undefined || meets(criterion, value)) found++;
      },
      end: () => out.emit(found, noRank),
    };
  });
