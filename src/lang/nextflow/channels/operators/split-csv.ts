/** `splitCsv`: the records of files and texts. */

import { splitCsv as split } from "../../stdlib/split/csv.ts";
import { splitOptions } from "../../stdlib/split/options.ts";
import type { Operator } from "../operator.ts";
import { contentOfItem, replacedItem } from "../split-item.ts";
import { through } from "../through.ts";

export const splitCsv: Operator = (source, given) => {
  const options = splitOptions(given);
  return through(source, "queue", (out) => ({
    next: (value, rank) => {
      const { text, elem } = contentOfItem(value, options);
      for (const [index, each] of split(text, options).entries())
        out.emit(replacedItem(value, elem, each), [...rank, index]);
    },
    end: () => out.close(),
  }));
};
