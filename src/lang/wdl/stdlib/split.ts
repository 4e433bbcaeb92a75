/** `split("a, b", ", *")`: the texts between the matches of a regular expression (1.3). */
import { array, str } from "../values/value.ts";
import { textAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { compileEre } from "./ere.ts";

export const splitFunction: WdlFunction = {
  name: "split",
  specUrl: specSection("split"),
  call: (args) => {
    const text = textAt(args, 0);
    const pattern = compileEre(textAt(args, 1));
    const parts: string[] = [];
    let copied = 0;
    let from = 0;
    while (from <= text.length) {
      const match = pattern.find(text, from);
      if (match === undefined) break;
      if (match.end > match.start) {
        parts.push(text.slice(copied, match.start));
        copied = match.end;
        from = match.end;
      } else {
        // Between every two characters, as an empty pattern splits.
        if (match.start > copied && match.start < text.length) {
          parts.push(text.slice(copied, match.start));
          copied = match.start;
        }
        from = match.end + 1;
      }
      if (match.end >= text.length) break;
    }
    parts.push(text.slice(copied));
    return array(parts.map(str));
  },
};
