/** Static methods and constants of the Java and Groovy classes that scripts use. */
import { randomUUID } from "node:crypto";
import { cast, itemsOf } from "../eval/cast.ts";
import { compare, equal } from "../values/compare.ts";
import { Decimal } from "../values/decimal.ts";
import { Double } from "../values/double.ts";
import { Duration } from "../values/duration.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { MemoryUnit } from "../values/memory-unit.ts";
import {
  arithmetic,
  fitting,
  isNumber,
  isWhole,
  type Num,
  negated,
  toBigInt,
  toNumber,
} from "../values/number.ts";
import { Pattern } from "../values/pattern.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { formatDate, namedPatterns, TimeValue } from "./date.ts";
import { format } from "./format.ts";
import { readJson, writeJson } from "./json.ts";
import { listMethods } from "./list.ts";
import { numberAt, textAt } from "./method.ts";
import { pathMethods } from "./path.ts";
import { TimeUnit, timeUnits } from "./time-unit.ts";

type Static = (given: readonly Value[]) => Value;
type Statics = Readonly<Record<string, Static>>;

function of(run: (value: number, second: number) => number): Static {
  return (given) =>
    new Double(run(toNumber(numberAt(given, 0)), given.length > 1 ? toNumber(numberAt(given, 1)) : 0));
}

function one(run: (value: Value) => Value): Static {
  return (given) => run(given[0] ?? null);
}

function rounded(value: Num): Value {
  return isWhole(value) ? value : BigInt(Math.floor(toNumber(value) + 0.5));
}

const math: Statics = {
  abs: (given) => {
    const value = numberAt(given, 0);
    // There is none of exact decimals: Java takes the one of doubles.
    if (value instanceof Decimal) return new Double(Math.abs(value.toNumber()));
    return compare(value, 0) < 0 ? negated(value) : value;
  },
  ceil: of((value) => Math.ceil(value)),
  exp: of((value) => Math.exp(value)),
  floor: of((value) => Math.floor(value)),
  floorDiv: (given) =>
    fitting(BigInt(Math.floor(toNumber(numberAt(given, 0)) / toNumber(numberAt(given, 1))))),
  floorMod: (given) => {
    const divisor = numberAt(given, 1);
    return arithmetic("%", arithmetic("+", arithmetic("%", numberAt(given, 0), divisor), divisor), divisor);
  },
  log: of((value) => Math.log(value)),
  log10: of((value) => Math.log10(value)),
  log2: of((value) => Math.log2(value)),
  max: (given) => widened(given, compare(numberAt(given, 0), numberAt(given, 1)) >= 0 ? 0 : 1),
  min: (given) => widened(given, compare(numberAt(given, 0), numberAt(given, 1)) <= 0 ? 0 : 1),
  pow: of((value, exponent) => value ** exponent),
  random: () =>
    fail("UnsupportedOperationException", "random numbers would make results that cannot be reused"),
  round: (given) => rounded(numberAt(given, 0)),
  signum: of((value) => Math.sign(value)),
  sqrt: of((value) => Math.sqrt(value)),
  ".PI": () => new Double(Math.PI),
  ".E": () => new Double(Math.E),
};

/** Of a double and another number Java's answer is a double. */
function widened(given: readonly Value[], index: number): Value {
  const [a, b] = [numberAt(given, 0), numberAt(given, 1)];
  const chosen = index === 0 ? a : b;
  return a instanceof Double || b instanceof Double ? new Double(toNumber(chosen)) : chosen;
}

/** Negative integers as their bits. */
function bits(value: Value, base: number): string {
  const number = numberAt([value], 0);
  return BigInt.asUintN(typeof number === "bigint" ? 64 : 32, toBigInt(number)).toString(base);
}

const now = (zone: "" | "Z"): Statics => ({ now: () => new TimeValue(Date.now(), zone) });

