/** `select_first([a, b])`: the first item that is not None, or the default (1.2). */
import { NothingThere } from "../values/failure.ts";
import { isNone } from "../values/value.ts";
import { argument, itemsAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const selectFirstFunction: WdlFunction = {
  name: "select_first",
  specUrl: specSection("select_first"),
  call: (args) => {
    const found = itemsAt(args, 0).find((item) => !isNone(item)) ?? argument(args, 1);
    if (isNone(found)) {
      throw new NothingThere(
        "select_first() found no value: every item is None",
        "add a default as the last item or, from 1.2 on, as the second argument",
      );
    }
    return found;
  },
};
