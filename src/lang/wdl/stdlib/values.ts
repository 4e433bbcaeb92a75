/** `values(m)`: the values in the order of the Map. */
import { array } from "../values/value.ts";
import { entriesAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const valuesOfFunction: WdlFunction = {
  name: "values",
  specUrl: specSection("values"),
  call: (args) => array(entriesAt(args, 0).map(([, value]) => value)),
};
