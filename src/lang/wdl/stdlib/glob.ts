/** `glob("*.bam")`: files of the working directory, in the order of Bash. */
import { array } from "../values/value.ts";
import { textAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const globFunction: WdlFunction = {
  name: "glob",
  specUrl: specSection("glob"),
  call: async (args, context) => array(await context.files.glob(textAt(args, 0))),
};
