/** `splitJson`: the items of JSON texts. */

import { indexed, property } from "../../eval/access.ts";
import { readJson } from "../../stdlib/json.ts";
import { splitOptions } from "../../stdlib/split/options.ts";
import { GroovyMap } from "../../values/map.ts";
import { textOf } from "../../values/text.ts";
import { isList, type Value } from "../../values/thing.ts";
import type { Operator } from "../operator.ts";
import { contentOfItem, replacedItem } from "../split-item.ts";
import { through } from "../through.ts";

export const splitJson: Operator = (source, given) => {
  const options = splitOptions(given);
  const path = options.all.at("path");
  return through(source, "queue", (out) => ({
    next: (value, rank) => {
      const { text, elem } = contentOfItem(value, options);
      let found = readJson(text);
      for (const part of path === undefined || path === null ? [] : textOf(path).split("."))
        found = memberAt(found, part);
      const items = itemsOf(found);
      const some = options.limit === undefined ? items : items.slice(0, options.limit);
      for (const [index, each] of some.entries()) out.emit(replacedItem(value, elem, each), [...rank, index]);
    },
    end: () => out.close(),
  }));
};

/** `name`, `name[2]` */
function memberAt(value: Value, part: string): Value {
  const [, name = "", indexes = ""] = /^([^[]*)((?:\[\d+\])*)$/.exec(part) ?? [];
  let found = name === "" ? value : property(value, name);
  for (const [, index] of indexes.matchAll(/\[(\d+)\]/g)) found = indexed(found, [Number(index)]);
  return found;
}

/** Members of an object come as maps of key and value. */
function itemsOf(value: Value): readonly Value[] {
  if (isList(value)) return value;
  if (value instanceof GroovyMap)
    return Array.from(value.entries(), ([key, each]) => GroovyMap.of({ key, value: each }));
  return [value];
}
