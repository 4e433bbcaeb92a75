/** `sub("a.bam", "\\.bam$", ".bai")`: every match replaced. `\1` to `\9` in the replacement are the groups, as in sed. */
import { str } from "../values/value.ts";
import { textAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { compileEre, type EreMatch } from "./ere.ts";

export const subFunction: WdlFunction = {
  name: "sub",
  specUrl: specSection("sub"),
  call: (args) => {
    const text = textAt(args, 0);
    const pattern = compileEre(textAt(args, 1));
    const replacement = textAt(args, 2);
    const out: string[] = [];
    let copied = 0;
    let from = 0;
    while (from <= text.length) {
      const match = pattern.find(text, from);
      if (match === undefined) break;
      out.push(text.slice(copied, match.start), filled(replacement, match, text));
      copied = match.end;
      // An empty match must not be found again at the same place.
      from = match.end > match.start ? match.end : match.end + 1;
    }
    out.push(text.slice(copied));
    return str(out.join(""));
  },
};

function filled(replacement: string, match: EreMatch, text: string): string {
  return replacement.replace(/\\([0-9\\])/g, (whole, which: string) => {
    if (which === "\\") return "\\";
    if (which === "0") return text.slice(match.start, match.end);
    const group = Number(which) - 1;
    return group < match.groups.length ? (match.groups[group] ?? "") : whole;
  });
}
