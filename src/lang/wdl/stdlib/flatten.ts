/** `flatten([[1], [2, 3]])` is `[1, 2, 3]`; one level only. */
import { checkItems } from "../values/limits.ts";
import { array } from "../values/value.ts";
import { itemsAt, misfit } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const flattenFunction: WdlFunction = {
  name: "flatten",
  specUrl: specSection("flatten"),
  call: (args) => {
    const inner = itemsAt(args, 0).map((each) =>
      each.kind === "array" ? each.items : misfit(each, "an Array"),
    );
    checkItems(inner.reduce((sum, items) => sum + items.length, 0));
    return array(inner.flat());
  },
};
