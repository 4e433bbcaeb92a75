/** `quote(["a"])`: every item in double quotes. */
import { render } from "../values/render.ts";
import { array, str } from "../values/value.ts";
import { itemsAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const quoteFunction: WdlFunction = {
  name: "quote",
  specUrl: specSection("quote"),
  call: (args) => array(itemsAt(args, 0).map((item) => str(`"${render(item)}"`))),
};
