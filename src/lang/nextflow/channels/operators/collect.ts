/** `collect`: all items as one list, lists flattened one level; nothing of an empty source. */

import { truthOf } from "../../values/compare.ts";
import { isList, type Value } from "../../values/thing.ts";
import { closureOf, flagOption, type Operator, optionsOf } from "../operator.ts";
import { byRank, noRank, type Rank } from "../rank.ts";
import { sortedBy } from "../sorting.ts";
import { through } from "../through.ts";

export const collect: Operator = (source, given) => {
  const options = optionsOf(given, "collect", ["flat", "sort"]);
  const closure = closureOf(given);
  const flat = flagOption(options, "flat", true);
  const sort = options.at("sort") ?? false;
  return through(source, "value", (out) => {
    const found: { readonly value: Value; readonly rank: Rank }[] = [];
    return {
      next: (value, rank) => {
        found.push({ value: closure === undefined ? value : closure.call([value]), rank });
      },
      end: () => {
        const all = found.sort(byRank).flatMap(({ value }) => (flat && isList(value) ? value : [value]));
        if (all.length > 0 || found.length > 0) out.emit(truthOf(sort) ? sortedBy(all, sort) : all, noRank);
        out.close();
      },
    };
  });
};
