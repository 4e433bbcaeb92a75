/** `read_tsv(f)`: rows of Strings; with a header or names (1.2), Objects. */
import { andThen } from "../values/maybe-promise.ts";
import { render } from "../values/render.ts";
import { array, str } from "../values/value.ts";
import { argument, flagAt, itemsAt, pathAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { objectsOf, rowsOf } from "./text-table.ts";

export const readTsvFunction: WdlFunction = {
  name: "read_tsv",
  specUrl: specSection("read_tsv"),
  call: (args, context) => {
    const path = pathAt(args, 0);
    return andThen(context.files.readText(path), (text) => {
      const rows = rowsOf(text, context.bounds);
      const named = argument(args, 2);
      if (!flagAt(args, 1) && named.kind === "none") return array(rows.map((row) => array(row.map(str))));
      const body = flagAt(args, 1) ? rows.slice(1) : rows;
      const names = named.kind === "none" ? (rows[0] ?? []) : itemsAt(args, 2).map(render);
      return array(objectsOf(names, body, `read_tsv() of ${path.path}`));
    });
  },
};
