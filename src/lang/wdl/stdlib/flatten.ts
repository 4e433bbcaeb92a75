/** `flatten([[1], [2, 3]])` is `[1, 2, 3]`; one level only. */
import { array } from "../values/value.ts";
import { itemsAt, misfit } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const flattenFunction: WdlFunction = {
  name: "flatten",
  specUrl: specSection("flatten"),
  call: (args, { bounds }) => {
    const inner = itemsAt(args, 0).map((each) =>
      each.kind === "array" ? each.items : misfit(each, "an Array"),
    );
    bounds.checkItems(inner.reduce((sum, items) => sum + items.length, 0));
    return array(inner.flat());
  },
};
