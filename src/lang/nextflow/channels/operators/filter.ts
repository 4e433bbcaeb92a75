/** `filter(criterion)`: the items that meet it. */
import { meets, type Operator } from "../operator.ts";
import { through } from "../through.ts";

export const filter: Operator = (source, [criterion = null]) =>
  through(source, "same", (out) => ({
    next: (value, rank) => {
      if (meets(criterion, value)) out.emit(value, rank);
    },
    end: () => out.close(),
  }));
