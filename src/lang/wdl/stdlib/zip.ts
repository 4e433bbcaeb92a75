/** `zip([1, 2], ["a", "b"])`: pairs of the items at equal places; arrays are equally long. */
import { ValueFailure } from "../values/failure.ts";
import { array, none, pair } from "../values/value.ts";
import { itemsAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const zipFunction: WdlFunction = {
  name: "zip",
  specUrl: specSection("zip"),
  call: (args) => {
    const [left, right] = [itemsAt(args, 0), itemsAt(args, 1)];
    if (left.length !== right.length) {
      throw new ValueFailure(
        `zip() got arrays of ${left.length} and ${right.length} items`,
        "both must have the same length",
      );
    }
    return array(left.map((item, i) => pair(item, right[i] ?? none)));
  },
};
