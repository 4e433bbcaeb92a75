/** The order in which nf-test keeps the items of a channel, which come in any order. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { GroovyMap } from "../../../src/lang/nextflow/values/map.ts";
import { isNumber } from "../../../src/lang/nextflow/values/number.ts";
import { textOf } from "../../../src/lang/nextflow/values/text.ts";
import { isList, type List, type Value } from "../../../src/lang/nextflow/values/thing.ts";
import { md5OfFile } from "./snapshot.ts";

export function sortedChannel(items: readonly Value[]): List {
  return items.map(sortedMaps).sort(byItem);
}

/** Maps with their keys in order, at all depths. */
export function sortedMaps(value: Value): Value {
  if (isList(value)) return value.map(sortedMaps);
  if (!(value instanceof GroovyMap)) return value;
  const entries = Array.from(value.entries(), ([key, each]): [Value, Value] => [key, sortedMaps(each)]);
  return new GroovyMap(entries.sort(([a], [b]) => byText(textOf(a), textOf(b))));
}

function byItem(a: Value, b: Value): number {
  if (!isList(a) || !isList(b)) return byValue(a, b);
  for (const [index, each] of a.entries()) {
    const order = byValue(each, b[index] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function byValue(a: Value, b: Value): number {
  if (typeof a === "string" && typeof b === "string")
    return a.startsWith("/") && b.startsWith("/") ? byPath(a, b) : byText(a, b);
  if (isNumber(a) && isNumber(b)) return Number(textOf(a)) - Number(textOf(b));
  if (a instanceof GroovyMap && b instanceof GroovyMap) return byText(javaText(a), javaText(b));
  if (typeof a === "boolean" && typeof b === "boolean") return 0;
  // Of other kinds the order stays.
  return isList(a) && isList(b) ? 0 : 1;
}

/** As Java writes lists and maps. */
function javaText(value: Value): string {
  if (isList(value)) return `[${value.map(javaText).join(", ")}]`;
  if (!(value instanceof GroovyMap)) return textOf(value);
  return `{${Array.from(value.entries(), ([key, each]) => `${javaText(key)}=${javaText(each)}`).join(", ")}}`;
}

function byPath(a: string, b: string): number {
  const order = byText(basename(a), basename(b));
  return order !== 0 || !existsSync(a) || !existsSync(b) ? order : byText(md5OfFile(a), md5OfFile(b));
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
