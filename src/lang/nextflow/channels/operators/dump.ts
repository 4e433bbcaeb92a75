/** `dump(tag: …)`: prints items when it is asked for, which is not offered; passes them on. */
import { type Operator, optionsOf } from "../operator.ts";
import { through } from "../through.ts";

export const dump: Operator = (source, given) => {
  optionsOf(given, "dump", ["tag", "pretty"]);
  return through(source, "same", (out) => ({
    next: (value, rank) => out.emit(value, rank),
    end: () => out.close(),
  }));
};
