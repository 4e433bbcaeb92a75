/** `map { … }`: each item as the closure makes it; null is left out. */
import { neededClosure, type Operator } from "../operator.ts";
import { through } from "../through.ts";

export const map: Operator = (source, given) => {
  const closure = neededClosure(given, "map");
  return through(source, "same", (out) => ({
    next: (value, rank) => {
      const result = closure.call([value]);
      if (result !== null) out.emit(result, rank);
    },
    end: () => out.close(),
  }));
};
