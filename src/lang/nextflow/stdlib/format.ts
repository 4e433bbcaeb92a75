/** `String.format` and the like: the conversions that scripts use. */
import { Decimal } from "../values/decimal.ts";
import { type BigInteger, Double } from "../values/double.ts";
import { isNumber, isWhole, toBigInt, toNumber } from "../values/number.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail, illegal } from "../values/throwable.ts";
import { fullName, typeName } from "../values/type-name.ts";

export function format(pattern: string, values: readonly Value[]): string {
  const [only] = values;
  const given = values.length === 1 && isList(only) ? only : values;
  let next = 0;
  return pattern.replace(
    /%(?:(\d+)\$)?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g,
    (
      _,
      position: string | undefined,
      flags: string,
      width: string | undefined,
      precision: string | undefined,
      kind: string,
    ) => {
      if (kind === "n") return "\n";
      if (kind === "%") return "%";
      const index = position === undefined ? next++ : Number(position) - 1;
      if (index >= given.length) fail("IllegalArgumentException", `Format specifier '%${kind}' has no value`);
      const value = given[index] ?? null;
      const text = converted(value, kind, flags, precision);
      return padded(text, flags, Number(width ?? 0), isNumber(value));
    },
  );
}

function converted(value: Value, kind: string, flags: string, precision: string | undefined): string {
  switch (kind) {
    case "d": {
      if (!isNumber(value) || value instanceof Double || value instanceof Decimal) {
        if (value === null) return "null";
        return mismatch("d", value);
      }
      return signed(grouped(toBigInt(value).toString(), flags), flags);
    }
    case "f":
    case "F": {
      if (value === null) return "null";
      if (!isFraction(value)) return mismatch("f", value);
      const places = Number(precision ?? 6);
      const text = value instanceof Double ? value.value.toFixed(places) : value.rounded(places).plain();
      return signed(grouped(text, flags), flags);
    }
    case "e":
    case "E":
      if (value === null) return "null";
      if (!isFraction(value)) return mismatch("e", value);
      return signed(exponential(toNumber(value), Number(precision ?? 6)), flags);
    case "g": {
      if (value === null) return "null";
      if (!isFraction(value)) return mismatch("g", value);
      const [number, digits] = [toNumber(value), Math.max(1, Number(precision ?? 6))];
      const size = Math.abs(Number(number.toPrecision(digits)));
      if (size !== 0 && (size < 1e-4 || size >= 10 ** digits)) return exponential(number, digits - 1);
      return number.toFixed(Math.max(0, digits - 1 - (size === 0 ? 0 : Math.floor(Math.log10(size)))));
    }
    case "x":
    case "X": {
      if (!isWhole(value)) return value === null ? "null" : mismatch("x", value);
      const hex = unsigned(value).toString(16);
      return kind === "X" ? hex.toUpperCase() : hex;
    }
    case "o":
      if (!isWhole(value)) return value === null ? "null" : mismatch("o", value);
      return unsigned(value).toString(8);
    case "b":
    case "B": {
      const truth = String(typeof value === "boolean" ? value : value !== null);
      return kind === "B" ? truth.toUpperCase() : truth;
    }
    case "c":
      return typeof value === "number" ? String.fromCodePoint(value) : textOf(value).slice(0, 1);
    case "S":
      return textOf(value).toUpperCase();
    case "s": {
      const text = textOf(value);
      return precision === undefined ? text : text.slice(0, Number(precision));
    }
    default:
      return illegal(`unknown format %${kind}`);
  }
}

function isFraction(value: Value): value is Decimal | Double {
  return value instanceof Double || value instanceof Decimal;
}

function mismatch(kind: string, value: Value): never {
  return fail("IllegalFormatConversionException", `${kind} != ${fullName(typeName(value))}`);
}

function exponential(value: number, digits: number): string {
  return value.toExponential(digits).replace(/e([+-])(\d)$/, "e$10$2");
}

/** Negative integers as their bits. */
function unsigned(value: number | bigint | BigInteger): bigint {
  if (typeof value === "number") return BigInt.asUintN(32, BigInt(value));
  return typeof value === "bigint" ? BigInt.asUintN(64, value) : value.value;
}

function grouped(text: string, flags: string): string {
  if (!flags.includes(",")) return text;
  const [whole = "", fraction] = text.split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
}

function signed(text: string, flags: string): string {
  return flags.includes("+") && !text.startsWith("-") ? `+${text}` : text;
}

function padded(text: string, flags: string, width: number, numeric: boolean): string {
  if (text.length >= width) return text;
  if (flags.includes("-")) return text.padEnd(width);
  if (flags.includes("0") && numeric) {
    const sign = /^[+-]/.exec(text)?.[0] ?? "";
    return sign + text.slice(sign.length).padStart(width - sign.length, "0");
  }
  return text.padStart(width);
}
