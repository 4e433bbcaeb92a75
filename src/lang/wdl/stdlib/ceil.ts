/** `ceil(1.1)` is 2: the least Int that is not below a Float. */
import { intOfFloat } from "../values/integer.ts";
import { floatAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const ceilFunction: WdlFunction = {
  name: "ceil",
  specUrl: specSection("ceil"),
  call: (args) => intOfFloat(Math.ceil(floatAt(args, 0)), "ceil()"),
};
