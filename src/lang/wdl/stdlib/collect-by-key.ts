/** `collect_by_key([("a", 1), ("a", 2)])` is `{"a": [1, 2]}`. */
import { array, keyText, map, type WdlValue } from "../values/value.ts";
import { itemsAt, misfit } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const collectByKeyFunction: WdlFunction = {
  name: "collect_by_key",
  specUrl: specSection("collect_by_key"),
  call: (args) => {
    const groups = new Map<string, { readonly key: WdlValue; readonly items: WdlValue[] }>();
    for (const item of itemsAt(args, 0)) {
      const each = item.kind === "pair" ? item : misfit(item, "a Pair");
      const group = groups.get(keyText(each.left));
      if (group === undefined) groups.set(keyText(each.left), { key: each.left, items: [each.right] });
      else group.items.push(each.right);
    }
    return map([...groups.values()].map((group) => [group.key, array(group.items)] as const));
  },
};
