/** `countLines`: how many records all items have. */

import { splitOptions } from "../../stdlib/split/options.ts";
import type { Operator } from "../operator.ts";
import { noRank } from "../rank.ts";
import { contentOfItem } from "../split-item.ts";
import { through } from "../through.ts";

export const countLines: Operator = (source, given) => {
  const options = splitOptions(given);
  return through(source, "value", (out) => {
    let total = 0n;
    return {
      next: (value) => {
        const { text } = contentOfItem(value, options);
        total += BigInt(text === "" ? 0 : text.replace(/\n$/, "").split("\n").length);
      },
      end: () => out.emit(total, noRank),
    };
  });
};
