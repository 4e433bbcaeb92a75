/** `write_json(x)`: a value as JSON. */
import { toJsonText } from "../values/json.ts";
import { argument } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const writeJsonFunction: WdlFunction = {
  name: "write_json",
  specUrl: specSection("write_json"),
  call: (args, context) =>
    context.files.write("value.json", `${toJsonText(argument(args, 0), context.version)}\n`),
};
