/** `view` and `view { … }`: prints each item and passes it on. */
import { textOf } from "../../values/text.ts";
import { closureOf, flagOption, type Operator, optionsOf } from "../operator.ts";
import { through } from "../through.ts";

export const view: Operator = (source, given) => {
  const options = optionsOf(given, "view", ["newLine", "tag"]);
  const closure = closureOf(given);
  const end = flagOption(options, "newLine", true) ? "\n" : "";
  const tag = options.at("tag");
  return through(source, "same", (out) => ({
    next: (value, rank) => {
      const text = textOf(closure === undefined ? value : closure.call([value]));
      source.network.outside.print(
        (tag === undefined || tag === null ? text : `[${textOf(tag)}] ${text}`) + end,
      );
      out.emit(value, rank);
    },
    end: () => out.close(),
  }));
};
