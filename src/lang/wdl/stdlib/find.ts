/** `find("hello", "l+")` is "ll": the first match of a regular expression, or None. */
import { none, str } from "../values/value.ts";
import { textAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { compileEre } from "./ere.ts";

export const findFunction: WdlFunction = {
  name: "find",
  specUrl: specSection("find"),
  call: (args) => {
    const text = textAt(args, 0);
    const match = compileEre(textAt(args, 1)).find(text, 0);
    return match === undefined ? none : str(text.slice(match.start, match.end));
  },
};
