/** `sep(" ", items)`: the items with a text between them. */
import { render } from "../values/render.ts";
import { str } from "../values/value.ts";
import { itemsAt, textAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const sepFunction: WdlFunction = {
  name: "sep",
  specUrl: specSection("sep"),
  call: (args) => str(itemsAt(args, 1).map(render).join(textAt(args, 0))),
};
