/** `until(criterion)`: items up to, but not with, the one that meets it. */
import { meets, type Operator } from "../operator.ts";
import { through } from "../through.ts";

export const until: Operator = (source, [criterion = null]) =>
  through(source, "same", (out) => {
    let ended = false;
    return {
      next: (value, rank) => {
        if (ended) return;
        ended = meets(criterion, value);
        if (ended) out.close();
        else out.emit(value, rank);
      },
      end: () => out.close(),
    };
  });
