/** `flatten`: lists in lists, item by item. */
import { flattened } from "../../stdlib/list.ts";
import type { Operator } from "../operator.ts";
import { through } from "../through.ts";

export const flatten: Operator = (source) =>
  through(source, "queue", (out) => ({
    next: (value, rank) => {
      for (const [index, each] of flattened([value]).entries()) out.emit(each, [...rank, index]);
    },
    end: () => out.close(),
  }));
