/** What a split operator splits in an item, and the item with a record instead. */
import { unpackedContent } from "../stdlib/content.ts";
import type { SplitOptions } from "../stdlib/split/options.ts";
import { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { illegal } from "../values/throwable.ts";

export function contentOfItem(
  value: Value,
  options: SplitOptions,
): { readonly text: string; readonly elem: number | undefined } {
  if (!isList(value)) return { text: textIn(value), elem: undefined };
  const path = value.findIndex((each) => each instanceof Path);
  const elem = options.elem ?? Math.max(path, 0);
  return { text: textIn(value[elem] ?? null), elem };
}

function textIn(value: Value): string {
  if (value instanceof Path) return unpackedContent(value);
  if (typeof value === "string") return value;
  return illegal(`a file or text is needed to split, not ${textOf(value)}`);
}

export function replacedItem(value: Value, elem: number | undefined, record: Value): Value {
  if (!isList(value) || elem === undefined) return record;
  return value.map((each, index) => (index === elem ? record : each));
}
