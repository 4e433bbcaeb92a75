/** Static methods and constants of the Java and Groovy classes that scripts use. */
import { randomUUID } from "node:crypto";
import { cast, itemsOf } from "../eval/cast.ts";
import { compare, equal } from "../values/compare.ts";
import { Decimal } from "../values/decimal.ts";
import { BigInteger, Double } from "../values/double.ts";
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
  if (isWhole(value)) return value;
  const number = Math.floor(toNumber(value) + 0.5);
  if (value instanceof Double && value.type === "Float") return cast(new Double(number), "int");
  return longOf(number);
}

/** As Java makes a long of a double: the nearest that there is, and 0 of NaN. */
function longOf(number: number): bigint {
  if (Number.isNaN(number)) return 0n;
  if (number >= 2 ** 63) return mostLong;
  return number <= -(2 ** 63) ? leastLong : BigInt(Math.trunc(number));
}

const mostLong = 9223372036854775807n;
const leastLong = -9223372036854775808n;

/** Integers that do not overflow: `Math.addExact` and the like. */
function exact(run: (a: bigint, b: bigint) => bigint): Static {
  return (given) => {
    const numbers = given.map((_, index) => numberAt(given, index));
    const [a = 0n, b = 0n] = numbers.map((each) => toBigInt(each));
    const isLong = numbers.some((each) => typeof each === "bigint");
    const result = run(a, b);
    if (BigInt.asIntN(isLong ? 64 : 32, result) !== result)
      fail("ArithmeticException", `${isLong ? "long" : "integer"} overflow`);
    return isLong ? result : Number(result);
  };
}

/** The quotient that is not above the exact one. */
function floorDivision(given: readonly Value[]): Value {
  const numbers = [numberAt(given, 0), numberAt(given, 1)];
  const [a = 0n, b = 0n] = numbers.map((each) => toBigInt(each));
  if (b === 0n) fail("ArithmeticException", "/ by zero");
  const quotient = a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n);
  return numbers.some((each) => typeof each === "bigint") ? BigInt.asIntN(64, quotient) : fitting(quotient);
}

/** To the nearest whole number, and of two as near to the even one. */
function toEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function clamped(given: readonly Value[]): Value {
  const [value, least, most] = [numberAt(given, 0), numberAt(given, 1), numberAt(given, 2)];
  if (compare(least, most) > 0) fail("IllegalArgumentException", `${textOf(least)} > ${textOf(most)}`);
  return compare(value, least) < 0 ? least : compare(value, most) > 0 ? most : value;
}

const math: Statics = {
  abs: (given) => {
    const value = numberAt(given, 0);
    // There is none of exact decimals: Java takes the one of doubles.
    if (value instanceof Decimal) return new Double(Math.abs(value.toNumber()));
    return compare(value, 0) < 0 ? negated(value) : value;
  },
  absExact: exact((value) => (value < 0n ? -value : value)),
  acos: of(Math.acos),
  addExact: exact((a, b) => a + b),
  asin: of(Math.asin),
  atan: of(Math.atan),
  atan2: of(Math.atan2),
  cbrt: of(Math.cbrt),
  ceil: of((value) => Math.ceil(value)),
  clamp: clamped,
  copySign: of((value, sign) => (sign < 0 || Object.is(sign, -0) ? -Math.abs(value) : Math.abs(value))),
  cos: of(Math.cos),
  cosh: of(Math.cosh),
  decrementExact: exact((value) => value - 1n),
  exp: of((value) => Math.exp(value)),
  expm1: of(Math.expm1),
  floor: of((value) => Math.floor(value)),
  floorDiv: floorDivision,
  floorMod: (given) => {
    const divisor = numberAt(given, 1);
    return arithmetic("%", arithmetic("+", arithmetic("%", numberAt(given, 0), divisor), divisor), divisor);
  },
  hypot: of((a, b) => Math.hypot(a, b)),
  incrementExact: exact((value) => value + 1n),
  log: of((value) => Math.log(value)),
  log10: of((value) => Math.log10(value)),
  log1p: of(Math.log1p),
  log2: of((value) => Math.log2(value)),
  max: (given) => widened(given, compare(numberAt(given, 0), numberAt(given, 1)) >= 0 ? 0 : 1),
  min: (given) => widened(given, compare(numberAt(given, 0), numberAt(given, 1)) <= 0 ? 0 : 1),
  multiplyExact: exact((a, b) => a * b),
  negateExact: exact((value) => -value),
  pow: of((value, exponent) => value ** exponent),
  random: () =>
    fail("UnsupportedOperationException", "random numbers would make results that cannot be reused"),
  rint: of(toEven),
  round: (given) => rounded(numberAt(given, 0)),
  signum: of((value) => Math.sign(value)),
  sin: of(Math.sin),
  sinh: of(Math.sinh),
  sqrt: of((value) => Math.sqrt(value)),
  subtractExact: exact((a, b) => a - b),
  tan: of(Math.tan),
  tanh: of(Math.tanh),
  toDegrees: of((value) => (value * 180) / Math.PI),
  toIntExact: (given) => {
    const value = toBigInt(numberAt(given, 0));
    if (BigInt.asIntN(32, value) !== value) fail("ArithmeticException", "integer overflow");
    return Number(value);
  },
  toRadians: of((value) => (value * Math.PI) / 180),
  ".PI": () => new Double(Math.PI),
  ".E": () => new Double(Math.E),
};

