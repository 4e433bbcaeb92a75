/** `write_object(o)`: a line of names and a line of values. */
import { argument } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { objectRows, tableText } from "./text-table.ts";

export const writeObjectFunction: WdlFunction = {
  name: "write_object",
  specUrl: specSection("write_object"),
  call: (args, context) =>
    context.files.write("object.tsv", tableText(objectRows([argument(args, 0)], "write_object()"))),
};
