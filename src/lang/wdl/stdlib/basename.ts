/** `basename("/data/a.bam", ".bam")` is "a": the last part of a path, without a suffix. */
import { baseName } from "../values/neutral.ts";
import { isPath, str } from "../values/value.ts";
import { argument, optionalTextAt, textAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const basenameFunction: WdlFunction = {
  name: "basename",
  specUrl: specSection("basename"),
  call: (args) => {
    const value = argument(args, 0);
    // A copy that is kept under the name of its content still shows its own name.
    const name =
      isPath(value) && value.source !== undefined ? value.source.basename : baseName(textAt(args, 0));
    const suffix = optionalTextAt(args, 1);
    return str(
      suffix !== undefined && suffix !== "" && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name,
    );
  },
};
