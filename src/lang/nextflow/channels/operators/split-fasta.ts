/** `splitFasta`: the records of files and texts. */

import { splitFasta as split } from "../../stdlib/split/fasta.ts";
import { splitOptions } from "../../stdlib/split/options.ts";
import type { Operator } from "../operator.ts";
import { asFiles, contentOfItem, replacedItem } from "../split-item.ts";
import { through } from "../through.ts";

export const splitFasta: Operator = (source, given) => {
  const options = splitOptions(given);
  return through(source, "queue", (out) => ({
    next: (value, rank) => {
      const { text, elem } = contentOfItem(value, options);
      for (const [index, each] of asFiles(
        split(text, options),
        value,
        options,
        source.network.outside,
      ).entries())
        out.emit(replacedItem(value, elem, each), [...rank, index]);
    },
    end: () => out.close(),
  }));
};
