/** `suffix(".bam", names)`: a text after every item. */
import { render } from "../values/render.ts";
import { array, str } from "../values/value.ts";
import { itemsAt, textAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const suffixFunction: WdlFunction = {
  name: "suffix",
  specUrl: specSection("suffix"),
  call: (args) => array(itemsAt(args, 1).map((item) => str(render(item) + textAt(args, 0)))),
};
