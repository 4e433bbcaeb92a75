/** `countFasta`: how many records all items have. */

import { recordsOf } from "../../stdlib/split/fasta.ts";
import { splitOptions } from "../../stdlib/split/options.ts";
import type { Operator } from "../operator.ts";
import { noRank } from "../rank.ts";
import { contentOfItem } from "../split-item.ts";
import { through } from "../through.ts";

export const countFasta: Operator = (source, given) => {
  const options = splitOptions(given);
  return through(source, "value", (out) => {
    let total = 0n;
    return {
      next: (value) => {
        const { text } = contentOfItem(value, options);
        total += BigInt(recordsOf(text).length);
      },
      end: () => out.emit(total, noRank),
    };
  });
};
