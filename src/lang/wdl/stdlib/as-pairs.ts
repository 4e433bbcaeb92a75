/** `as_pairs({"a": 1})` is `[("a", 1)]`, in the order of the Map. */
import { array, pair } from "../values/value.ts";
import { entriesAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const asPairsFunction: WdlFunction = {
  name: "as_pairs",
  specUrl: specSection("as_pairs"),
  call: (args) => array(entriesAt(args, 0).map(([key, value]) => pair(key, value))),
};
