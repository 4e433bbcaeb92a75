/** `contains(names, "a")`: whether an array holds a value. */
import { equal } from "../values/compare.ts";
import { bool } from "../values/value.ts";
import { argument, itemsAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const containsFunction: WdlFunction = {
  name: "contains",
  specUrl: specSection("contains"),
  call: (args) => bool(itemsAt(args, 0).some((item) => equal(item, argument(args, 1)))),
};
