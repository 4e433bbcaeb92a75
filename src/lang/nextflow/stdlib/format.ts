/** `String.format` and the like: the conversions that scripts use. */
import { Double } from "../values/double.ts";
import { isNumber, toBigInt, toDecimal, toNumber } from "../values/number.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail, illegal } from "../values/throwable.ts";

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
      if (!isNumber(value) || value instanceof Double) {
        if (value === null) return "null";
        return illegal(`%d needs an integer, not ${textOf(value)}`);
      }
      return signed(grouped(toBigInt(value).toString(), flags), flags);
    }
    case "f":
    case "F": {
      if (value === null) return "null";
      if (!isNumber(value)) return illegal(`%f needs a number, not ${textOf(value)}`);
      const places = Number(precision ?? 6);
      const text =
        value instanceof Double ? value.value.toFixed(places) : toDecimal(value).rounded(places).text();
      return signed(grouped(text, flags), flags);
    }
    case "e":
    case "E":
      return isNumber(value)
        ? toNumber(value)
            .toExponential(Number(precision ?? 6))
            .replace(/e([+-])(\d)$/, "e$10$2")
        : illegal(`%e needs a number, not ${textOf(value)}`);
    case "g":
      return isNumber(value) ? toNumber(value).toPrecision(Number(precision ?? 6)) : textOf(value);
    case "x":
    case "X": {
      const hex = isNumber(value) ? toBigInt(value).toString(16) : textOf(value);
      return kind === "X" ? hex.toUpperCase() : hex;
    }
    case "o":
      return isNumber(value) ? toBigInt(value).toString(8) : textOf(value);
    case "S":
      return textOf(value).toUpperCase();
    case "s":
    case "b":
    case "c": {
      const text = textOf(value);
      return precision === undefined ? text : text.slice(0, Number(precision));
    }
    default:
      return illegal(`unknown format %${kind}`);
  }
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
