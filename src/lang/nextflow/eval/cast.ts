/** `value as Type`. */
import { truthOf } from "../values/compare.ts";
import { Decimal } from "../values/decimal.ts";
import { BigInteger, Double } from "../values/double.ts";
import { Duration } from "../values/duration.ts";
import { Iteration } from "../values/iteration.ts";
import { GroovyMap, GroovySet, pairOf } from "../values/map.ts";
import { MemoryUnit } from "../values/memory-unit.ts";
import { isNumber, toBigInt, toDecimal, toNumber } from "../values/number.ts";
import { Range } from "../values/range.ts";
import { setOf } from "../values/sets.ts";
import { textOf } from "../values/text.ts";
import { isList, type List, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { isInstance, typeName } from "../values/type-name.ts";
import { VersionNumber } from "../values/version-number.ts";

export function cast(value: Value, type: string): Value {
  if (type.endsWith("[]"))
    return value === null ? null : itemsOf(value).map((each) => cast(each, type.slice(0, -2)));
  const simple = type.split(".").at(-1) ?? type;
  if (simple === "boolean" || simple === "Boolean") return truthOf(value);
  if (value === null) return null;
  switch (simple) {
    case "String":
    case "CharSequence":
    case "GString":
      return textOf(value);
    case "int":
    case "Integer":
    case "short":
    case "Short":
    case "byte":
    case "Byte":
      return value instanceof Double
        ? Math.trunc(Math.min(2147483647, Math.max(-2147483648, value.value || 0)))
        : Number(BigInt.asIntN(32, wholeOf(value, simple)));
    case "long":
    case "Long":
      return BigInt.asIntN(64, wholeOf(value, simple));
    case "BigInteger":
      return new BigInteger(wholeOf(value, simple));
    case "double":
    case "Double":
      return new Double(numberOf(value, simple));
    case "float":
    case "Float":
      return new Double(numberOf(value, simple), "Float");
    case "BigDecimal":
    case "Number":
      if (isNumber(value)) return simple === "Number" ? value : toDecimal(value);
      return Decimal.parse(numberText(value, simple));
    case "List":
    case "ArrayList":
    case "Collection":
    case "Iterable":
    case "LinkedList":
    case "Bag":
      return itemsOf(value);
    case "Set":
    case "HashSet":
    case "LinkedHashSet":
    case "TreeSet":
      if (value instanceof GroovySet && (simple === "Set" || value.type === simple)) return value;
      return setOf(itemsOf(value), simple);
    case "Map":
    case "LinkedHashMap":
    case "HashMap":
    case "TreeMap":
      return mapOf(value);
    case "MemoryUnit":
      return MemoryUnit.of(value);
    case "Duration":
      return Duration.of(value);
    case "VersionNumber":
      return new VersionNumber(textOf(value));
    case "Object":
    case "def":
      return value;
    case "char":
    case "Character":
      return typeof value === "number" ? String.fromCharCode(value) : textOf(value).slice(0, 1);
    default:
      return isInstance(value, type)
        ? value
        : fail("GroovyCastException", `Cannot cast '${textOf(value)}' of ${typeName(value)} to ${type}`);
  }
}

function numberText(value: Value, type: string): string {
  const text = typeof value === "string" ? value.trim() : "";
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text))
    fail(
      typeof value === "string" ? "NumberFormatException" : "GroovyCastException",
      typeof value === "string"
        ? `For input string: "${value}"`
        : `Cannot cast '${textOf(value)}' of ${typeName(value)} to ${type}`,
    );
  return text;
}

function numberOf(value: Value, type: string): number {
  return isNumber(value) ? toNumber(value) : Number(numberText(value, type));
}

function wholeOf(value: Value, type: string): bigint {
  if (isNumber(value)) return toBigInt(value);
  const text = numberText(value, type);
  if (!/^[+-]?\d+$/.test(text)) fail("NumberFormatException", `For input string: "${text}"`);
  return BigInt(text.replace(/^\+/, ""));
}

export function itemsOf(value: Value): List {
  if (isList(value)) return value;
  if (value instanceof Range || value instanceof GroovySet) return value.items();
  if (value instanceof GroovyMap) return Array.from(value.entries(), ([key, each]) => [key, each]);
  if (value === null) return [];
  if (typeof value === "string") return [...value];
  if (value instanceof Iteration) return value.rest();
  return [value];
}

function mapOf(value: Value): Value {
  if (value instanceof GroovyMap) return value;
  const pairs = itemsOf(value).map((each) => pairOf(each));
  if (pairs.some((pair) => pair === undefined))
    fail("GroovyCastException", `Cannot cast '${textOf(value)}' of ${typeName(value)} to Map`);
  return new GroovyMap(pairs.filter((pair) => pair !== undefined));
}
