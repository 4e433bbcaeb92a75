/** `read_object(f)`: a TSV of one line of names and one of values. */
import { ValueFailure } from "../values/failure.ts";
import { andThen } from "../values/maybe-promise.ts";
import { object } from "../values/value.ts";
import { pathAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { objectsOf, rowsOf } from "./text-table.ts";

export const readObjectFunction: WdlFunction = {
  name: "read_object",
  specUrl: specSection("read_object"),
  call: (args, context) => {
    const path = pathAt(args, 0);
    return andThen(context.files.readText(path), (text) => {
      const rows = rowsOf(text, context.bounds);
      if (rows.length !== 2) {
        throw new ValueFailure(`read_object() of ${path.path}: expected two lines, got ${rows.length}`);
      }
      return objectsOf(rows[0] ?? [], rows.slice(1), `read_object() of ${path.path}`)[0] ?? object([]);
    });
  },
};
