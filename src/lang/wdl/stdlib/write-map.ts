/** `write_map(m)`: a two-column TSV, in the order of the Map. */
import { render } from "../values/render.ts";
import { entriesAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { tableText } from "./text-table.ts";

export const writeMapFunction: WdlFunction = {
  name: "write_map",
  specUrl: specSection("write_map"),
  call: (args, context) =>
    context.files.write(
      "map.tsv",
      tableText(entriesAt(args, 0).map(([key, value]) => [render(key), render(value)])),
    ),
};
