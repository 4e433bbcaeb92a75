/** `cross([1, 2], ["a"])`: every pair of items of two arrays. */
import { array, pair } from "../values/value.ts";
import { itemsAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const crossFunction: WdlFunction = {
  name: "cross",
  specUrl: specSection("cross"),
  call: (args) =>
    array(itemsAt(args, 0).flatMap((left) => itemsAt(args, 1).map((right) => pair(left, right)))),
};
