/** `select_all([a, None, b])` is `[a, b]`. */
import { array, isNone } from "../values/value.ts";
import { itemsAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const selectAllFunction: WdlFunction = {
  name: "select_all",
  specUrl: specSection("select_all"),
  call: (args) => array(itemsAt(args, 0).filter((item) => !isNone(item))),
};
