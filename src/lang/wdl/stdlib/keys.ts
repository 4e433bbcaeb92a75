/** `keys(m)`: the keys in order; of structs and Objects (1.2) the member names. */
import { array, str } from "../values/value.ts";
import { argument, entriesAt, hasMembers } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const keysOfFunction: WdlFunction = {
  name: "keys",
  specUrl: specSection("keys"),
  call: (args) => {
    const value = argument(args, 0);
    return hasMembers(value)
      ? array([...value.members.keys()].map(str))
      : array(entriesAt(args, 0).map(([key]) => key));
  },
};
