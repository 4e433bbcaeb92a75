/** `write_lines(["a", "b"])`: a file with one line for each String. */
import { render } from "../values/render.ts";
import { itemsAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const writeLinesFunction: WdlFunction = {
  name: "write_lines",
  specUrl: specSection("write_lines"),
  call: (args, context) =>
    context.files.write(
      "lines.txt",
      itemsAt(args, 0)
        .map((item) => `${render(item)}\n`)
        .join(""),
    ),
};
