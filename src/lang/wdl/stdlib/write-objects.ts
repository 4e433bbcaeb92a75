/** `write_objects(os)`: a line of names, then a line of values for each. */
import { itemsAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { objectRows, tableText } from "./text-table.ts";

export const writeObjectsFunction: WdlFunction = {
  name: "write_objects",
  specUrl: specSection("write_objects"),
  call: (args, context) =>
    context.files.write("objects.tsv", tableText(objectRows(itemsAt(args, 0), "write_objects()"))),
};
