/** `countJson`: how many items all JSON texts have. */

import { readJson } from "../../stdlib/json.ts";
import { splitOptions } from "../../stdlib/split/options.ts";
import { GroovyMap } from "../../values/map.ts";
import { isList } from "../../values/thing.ts";
import type { Operator } from "../operator.ts";
import { noRank } from "../rank.ts";
import { contentOfItem } from "../split-item.ts";
import { through } from "../through.ts";

export const countJson: Operator = (source, given) => {
  const options = splitOptions(given);
  return through(source, "value", (out) => {
    let total = 0n;
    return {
      next: (value) => {
        const found = readJson(contentOfItem(value, options).text);
        total += BigInt(isList(found) ? found.length : found instanceof GroovyMap ? found.size : 1);
      },
      end: () => out.emit(total, noRank),
    };
  });
};
