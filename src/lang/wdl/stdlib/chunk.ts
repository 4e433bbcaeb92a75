/** `chunk([1, 2, 3], 2)` is `[[1, 2], [3]]`. */
import { ValueFailure } from "../values/failure.ts";
import { array } from "../values/value.ts";
import { intAt, itemsAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const chunkFunction: WdlFunction = {
  name: "chunk",
  specUrl: specSection("chunk"),
  call: (args) => {
    const items = itemsAt(args, 0);
    const length = intAt(args, 1);
    if (length <= 0n)
      throw new ValueFailure(`chunk() got the length ${length}, which must be greater than 0`);
    const step = Number(length);
    const chunks = [];
    for (let at = 0; at < items.length; at += step) chunks.push(array(items.slice(at, at + step)));
    return array(chunks);
  },
};
