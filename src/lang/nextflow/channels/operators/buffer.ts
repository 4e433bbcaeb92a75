/** `buffer(size, skip, remainder)`, `buffer(closing)`, `buffer(opening, closing)`: items in lists. */
import type { Value } from "../../values/thing.ts";
import { flagOption, intOption, meets, type Operator, optionsOf, positional } from "../operator.ts";
import type { Rank } from "../rank.ts";
import { through } from "../through.ts";

export const buffer: Operator = (source, given) => {
  const options = optionsOf(given, "buffer", ["size", "skip", "remainder"]);
  const size = intOption(options, "size");
  const skip = intOption(options, "skip") ?? 0;
  const remainder = flagOption(options, "remainder");
  const [first, second] = positional(given);
  const [opening, closing] = second === undefined ? [undefined, first] : [first, second];
  return through(source, "queue", (out) => {
    let held: Value[] = [];
    let start: Rank = [];
    let skipped = 0;
    let isOpen = opening === undefined;
    const flush = () => {
      out.emit(held, start);
      held = [];
      skipped = 0;
      isOpen = opening === undefined;
    };
    return {
      next: (value, rank) => {
        if (size !== undefined) {
          if (skipped < skip) {
            skipped++;
            return;
          }
        } else if (!isOpen && opening !== undefined) {
          if (!meets(opening, value)) return;
          isOpen = true;
        }
        if (held.length === 0) start = rank;
        held.push(value);
        if (size !== undefined ? held.length === size : closing !== undefined && meets(closing, value))
          flush();
      },
      end: () => {
        if (remainder && held.length > 0) flush();
        out.close();
      },
    };
  });
};
