/** `last`: the last item, as a value. */
import type { Value } from "../../values/thing.ts";
import type { Operator } from "../operator.ts";
import { noRank } from "../rank.ts";
import { through } from "../through.ts";

export const last: Operator = (source) =>
  through(source, "value", (out) => {
    let held: Value | undefined;
    return {
      next: (value) => {
        held = value;
      },
      end: () => {
        if (held !== undefined) out.emit(held, noRank);
        out.close();
      },
    };
  });
