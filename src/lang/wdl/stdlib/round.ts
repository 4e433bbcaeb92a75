/** `round(1.5)` is 2: the nearest Int, halves go up. */
import { intOfFloat } from "../values/integer.ts";
import { floatAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const roundFunction: WdlFunction = {
  name: "round",
  specUrl: specSection("round"),
  call: (args) => intOfFloat(Math.round(floatAt(args, 0)), "round()"),
};
