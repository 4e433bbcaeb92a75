/** Values of scripts as JSON. */
import { Duration } from "../../values/duration.ts";
import { GroovyMap, GroovySet } from "../../values/map.ts";
import { MemoryUnit } from "../../values/memory-unit.ts";
import { isNumber, toNumber } from "../../values/number.ts";
import { textOf } from "../../values/text.ts";
import { isList, type Value } from "../../values/thing.ts";
import type { Json } from "./validate.ts";

export function plain(value: Value): Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (isNumber(value)) return toNumber(value);
  if (isList(value)) return value.map(plain);
  if (value instanceof GroovySet) return value.items().map(plain);
  if (value instanceof GroovyMap)
    return Object.fromEntries(
      Array.from(value.entries()).flatMap(([key, each]) =>
        each === null ? [] : [[textOf(key), plain(each)] as const],
      ),
    );
  if (value instanceof MemoryUnit) return value.text();
  if (value instanceof Duration) return value.text();
  return textOf(value);
}
