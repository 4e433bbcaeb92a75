/** The operators that put the records of a file or text in its place: `splitCsv`, `splitFasta`, `splitFastq`, `splitText`. */
import { type SplitOptions, splitOptions } from "../stdlib/split/options.ts";
import type { Value } from "../values/thing.ts";
import type { Operator } from "./operator.ts";
import { asFiles, contentOfItem, replacedItem } from "./split-item.ts";
import { through } from "./through.ts";

export function splitInto(split: (text: string, options: SplitOptions) => readonly Value[]): Operator {
  return (source, given) => {
    const options = splitOptions(given);
    return through(source, "queue", (out) => ({
      next: (value, rank) => {
        const { text, elem } = contentOfItem(value, options);
        const records = asFiles(split(text, options), value, options, source.network.outside);
        for (const [index, each] of records.entries())
          out.emit(replacedItem(value, elem, each), [...rank, index]);
      },
      end: () => out.close(),
    }));
  };
}
