/** `squote(["a"])`: every item in single quotes. */
import { render } from "../values/render.ts";
import { array, str } from "../values/value.ts";
import { itemsAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const squoteFunction: WdlFunction = {
  name: "squote",
  specUrl: specSection("squote"),
  call: (args) => array(itemsAt(args, 0).map((item) => str(`'${render(item)}'`))),
};