export const statics: Readonly<Record<string, Statics>> = {
  Instant: now("Z"),
  OffsetDateTime: now("Z"),
  ZonedDateTime: now("Z"),
  LocalDateTime: now(""),
  LocalDate: { now: () => formatDate(Date.now(), "yyyy-MM-dd") },
  DateTimeFormatter: {
    ofPattern: (given) => textAt(given, 0),
    ...Object.fromEntries(Object.entries(namedPatterns).map(([name, text]) => [`.${name}`, () => text])),
  },
  Math: math,
  String: {
    format: ([pattern = "", ...given]) => format(textOf(pattern), given),
    join: ([separator = "", ...items]) => {
      const [only] = items;
      return (items.length === 1 && isList(only) ? only : items)
        .map((each) => textOf(each))
        .join(textOf(separator));
    },
    valueOf: one((value) => textOf(value)),
  },
  Integer: {
    parseInt: one((value) => cast(textOf(value), "int")),
    valueOf: one((value) => cast(value, "int")),
    toString: ([value = null, base]: readonly Value[]) =>
      base === undefined
        ? textOf(value)
        : toBigInt(numberAt([value], 0)).toString(toNumber(numberAt([base], 0))),
    toBinaryString: one((value) => bits(value, 2)),
    toHexString: one((value) => bits(value, 16)),
    toOctalString: one((value) => bits(value, 8)),
    compare: ([a = null, b = null]) => compare(a, b),
    sum: ([a = null, b = null]) => arithmetic("+", numberAt([a], 0), numberAt([b], 0)),
    ".MAX_VALUE": () => 2147483647,
    ".MIN_VALUE": () => -2147483648,
    max: (given) => widened(given, compare(numberAt(given, 0), numberAt(given, 1)) >= 0 ? 0 : 1),
    min: (given) => widened(given, compare(numberAt(given, 0), numberAt(given, 1)) <= 0 ? 0 : 1),
  },
  Long: {
    toBinaryString: one((value) => bits(cast(value, "long"), 2)),
    toHexString: one((value) => bits(cast(value, "long"), 16)),
    parseLong: one((value) => cast(textOf(value), "long")),
    valueOf: one((value) => cast(value, "long")),
    ".MAX_VALUE": () => 9223372036854775807n,
    ".MIN_VALUE": () => -9223372036854775808n,
  },
  Double: {
    parseDouble: one((value) => cast(textOf(value), "double")),
    valueOf: one((value) => cast(value, "double")),
    ".MAX_VALUE": () => new Double(Number.MAX_VALUE),
  },
  Float: {
    parseFloat: one((value) => cast(textOf(value), "float")),
    valueOf: one((value) => cast(value, "float")),
  },
  Boolean: {
    parseBoolean: one((value) => textOf(value).toLowerCase() === "true"),
    valueOf: one((value) => textOf(value).toLowerCase() === "true"),
    ".TRUE": () => true,
    ".FALSE": () => false,
  },
  BigDecimal: { valueOf: one((value) => cast(value, "BigDecimal")) },
  Pattern: {
    compile: (given) => new Pattern(textAt(given, 0)),
    quote: (given) => `\\Q${textAt(given, 0)}\\E`,
    matches: (given) => new RegExp(`^(?:${textAt(given, 0)})$`).test(textAt(given, 1)),
  },
  UUID: { randomUUID: () => randomUUID() },
  Arrays: { asList: (given) => (given.length === 1 && isList(given[0]) ? given[0] : [...given]) },
  Collections: {
    emptyList: () => [],
    emptyMap: () => new GroovyMap(),
    emptySet: () => new GroovySet(),
    frequency: ([items = null, sought = null]) => itemsOf(items).filter((each) => equal(each, sought)).length,
    max: one((items) => listMethods["max"]?.(items, []) ?? null),
    min: one((items) => listMethods["min"]?.(items, []) ?? null),
    nCopies: ([count = null, value = null]) =>
      Array.from({ length: toNumber(numberAt([count], 0)) }, () => value),
    reverse: one((items) => listMethods["reverse"]?.(items, [true]) ?? null),
    singletonList: one((value) => [value]),
    sort: ([items = null, ...closure]) => listMethods["sort"]?.(items, closure) ?? null,
    unmodifiableList: one((list) => list),
    unmodifiableMap: one((map) => map),
  },
  TimeUnit: Object.fromEntries(
    Object.keys(timeUnits).map((name) => [`.${name}`, () => new TimeUnit(name)] as const),
  ),
  TimeZone: { getTimeZone: one((zone) => zone), getDefault: () => "UTC" },
  List: { of: (given) => [...given] },
  Objects: { equals: ([a = null, b = null]) => compare(a, b) === 0, isNull: one((a) => a === null) },
  MemoryUnit: { of: one((value) => MemoryUnit.of(value)), valueOf: one((value) => MemoryUnit.of(value)) },
  Duration: { of: one((value) => Duration.of(value)), valueOf: one((value) => Duration.of(value)) },
  JsonOutput: {
    toJson: one((value) => writeJson(value)),
    prettyPrint: one((text) => writeJson(readJson(textOf(text)), "pretty")),
  },
  Thread: { sleep: () => null },
  Character: {
    isDigit: one((text) => /^\d$/.test(textOf(text))),
    isLetter: one((text) => /^\p{L}$/u.test(textOf(text))),
    isUpperCase: one((text) => /^\p{Lu}$/u.test(textOf(text))),
  },
};

/** Names of classes that stand for themselves in `instanceof`, `as` and criteria. */
export const classNames = new Set([
  ...Object.keys(statics),
  "Object",
  "Number",
  "BigInteger",
  "Map",
  "Set",
  "Collection",
  "Path",
  "File",
  "Date",
  "ArrayList",
  "LinkedHashMap",
  "HashMap",
  "LinkedHashSet",
  "HashSet",
  "GString",
  "CharSequence",
  "Closure",
  "VersionNumber",
  "Exception",
  "Iterable",
  "Tuple",
  "Record",
  "Bag",
]);

export function callStatic(type: string, name: string, given: readonly Value[]): Value | undefined {
  const simple = type.split(".").at(-1) ?? type;
  const own = Object.hasOwn(statics, simple) ? statics[simple] : undefined;
  const found = own !== undefined && Object.hasOwn(own, name) ? own[name] : undefined;
  if (found !== undefined) return found(given);
  // Methods of paths under their Java name.
  if (simple === "FilesEx" && Object.hasOwn(pathMethods, name))
    return pathMethods[name]?.(given[0] ?? null, given.slice(1));
  if (simple === "Integer" && name === "getMAX_VALUE") return 2147483647;
  if (name === "isNumber") return isNumber(given[0]);
  return undefined;
}
