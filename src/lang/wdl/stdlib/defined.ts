/** `defined(x)`: whether an optional value is there. */
import { bool, isNone } from "../values/value.ts";
import { argument } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const definedFunction: WdlFunction = {
  name: "defined",
  specUrl: specSection("defined"),
  call: (args) => bool(!isNone(argument(args, 0))),
};
