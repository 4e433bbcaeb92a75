/** `contains_key(m, "a")`, `contains_key(m, ["a", "b"])`: whether a key, or a path of keys, is there. */

import { render } from "../values/render.ts";
import { bool, keyText, type WdlValue } from "../values/value.ts";
import { argument, hasMembers } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const containsKeyFunction: WdlFunction = {
  name: "contains_key",
  specUrl: specSection("contains_key"),
  call: (args) => {
    const key = argument(args, 1);
    const path = key.kind === "array" ? key.items : [key];
    let value: WdlValue | undefined = argument(args, 0);
    for (const step of path) {
      value = value === undefined ? undefined : at(value, step);
    }
    return bool(value !== undefined && path.length > 0);
  },
};

function at(value: WdlValue, key: WdlValue): WdlValue | undefined {
  if (value.kind === "map") return value.entries.get(keyText(key))?.[1];
  return hasMembers(value) ? value.members.get(render(key)) : undefined;
}
