/** Arithmetic with Groovy's kinds of numbers: integers that wrap, longs, exact decimals, doubles. */
import { Decimal } from "./decimal.ts";
import { BigInteger, Double } from "./double.ts";
import type { Value } from "./thing.ts";
import { fail } from "./throwable.ts";

export type Num = number | bigint | BigInteger | Decimal | Double;

export function isNumber(value: Value | undefined): value is Num {
  return (
    typeof value === "number" ||
    typeof value === "bigint" ||
    value instanceof Decimal ||
    value instanceof Double ||
    value instanceof BigInteger
  );
}

export function isWhole(value: Value): value is number | bigint | BigInteger {
  return typeof value === "number" || typeof value === "bigint" || value instanceof BigInteger;
}

/** The number that a literal writes. */
export function literalNumber(written: string): Num {
  const text = written.replaceAll("_", "");
  const whole = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([lLgGiI]?)$/.exec(text);
  if (whole?.[1] !== undefined) {
    const octal = /^0[0-7]+$/.test(whole[1]) ? `0o${whole[1].slice(1)}` : whole[1];
    const value = BigInt(octal);
    switch ((whole[2] ?? "").toLowerCase()) {
      case "l":
        return BigInt.asIntN(64, value);
      case "g":
        return new BigInteger(value);
      default:
        return fitting(value);
    }
  }
  const last = text.at(-1)?.toLowerCase();
  if (last === "f") return new Double(Number(text.slice(0, -1)), "Float");
  if (last === "d") return new Double(Number(text.slice(0, -1)));
  return Decimal.parse(last === "g" ? text.slice(0, -1) : text);
}

/** The narrowest kind that holds it. */
export function fitting(value: bigint): number | bigint | BigInteger {
  if (value >= -2147483648n && value <= 2147483647n) return Number(value);
  return BigInt.asIntN(64, value) === value ? value : new BigInteger(value);
}

export function toNumber(value: Num): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Decimal) return value.toNumber();
  if (value instanceof Double) return value.value;
  return Number(value.value);
}

export function toBigInt(value: Num): bigint {
  if (typeof value === "number") return BigInt(value);
  if (typeof value === "bigint") return value;
  if (value instanceof Decimal) return value.toBigInt();
  if (value instanceof Double) return Number.isFinite(value.value) ? BigInt(Math.trunc(value.value)) : 0n;
  return value.value;
}

export function toDecimal(value: Num): Decimal {
  if (value instanceof Decimal) return value;
  if (value instanceof Double) return Decimal.ofNumber(value.value);
  return new Decimal(toBigInt(value), 0);
}

export type Operation = "+" | "-" | "*" | "/" | "%" | "**";

export function arithmetic(operation: Operation, a: Num, b: Num): Num {
  if (typeof a === "number" && typeof b === "number") {
    if (operation === "+") return (a + b) | 0;
    if (operation === "-") return (a - b) | 0;
    if (operation === "*") return Math.imul(a, b);
  }
  if (operation === "**") return power(a, b);
  if (a instanceof Double || b instanceof Double) return doubles(operation, toNumber(a), toNumber(b));
  if (operation === "/" || a instanceof Decimal || b instanceof Decimal) {
    return decimals(operation, toDecimal(a), toDecimal(b));
  }
  return integers(operation, a, b);
}

function doubles(operation: Operation, a: number, b: number): Double {
  switch (operation) {
    case "+":
      return new Double(a + b);
    case "-":
      return new Double(a - b);
    case "*":
      return new Double(a * b);
    case "/":
      return new Double(a / b);
    default:
      return new Double(a % b);
  }
}

function decimals(operation: Operation, a: Decimal, b: Decimal): Decimal {
  switch (operation) {
    case "+":
      return a.plus(b);
    case "-":
      return a.plus(b.negated());
    case "*":
      return a.times(b);
    case "/":
      return a.divide(b);
    default: {
      if (b.unscaled === 0n) fail("ArithmeticException", "Division by zero");
      const scale = Math.max(a.scale, b.scale);
      return new Decimal(a.at(scale) % b.at(scale), scale);
    }
  }
}

function integers(operation: Operation, a: Num, b: Num): Num {
  const [x, y] = [toBigInt(a), toBigInt(b)];
  let result: bigint;
  switch (operation) {
    case "+":
      result = x + y;
      break;
    case "-":
      result = x - y;
      break;
    case "*":
      result = x * y;
      break;
    default:
      if (y === 0n) fail("ArithmeticException", "Division by zero");
      result = x % y;
  }
  if (a instanceof BigInteger || b instanceof BigInteger) return new BigInteger(result);
  if (typeof a === "bigint" || typeof b === "bigint") return BigInt.asIntN(64, result);
  return Number(BigInt.asIntN(32, result));
}

/** Beyond this many digits a power would use up the memory. */
const mostDigits = 100_000;

function power(a: Num, b: Num): Num {
  if (isWhole(a) && isWhole(b) && toBigInt(b) >= 0n) {
    const exponent = toBigInt(b);
    if (exponent * BigInt(toBigInt(a).toString().length) > mostDigits)
      fail("ArithmeticException", "the power is too large");
    const result = fitting(toBigInt(a) ** exponent);
    return typeof a === "bigint" && typeof result === "number" ? BigInt(result) : result;
  }
  if (a instanceof Decimal && typeof b === "number" && b >= 0 && b < 1000) {
    let result = new Decimal(1n, 0);
    for (let i = b; i > 0; i--) result = result.times(a);
    return result;
  }
  // Computed with doubles; a whole result is an integer again.
  const result = toNumber(a) ** toNumber(b);
  if (!Number.isInteger(result)) return new Double(result);
  const fits = fitting(BigInt(result));
  return fits instanceof BigInteger ? new Double(result) : fits;
}

export function negated(value: Num): Num {
  if (typeof value === "number") return -value | 0;
  if (value instanceof Double) return new Double(-value.value, value.type);
  if (value instanceof Decimal) return value.negated();
  if (value instanceof BigInteger) return new BigInteger(-value.value);
  return BigInt.asIntN(64, -value);
}

export function compareNumbers(a: Num, b: Num): number {
  if (typeof a === "number" && typeof b === "number") return a < b ? -1 : a > b ? 1 : 0;
  if (a instanceof Double || b instanceof Double) {
    const [x, y] = [toNumber(a), toNumber(b)];
    if (x < y) return -1;
    if (x > y) return 1;
    // As Java orders them: NaN is after all others, and equal to itself.
    return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  }
  return toDecimal(a).compareTo(toDecimal(b));
}

/** `intdiv` */
export function wholeDivision(a: Num, b: Num): Num {
  const divisor = toBigInt(b);
  if (divisor === 0n) fail("ArithmeticException", "/ by zero");
  const result = fitting(toBigInt(a) / divisor);
  return typeof result === "number" && (typeof a === "bigint" || typeof b === "bigint")
    ? BigInt(result)
    : result;
}

/** An integer index or count; other values are refused. */
export function asInt(value: Value | undefined, what: string): number {
  if (typeof value === "number") return value;
  if (isNumber(value)) return Number(BigInt.asIntN(32, toBigInt(value)));
  return fail("GroovyCastException", `${what} has to be an integer`);
}
