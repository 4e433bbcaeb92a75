/** `read_boolean(f)`: the one Boolean that a file holds, in any case. */
import { ValueFailure } from "../values/failure.ts";
import { andThen } from "../values/maybe-promise.ts";
import { bool } from "../values/value.ts";
import { pathAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { excerpt } from "./text-table.ts";

export const readBooleanFunction: WdlFunction = {
  name: "read_boolean",
  specUrl: specSection("read_boolean"),
  call: (args, context) => {
    const path = pathAt(args, 0);
    return andThen(context.files.readText(path), (text) => {
      const word = text.trim().toLowerCase();
      if (word === "true" || word === "false") return bool(word === "true");
      throw new ValueFailure(`read_boolean() of ${path.path}: expected true or false, got ${excerpt(text)}`);
    });
  },
};
