/** `read_int(f)`: the one Int that a file holds; white space around it does not count. */
import { ValueFailure } from "../values/failure.ts";
import { int64, parseInteger } from "../values/integer.ts";
import { andThen } from "../values/maybe-promise.ts";
import { pathAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { excerpt } from "./text-table.ts";

export const readIntFunction: WdlFunction = {
  name: "read_int",
  specUrl: specSection("read_int"),
  call: (args, context) => {
    const path = pathAt(args, 0);
    return andThen(context.files.readText(path), (text) => {
      const number = parseInteger(text);
      if (number === undefined)
        throw new ValueFailure(`read_int() of ${path.path}: expected one Int, got ${excerpt(text)}`);
      return int64(number, "read_int()");
    });
  },
};
