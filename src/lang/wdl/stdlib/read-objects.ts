/** `read_objects(f)`: a TSV with a line of names, one Object for each further line. */
import { andThen } from "../values/maybe-promise.ts";
import { array } from "../values/value.ts";
import { pathAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { objectsOf, rowsOf } from "./text-table.ts";

export const readObjectsFunction: WdlFunction = {
  name: "read_objects",
  specUrl: specSection("read_objects"),
  call: (args, context) => {
    const path = pathAt(args, 0);
    return andThen(context.files.readText(path), (text) => {
      const [names, ...rows] = rowsOf(text, context.bounds);
      return array(objectsOf(names ?? [], rows, `read_objects() of ${path.path}`));
    });
  },
};
