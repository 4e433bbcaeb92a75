/** `length(x)`: items of an Array, entries of a Map or Object, characters of a String. */
import { int } from "../values/value.ts";
import { argument, misfit } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const lengthFunction: WdlFunction = {
  name: "length",
  specUrl: specSection("length"),
  call: (args) => {
    const value = argument(args, 0);
    switch (value.kind) {
      case "array":
        return int(value.items.length);
      case "map":
        return int(value.entries.size);
      case "struct":
      case "object":
        return int(value.members.size);
      case "string":
        return int([...value.value].length);
      default:
        return misfit(value, "an Array, Map, Object or String");
    }
  },
};
