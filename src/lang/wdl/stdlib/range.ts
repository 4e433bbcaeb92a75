/** `range(3)` is `[0, 1, 2]`. */
import { ValueFailure } from "../values/failure.ts";
import { array, int } from "../values/value.ts";
import { intAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const rangeFunction: WdlFunction = {
  name: "range",
  specUrl: specSection("range"),
  call: (args, { bounds }) => {
    const length = intAt(args, 0);
    if (length < 0n) throw new ValueFailure(`range() got ${length}, which is negative`);
    const { items } = bounds.limits;
    if (length > items) throw new ValueFailure(`range() got ${length}, the limit is ${items}`);
    return array(Array.from({ length: Number(length) }, (_, i) => int(i)));
  },
};
