/** `prefix("-i ", files)`: a text before every item. */
import { render } from "../values/render.ts";
import { array, str } from "../values/value.ts";
import { itemsAt, textAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const prefixFunction: WdlFunction = {
  name: "prefix",
  specUrl: specSection("prefix"),
  call: (args) => array(itemsAt(args, 1).map((item) => str(textAt(args, 0) + render(item)))),
};
