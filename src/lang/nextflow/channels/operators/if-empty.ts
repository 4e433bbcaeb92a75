/** `ifEmpty(value)`: the value where the source has no item. */
import { Closure } from "../../values/closure.ts";
import type { Operator } from "../operator.ts";
import { noRank } from "../rank.ts";
import { through } from "../through.ts";

export const ifEmpty: Operator = (source, [otherwise = null]) =>
  through(source, "same", (out) => {
    let empty = true;
    return {
      next: (value, rank) => {
        empty = false;
        out.emit(value, rank);
      },
      end: () => {
        if (empty) out.emit(otherwise instanceof Closure ? otherwise.call([]) : otherwise, noRank);
        out.close();
      },
    };
  });
