/** `stderr()`: the file that holds what the command wrote to standard error. */
import { specSection, type WdlFunction } from "./context.ts";

export const stderrFunction: WdlFunction = {
  name: "stderr",
  specUrl: specSection("stderr"),
  call: (_args, context) => context.files.stderr(),
};
