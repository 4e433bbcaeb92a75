/** Values of scripts as values that leave the front end. */
import type { FileValue, Value as NeutralValue } from "../../../task/index.ts";
import { Decimal } from "../values/decimal.ts";
import { BigInteger, Double } from "../values/double.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { Path } from "../values/path.ts";
import { Range } from "../values/range.ts";
import { textOf } from "../values/text.ts";
import { isList, Thing, type Value } from "../values/thing.ts";

export function toNeutral(value: Value): NeutralValue {
  if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "bigint")
    return value;
  if (typeof value === "number") return BigInt(value);
  if (value instanceof Double) return value.value;
  if (value instanceof Decimal) return value.toNumber();
  if (value instanceof BigInteger) return value.value;
  if (isList(value)) return value.map(toNeutral);
  if (value instanceof GroovySet || value instanceof Range) return value.items().map(toNeutral);
  if (value instanceof GroovyMap)
    return {
      kind: "record",
      entries: Array.from(value.entries(), ([key, each]) => [textOf(key), toNeutral(each)] as const),
    };
  if (value instanceof Path) return fileOf(value);
  return value instanceof Thing ? textOf(value) : null;
}

/** A path that leads nowhere is its text. */
function fileOf(path: Path): NeutralValue {
  if (path.source !== undefined) return path.source;
  if (path.isRemote) return path.location;
  const found = path.files.stat(path.absolute);
  if (found === undefined) return path.location;
  const file: FileValue = { kind: found.kind, location: path.absolute, basename: path.name };
  return file;
}
