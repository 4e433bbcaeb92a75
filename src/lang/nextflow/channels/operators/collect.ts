/** `collect`: all items as one list, lists flattened one level; nothing of an empty source. */

import { truthOf } from "../../values/compare.ts";
import { isList, type Value } from "../../values/thing.ts";
import { Gathered } from "../gathered.ts";
import { closureOf, flagOption, type Operator, optionsOf } from "../operator.ts";
import { noRank } from "../rank.ts";
import { sortedBy } from "../sorting.ts";
import { through } from "../through.ts";

export const collect: Operator = (source, given) => {
  const options = optionsOf(given, "collect", ["flat", "sort"]);
  const closure = closureOf(given);
  const flat = flagOption(options, "flat", true);
  const sort = options.at("sort") ?? false;
  return through(source, "value", (out) => {
    const found = new Gathered<Value>();
    return {
      next: (value, rank) => {
        found.push(closure === undefined ? value : closure.call([value]), rank);
      },
      end: () => {
        const all = flat
          ? found.inOrder().flatMap((value) => (isList(value) ? value : [value]))
          : [...found.inOrder()];
        if (all.length > 0 || found.size > 0) out.emit(truthOf(sort) ? sortedBy(all, sort) : all, noRank);
        out.close();
      },
    };
  });
};
