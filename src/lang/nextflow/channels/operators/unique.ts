/** `unique` and `unique { … }`: each item once. */
import { keyOf } from "../../values/key.ts";
import { closureOf, type Operator } from "../operator.ts";
import { through } from "../through.ts";

export const unique: Operator = (source, given) => {
  const closure = closureOf(given);
  return through(source, "same", (out) => {
    const seen = new Set<unknown>();
    return {
      next: (value, rank) => {
        const key = keyOf(closure === undefined ? value : closure.call([value]));
        if (seen.has(key)) return;
        seen.add(key);
        out.emit(value, rank);
      },
      end: () => out.close(),
    };
  });
};
