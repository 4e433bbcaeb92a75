/** `toList`: all items as one list, also of none. */
import type { Value } from "../../values/thing.ts";
import type { Operator } from "../operator.ts";
import { byRank, noRank, type Rank } from "../rank.ts";
import { through } from "../through.ts";

export const toList: Operator = (source) =>
  through(source, "value", (out) => {
    const found: { readonly value: Value; readonly rank: Rank }[] = [];
    return {
      next: (value, rank) => {
        found.push({ value, rank });
      },
      end: () =>
        out.emit(
          found.sort(byRank).map(({ value }) => value),
          noRank,
        ),
    };
  });
