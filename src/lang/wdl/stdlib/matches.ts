/** `matches("sample.bam", "\\.bam$")`: whether a regular expression matches somewhere. */
import { bool } from "../values/value.ts";
import { textAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { compileEre } from "./ere.ts";

export const matchesFunction: WdlFunction = {
  name: "matches",
  specUrl: specSection("matches"),
  call: (args) => bool(compileEre(textAt(args, 1)).find(textAt(args, 0), 0) !== undefined),
};
