/** `unzip([(1, "a"), (2, "b")])` is `([1, 2], ["a", "b"])`. */
import { array, pair } from "../values/value.ts";
import { itemsAt, misfit } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const unzipFunction: WdlFunction = {
  name: "unzip",
  specUrl: specSection("unzip"),
  call: (args) => {
    const pairs = itemsAt(args, 0).map((item) => (item.kind === "pair" ? item : misfit(item, "a Pair")));
    return pair(array(pairs.map((each) => each.left)), array(pairs.map((each) => each.right)));
  },
};
