/** `take(n)`: the first n items; -1 means all. */
import { intAt } from "../../stdlib/method.ts";
import { illegal } from "../../values/throwable.ts";
import type { Operator } from "../operator.ts";
import { through } from "../through.ts";

export const take: Operator = (source, given) => {
  if (source.kind === "value") illegal("Operator `take` cannot be applied to a value channel");
  const count = intAt(given, 0);
  return through(source, "queue", (out) => {
    let taken = 0;
    return {
      next: (value, rank) => {
        if (count >= 0 && taken >= count) return;
        taken++;
        out.emit(value, rank);
        if (taken === count) out.close();
      },
      end: () => out.close(),
    };
  });
};
