/** `distinct` and `distinct { … }`: without items that equal the one before. */
import { keyOf } from "../../values/key.ts";
import { closureOf, type Operator } from "../operator.ts";
import { through } from "../through.ts";

const nothing = Symbol("nothing");

export const distinct: Operator = (source, given) => {
  const closure = closureOf(given);
  return through(source, "same", (out) => {
    let before: unknown = nothing;
    return {
      next: (value, rank) => {
        const key = keyOf(closure === undefined ? value : closure.call([value]));
        if (key === before) return;
        before = key;
        out.emit(value, rank);
      },
      end: () => out.close(),
    };
  });
};
