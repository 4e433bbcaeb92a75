/** `read_float(f)`: the one Float that a file holds; white space around it does not count. */
import { ValueFailure } from "../values/failure.ts";
import { parseFloatText } from "../values/integer.ts";
import { andThen } from "../values/maybe-promise.ts";
import { float } from "../values/value.ts";
import { pathAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { excerpt } from "./text-table.ts";

export const readFloatFunction: WdlFunction = {
  name: "read_float",
  specUrl: specSection("read_float"),
  call: (args, context) => {
    const path = pathAt(args, 0);
    return andThen(context.files.readText(path), (text) => {
      const number = parseFloatText(text);
      if (number === undefined)
        throw new ValueFailure(`read_float() of ${path.path}: expected one Float, got ${excerpt(text)}`);
      return float(number);
    });
  },
};
