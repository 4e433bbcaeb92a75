/** `flatten([[1], [2, 3]])` is `[1, 2, 3]`; one level only. */
import { array } from "../values/value.ts";
import { itemsAt, misfit } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const flattenFunction: WdlFunction = {
  name: "flatten",
  specUrl: specSection("flatten"),
  call: (args) =>
    array(
      itemsAt(args, 0).flatMap((inner) => (inner.kind === "array" ? inner.items : misfit(inner, "an Array"))),
    ),
};
