/** `read_json(f)`: any JSON as a WDL value; what it is shows when it is used. */
import { positionAt } from "../../../kernel/index.ts";
import { ValueFailure } from "../values/failure.ts";
import { fromJson } from "../values/json.ts";
import { readJsonText } from "../values/json-reader.ts";
import { andThen } from "../values/maybe-promise.ts";
import { pathAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const readJsonFunction: WdlFunction = {
  name: "read_json",
  specUrl: specSection("read_json"),
  call: (args, context) => {
    const path = pathAt(args, 0);
    return andThen(context.files.readText(path), (text) => {
      const read = readJsonText(text);
      if (read.kind === "read") return fromJson(read.value);
      const { line, column } = positionAt(text, read.offset);
      throw new ValueFailure(`read_json() of ${path.path}: line ${line}, column ${column}: ${read.message}`);
    });
  },
};
