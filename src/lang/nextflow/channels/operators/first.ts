/** `first` and `first(criterion)`: the first item that meets it, as a value. */
import { meets, type Operator, positional } from "../operator.ts";
import { through } from "../through.ts";

export const first: Operator = (source, given) => {
  const [criterion] = positional(given);
  return through(source, "value", (out) => ({
    next: (value, rank) => {
      if (criterion === undefined || meets(criterion, value)) out.emit(value, rank);
    },
    end: () => out.close(),
  }));
};
