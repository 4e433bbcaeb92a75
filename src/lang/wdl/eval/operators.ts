/**
 * Operators on values.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#built-in-operators
 */
import type { BinaryOperator, UnaryOperator } from "../syntax/ast.ts";
import { compare, equal, isPrimitive } from "../values/compare.ts";
import { ValueFailure } from "../values/failure.ts";
import { int64 } from "../values/integer.ts";
import { render } from "../values/render.ts";
import { bool, describe, float, str, type WdlValue } from "../values/value.ts";

export function applyUnary(operator: UnaryOperator, operand: WdlValue): WdlValue {
  switch (operator) {
    case "!":
      if (operand.kind === "boolean") return bool(!operand.value);
      break;
    case "-":
      if (operand.kind === "int") return int64(-operand.value, "negation");
      if (operand.kind === "float") return float(-operand.value);
      break;
    case "+":
      if (operand.kind === "int" || operand.kind === "float") return operand;
  }
  throw new ValueFailure(`cannot apply ${operator} to ${describe(operand)}`);
}

/** Everything but `&&` and `||`, which may not need their right side. */
export function applyBinary(operator: BinaryOperator, left: WdlValue, right: WdlValue): WdlValue {
  switch (operator) {
    case "==":
      return bool(equal(left, right));
    case "!=":
      return bool(!equal(left, right));
    case "<":
      return bool(compare(left, right) < 0);
    case "<=":
      return bool(compare(left, right) <= 0);
    case ">":
      return bool(compare(left, right) > 0);
    case ">=":
      return bool(compare(left, right) >= 0);
    case "&&":
    case "||":
      throw new ValueFailure(`cannot apply ${operator} to ${describe(left)} and ${describe(right)}`);
    default:
      return arithmetic(operator, left, right);
  }
}

type Arithmetic = "+" | "-" | "*" | "/" | "%" | "**";

function arithmetic(operator: Arithmetic, left: WdlValue, right: WdlValue): WdlValue {
  if (left.kind === "int" && right.kind === "int") {
    return int64(ofIntegers(operator, left.value, right.value), `${left.value} ${operator} ${right.value}`);
  }
  if ((left.kind === "int" || left.kind === "float") && (right.kind === "int" || right.kind === "float")) {
    return float(ofFloats(operator, Number(left.value), Number(right.value)));
  }
  if (operator === "+" && isPrimitive(left) && isPrimitive(right)) return str(render(left) + render(right));
  throw new ValueFailure(
    `cannot apply ${operator} to ${describe(left)} and ${describe(right)}`,
    left.kind === "none" || right.kind === "none"
      ? "only inside ~{…} a None makes the whole expression empty; elsewhere use select_first([…, default])"
      : undefined,
  );
}

function ofIntegers(operator: Arithmetic, left: bigint, right: bigint): bigint {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / notZero(right);
    case "%":
      return left % notZero(right);
    case "**":
      return power(left, right);
  }
}

function power(base: bigint, exponent: bigint): bigint {
  if (exponent < 0n)
    throw new ValueFailure(`${base} ** ${exponent}: the exponent of an Int must not be negative`);
  // From here on every base but -1, 0 and 1 leaves 64 bits; do not compute gigantic numbers to find that out.
  if (exponent > 64n && base !== 0n && base !== 1n && base !== -1n) return 2n ** 64n;
  return exponent > 64n ? (exponent % 2n === 0n ? base * base : base) : base ** exponent;
}

function ofFloats(operator: Arithmetic, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / notZeroFloat(right);
    case "%":
      return left % notZeroFloat(right);
    case "**":
      return left ** right;
  }
}

function notZero(value: bigint): bigint {
  if (value === 0n) throw new ValueFailure("division by zero");
  return value;
}

function notZeroFloat(value: number): number {
  if (value === 0) throw new ValueFailure("division by zero");
  return value;
}
