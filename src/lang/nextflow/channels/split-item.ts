/** What a split operator splits in an item, and the item with a record instead. */
import { unpackedContent } from "../stdlib/content.ts";
import type { Outside } from "../stdlib/outside.ts";
import type { SplitOptions } from "../stdlib/split/options.ts";
import { lastPart, Path } from "../values/path.ts";
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

/** With the option `file` chunks of text become files that are called after their source. */
export function asFiles(
  chunks: readonly Value[],
  value: Value,
  options: SplitOptions,
  outside: Outside,
): readonly Value[] {
  if (options.file === false || options.file === null) return chunks;
  const source = isList(value) ? value.find((each) => each instanceof Path) : value;
  const given = options.file;
  const name =
    typeof given === "string"
      ? lastPart(given)
      : source instanceof Path
        ? source.fileName.replace(/\.gz$/, "")
        : "chunk";
  const dot = name.lastIndexOf(".");
  const [base, end] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  const folder = outside.newFolder();
  return chunks.map((chunk, index) => {
    if (typeof chunk !== "string") return illegal("only chunks of text can be made into files");
    const target = `${folder}/${base}.${index + 1}${end}`;
    outside.files.write(target, chunk, "replace");
    return new Path(target, outside.files);
  });
}

export function replacedItem(value: Value, elem: number | undefined, record: Value): Value {
  if (!isList(value) || elem === undefined) return record;
  return value.map((each, index) => (index === elem ? record : each));
}
