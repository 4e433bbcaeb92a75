/** `as_map([("a", 1)])` is `{"a": 1}`; keys are unique. */
import { ValueFailure } from "../values/failure.ts";
import { describe, keyText, map, none } from "../values/value.ts";
import { itemsAt, misfit } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const asMapFunction: WdlFunction = {
  name: "as_map",
  specUrl: specSection("as_map"),
  call: (args) => {
    const pairs = itemsAt(args, 0).map((item) => (item.kind === "pair" ? item : misfit(item, "a Pair")));
    const made = map(pairs.map((each) => [each.left, each.right] as const));
    if (made.entries.size !== pairs.length) {
      const seen = new Set<string>();
      const twice = pairs.find((each) => seen.size === seen.add(keyText(each.left)).size);
      throw new ValueFailure(
        `as_map(): the key ${describe(twice?.left ?? none)} comes twice`,
        "collect_by_key() keeps all values of a key",
      );
    }
    return made;
  },
};
