/** `stdout()`: the file that holds what the command wrote to standard output. */
import { specSection, type WdlFunction } from "./context.ts";

export const stdoutFunction: WdlFunction = {
  name: "stdout",
  specUrl: specSection("stdout"),
  call: (_args, context) => context.files.stdout(),
};
