/** Values of scripts as data that can be kept: with their kinds, and back again. */
import type { CanonicalJson } from "../../../task/index.ts";
import { Decimal } from "../values/decimal.ts";
import { BigInteger, Double } from "../values/double.ts";
import { Duration } from "../values/duration.ts";
import { FileList } from "../values/file-list.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { MemoryUnit } from "../values/memory-unit.ts";
import { Path } from "../values/path.ts";
import { isList, type Value } from "../values/thing.ts";

/** Values that hold each other have no end. */
const deepest = 100;

/** undefined: it cannot be kept. `path` says how files are written. */
export function keptValue(
  value: Value,
  path: (file: Path) => CanonicalJson | undefined,
  depth = 0,
): CanonicalJson | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return ["int", value];
  if (typeof value === "bigint") return ["long", String(value)];
  if (depth > deepest) return undefined;
  const all = (values: Iterable<Value>): CanonicalJson[] | undefined => {
    const kept: CanonicalJson[] = [];
    for (const each of values) {
      const one = keptValue(each, path, depth + 1);
      if (one === undefined) return undefined;
      kept.push(one);
    }
    return kept;
  };
  const tagged = (kind: string, members: CanonicalJson[] | undefined): CanonicalJson | undefined =>
    members === undefined ? undefined : [kind, ...members];
  if (isList(value)) return tagged(value instanceof FileList ? "files" : "list", all(Array.from(value)));
  if (value instanceof GroovySet) return tagged("set", all(value.items()));
  if (value instanceof GroovyMap) {
    if (value.hasDefault) return undefined;
    const members = all(Array.from(value.entries(), ([key, each]): Value => [key, each]));
    return members === undefined ? undefined : ["map", value.type, ...members];
  }
  if (value instanceof Path) {
    const kept = path(value);
    return kept === undefined ? undefined : ["path", kept];
  }
  if (value instanceof Double) {
    // `String(-0)` is "0", and a division by it ends at the other infinity.
    const text = Object.is(value.value, -0) ? "-0" : String(value.value);
    return [value.type === "Float" ? "float" : "double", text];
  }
  if (value instanceof BigInteger) return ["big", String(value.value)];
  if (value instanceof Decimal) return ["decimal", String(value.unscaled), value.scale];
  if (value instanceof MemoryUnit) return ["memory", value.bytes];
  if (value instanceof Duration) return ["duration", value.ms];
  return undefined;
}

/** What `keptValue` has written; undefined: it is something else. */
export function valueOfKept(
  kept: CanonicalJson,
  path: (kept: CanonicalJson) => Path | undefined,
): Value | undefined {
  if (kept === null || typeof kept === "boolean" || typeof kept === "string") return kept;
  if (!isArray(kept)) return undefined;
  const [kind, ...rest] = kept;
  const all = (values: readonly CanonicalJson[]): Value[] | undefined => {
    const found: Value[] = [];
    for (const each of values) {
      const one = valueOfKept(each, path);
      if (one === undefined) return undefined;
      found.push(one);
    }
    return found;
  };
  const [first = null, second = null] = rest;
  switch (kind) {
    case "int":
      return typeof first === "number" ? first : undefined;
    case "long":
      return BigInt(String(first));
    case "big":
      return new BigInteger(BigInt(String(first)));
    case "double":
    case "float":
      return new Double(Number(first), kind === "float" ? "Float" : "Double");
    case "decimal":
      return new Decimal(BigInt(String(first)), Number(second));
    case "memory":
      return new MemoryUnit(Number(first));
    case "duration":
      return new Duration(Number(first));
    case "path":
      return path(first);
    case "list":
      return all(rest);
    case "files": {
      const list = new FileList();
      const found = all(rest);
      if (found === undefined) return undefined;
      for (const each of found) list.push(each);
      return list;
    }
    case "set": {
      const found = all(rest);
      return found === undefined ? undefined : new GroovySet(found);
    }
    case "map": {
      const found = all(rest.slice(1));
      if (found === undefined) return undefined;
      const entries = found.flatMap((each): (readonly [Value, Value])[] =>
        isList(each) ? [[each[0] ?? null, each[1] ?? null]] : [],
      );
      return new GroovyMap(entries, String(first));
    }
    default:
      return undefined;
  }
}

function isArray(value: CanonicalJson): value is readonly CanonicalJson[] {
  return Array.isArray(value);
}
