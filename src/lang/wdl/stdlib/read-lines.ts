/** `read_lines(f)`: every line as a String, without line ends. */
import { andThen } from "../values/maybe-promise.ts";
import { array, str } from "../values/value.ts";
import { pathAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { linesOf } from "./text-table.ts";

export const readLinesFunction: WdlFunction = {
  name: "read_lines",
  specUrl: specSection("read_lines"),
  call: (args, context) =>
    andThen(context.files.readText(pathAt(args, 0)), (text) => array(linesOf(text, context.bounds).map(str))),
};
