/** Methods of numbers. */

import { cast } from "../eval/cast.ts";
import { binary } from "../eval/operators.ts";
import { compare } from "../values/compare.ts";
import { Decimal } from "../values/decimal.ts";
import { Double } from "../values/double.ts";
import {
  arithmetic,
  fitting,
  isNumber,
  isWhole,
  type Num,
  negated,
  toBigInt,
  toDecimal,
  toNumber,
  wholeDivision,
} from "../values/number.ts";
import type { Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { closureAt, intAt, type Method, type Methods, numberAt } from "./method.ts";

function of(run: (value: Num, given: readonly Value[]) => Value): Method {
  return (self, given) => (isNumber(self) ? run(self, given) : fail("ClassCastException", "not a number"));
}

export const numberMethods: Methods = {
  and: of((value, [other = null]) => binary("&", value, other)),
  bitwiseNegate: of((value) => binary("^", value, -1)),
  byteValue: of((value) => Number(BigInt.asIntN(8, toBigInt(value)))),
  leftShift: of((value, [other = null]) => binary("<<", value, other)),
  negative: of((value) => negated(value)),
  or: of((value, [other = null]) => binary("|", value, other)),
  rightShift: of((value, [other = null]) => binary(">>", value, other)),
  shortValue: of((value) => Number(BigInt.asIntN(16, toBigInt(value)))),
  unaryMinus: of((value) => negated(value)),
  xor: of((value, [other = null]) => binary("^", value, other)),
  abs: of((value) => (compare(value, 0) < 0 ? negated(value) : value)),
  ceil: of((value) => rounded(value, Math.ceil)),
  compareTo: of((value, [other = null]) => compare(value, other)),
  div: of((value, given) => arithmetic("/", value, numberAt(given, 0))),
  doubleValue: of((value) => cast(value, "double")),
  downto: of((value, given) => {
    for (let i = toNumber(value); i >= intAt(given, 0); i--) closureAt(given, 1).call([i]);
    return null;
  }),
  floatValue: of((value) => cast(value, "float")),
  floor: of((value) => rounded(value, Math.floor)),
  intValue: of((value) => cast(value, "int")),
  intdiv: of((value, given) => wholeDivision(value, numberAt(given, 0))),
  isInfinite: of((value) => !Number.isFinite(toNumber(value))),
  isNaN: of((value) => Number.isNaN(toNumber(value))),
  longValue: of((value) => cast(value, "long")),
  max: of((value, given) => (compare(value, numberAt(given, 0)) >= 0 ? value : numberAt(given, 0))),
  min: of((value, given) => (compare(value, numberAt(given, 0)) <= 0 ? value : numberAt(given, 0))),
  minus: of((value, given) => arithmetic("-", value, numberAt(given, 0))),
  mod: of((value, given) => arithmetic("%", value, numberAt(given, 0))),
  multiply: of((value, given) => arithmetic("*", value, numberAt(given, 0))),
  next: of((value) => arithmetic("+", value, 1)),
  plus: of((value, given) => arithmetic("+", value, numberAt(given, 0))),
  power: of((value, given) => arithmetic("**", value, numberAt(given, 0))),
  previous: of((value) => arithmetic("-", value, 1)),
  round: of((value, given) => {
    if (isWhole(value)) return value;
    if (given[0] === undefined) {
      if (value instanceof Double) return rounds(value);
      return fitting(toDecimal(value).rounded(0).toBigInt());
    }
    const scale = intAt(given, 0);
    if (value instanceof Decimal) return value.rounded(scale);
    return new Double(
      Math.round(toNumber(value) * 10 ** scale) / 10 ** scale,
      value instanceof Double ? value.type : "Double",
    );
  }),
  setScale: of((value, given) => toDecimal(value).rounded(intAt(given, 0))),
  signum: of((value) => Math.sign(compare(value, 0))),
  step: of((value, given) => {
    const [to, by] = [toNumber(numberAt(given, 0)), toNumber(numberAt(given, 1))];
    for (let i = toNumber(value); by > 0 ? i < to : i > to; i += by) closureAt(given, 2).call([i]);
    return null;
  }),
  stripTrailingZeros: of((value) => toDecimal(value).stripped()),
  times: of((value, given) => {
    const count = toNumber(value);
    for (let i = 0; i < count; i++) closureAt(given, 0).call([i]);
    return null;
  }),
  toBigDecimal: of((value) => toDecimal(value)),
  toBigInteger: of((value) => cast(value, "BigInteger")),
  toDouble: of((value) => cast(value, "double")),
  toFloat: of((value) => cast(value, "float")),
  toInteger: of((value) => cast(value, "int")),
  toLong: of((value) => cast(value, "long")),
  toPlainString: of((value) => toDecimal(value).plain()),
  trunc: of((value, given) => {
    if (isWhole(value)) return value;
    const scale = intAt(given, 0, 0);
    const factor = 10n ** BigInt(Math.max(0, scale));
    const cut = new Decimal(toDecimal(value).times(new Decimal(factor, 0)).toBigInt(), Math.max(0, scale));
    return value instanceof Decimal ? cut : new Double(cut.toNumber(), value.type);
  }),
  upto: of((value, given) => {
    for (let i = toNumber(value); i <= intAt(given, 0); i++) closureAt(given, 1).call([i]);
    return null;
  }),
  remainder: of((value, given) => arithmetic("%", value, numberAt(given, 0))),
};

function rounded(value: Num, how: (value: number) => number): Value {
  return isWhole(value) ? value : new Double(how(toNumber(value)));
}

/** Of a double a long, of a float an integer, as Java's `Math.round`. */
function rounds(value: Double): Value {
  const whole = BigInt(Math.floor(value.value + 0.5));
  return value.type === "Float" ? Number(BigInt.asIntN(32, whole)) : BigInt.asIntN(64, whole);
}