/** Of a double and another number Java's answer is a double. */
function widened(given: readonly Value[], index: number): Value {
  const [a, b] = [numberAt(given, 0), numberAt(given, 1)];
  const chosen = index === 0 ? a : b;
  return a instanceof Double || b instanceof Double ? new Double(toNumber(chosen)) : chosen;
}

/** Of two numbers, in all classes of numbers. */
const pairs: Statics = {
  compare: ([a = null, b = null]) => compare(a, b),
  max: (given) => widened(given, compare(numberAt(given, 0), numberAt(given, 1)) >= 0 ? 0 : 1),
  min: (given) => widened(given, compare(numberAt(given, 0), numberAt(given, 1)) <= 0 ? 0 : 1),
  sum: ([a = null, b = null]) => arithmetic("+", numberAt([a], 0), numberAt([b], 0)),
};

const kinds: Statics = {
  isNaN: (given) => Number.isNaN(toNumber(numberAt(given, 0))),
  isInfinite: (given) => Math.abs(toNumber(numberAt(given, 0))) === Number.POSITIVE_INFINITY,
  isFinite: (given) => Number.isFinite(toNumber(numberAt(given, 0))),
  toString: one((value) => textOf(value)),
};

function limits(type: "Double" | "Float"): Statics {
  return {
    ".NaN": () => new Double(Number.NaN, type),
    ".POSITIVE_INFINITY": () => new Double(Number.POSITIVE_INFINITY, type),
    ".NEGATIVE_INFINITY": () => new Double(Number.NEGATIVE_INFINITY, type),
  };
}

function smallNumbers(make: (value: bigint) => Value): Statics {
  return { ".ZERO": () => make(0n), ".ONE": () => make(1n), ".TEN": () => make(10n) };
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
    ...pairs,
    signum: one((value) => Math.sign(toNumber(numberAt([value], 0)))),
    ".MAX_VALUE": () => 2147483647,
    ".MIN_VALUE": () => -2147483648,
    ".SIZE": () => 32,
    ".BYTES": () => 4,
  },
  Short: {
    ...pairs,
    parseShort: one((value) => cast(textOf(value), "short")),
    valueOf: one((value) => cast(value, "short")),
    ".MAX_VALUE": () => 32767,
    ".MIN_VALUE": () => -32768,
  },
  Byte: {
    ...pairs,
    parseByte: one((value) => cast(textOf(value), "byte")),
    valueOf: one((value) => cast(value, "byte")),
    ".MAX_VALUE": () => 127,
    ".MIN_VALUE": () => -128,
  },
  Long: {
    toBinaryString: one((value) => bits(cast(value, "long"), 2)),
    toHexString: one((value) => bits(cast(value, "long"), 16)),
    parseLong: one((value) => cast(textOf(value), "long")),
    valueOf: one((value) => cast(value, "long")),
    toString: one((value) => textOf(value)),
    ...pairs,
    signum: one((value) => Math.sign(toNumber(numberAt([value], 0)))),
    ".MAX_VALUE": () => mostLong,
    ".MIN_VALUE": () => leastLong,
    ".SIZE": () => 64,
    ".BYTES": () => 8,
  },
  Double: {
    parseDouble: one((value) => cast(textOf(value), "double")),
    valueOf: one((value) => cast(value, "double")),
    ...pairs,
    ...kinds,
    ...limits("Double"),
    ".MAX_VALUE": () => new Double(Number.MAX_VALUE),
    ".MIN_VALUE": () => new Double(Number.MIN_VALUE),
    ".MIN_NORMAL": () => new Double(2 ** -1022),
  },
  Float: {
    parseFloat: one((value) => cast(textOf(value), "float")),
    valueOf: one((value) => cast(value, "float")),
    ...pairs,
    ...kinds,
    ...limits("Float"),
    ".MAX_VALUE": () => new Double((2 - 2 ** -23) * 2 ** 127, "Float"),
    ".MIN_VALUE": () => new Double(2 ** -149, "Float"),
    ".MIN_NORMAL": () => new Double(2 ** -126, "Float"),
  },
  Boolean: {
    parseBoolean: one((value) => textOf(value).toLowerCase() === "true"),
    valueOf: one((value) => textOf(value).toLowerCase() === "true"),
    ".TRUE": () => true,
    ".FALSE": () => false,
  },
  BigDecimal: {
    valueOf: one((value) => cast(value, "BigDecimal")),
    ...smallNumbers((value) => new Decimal(value, 0)),
  },
  BigInteger: {
    valueOf: one((value) => cast(value, "BigInteger")),
    ...smallNumbers((value) => new BigInteger(value)),
    ".TWO": () => new BigInteger(2n),
  },
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
