/** `join_paths("/usr", ["bin", "env"])`: one path of several; all but the first are relative. */
import { posix } from "node:path";
import { ValueFailure } from "../values/failure.ts";
import { render } from "../values/render.ts";
import { str } from "../values/value.ts";
import { argument, itemsAt, textAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const joinPathsFunction: WdlFunction = {
  name: "join_paths",
  specUrl: specSection("join_paths"),
  call: (args, context) => {
    const first = argument(args, 0);
    const second = argument(args, 1);
    const parts =
      first.kind === "array"
        ? itemsAt(args, 0).map(render)
        : [textAt(args, 0), ...(second.kind === "array" ? itemsAt(args, 1).map(render) : [textAt(args, 1)])];
    parts.forEach((part, i) => {
      if (i > 0 && part.startsWith("/")) {
        throw new ValueFailure(
          `join_paths() got the absolute path ${part} at position ${i + 1}`,
          "only the first path may be absolute",
        );
      }
    });
    return str(context.files.absolute(posix.join(...parts)));
  },
};
