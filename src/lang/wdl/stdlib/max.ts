/** `max(1, 2.0)`: the greater of two numbers; a Float when one of them is. */
import { float, int } from "../values/value.ts";
import { floatAt, intAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const maxFunction: WdlFunction = {
  name: "max",
  specUrl: specSection("max"),
  call: (args, _context, signature) => {
    if (signature.result.kind === "int") {
      const [a, b] = [intAt(args, 0), intAt(args, 1)];
      // biome-ignore lint/complexity/useMathMinMax: Math.max takes no bigint
      return int(a > b ? a : b);
    }
    return float(Math.max(floatAt(args, 0), floatAt(args, 1)));
  },
};
