/** `read_string(f)`: the whole text without line ends at its end. */
import { andThen } from "../values/maybe-promise.ts";
import { str } from "../values/value.ts";
import { pathAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const readStringFunction: WdlFunction = {
  name: "read_string",
  specUrl: specSection("read_string"),
  call: (args, context) =>
    andThen(context.files.readText(pathAt(args, 0)), (text) => str(text.replace(/[\r\n]+$/, ""))),
};
