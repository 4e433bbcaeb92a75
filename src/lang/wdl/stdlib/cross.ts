/** `cross([1, 2], ["a"])`: every pair of items of two arrays. */
import { array, pair } from "../values/value.ts";
import { itemsAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const crossFunction: WdlFunction = {
  name: "cross",
  specUrl: specSection("cross"),
  call: (args, { bounds }) => {
    const [lefts, rights] = [itemsAt(args, 0), itemsAt(args, 1)];
    bounds.checkItems(lefts.length * rights.length);
    return array(lefts.flatMap((left) => rights.map((right) => pair(left, right))));
  },
};
