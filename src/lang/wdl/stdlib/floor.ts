/** `floor(1.9)` is 1: the greatest Int that is not above a Float. */
import { intOfFloat } from "../values/integer.ts";
import { floatAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const floorFunction: WdlFunction = {
  name: "floor",
  specUrl: specSection("floor"),
  call: (args) => intOfFloat(Math.floor(floatAt(args, 0)), "floor()"),
};
