/** What a method is, and how its arguments are read. */
import { Closure } from "../values/closure.ts";
import { asInt, isNumber } from "../values/number.ts";
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { typeName } from "../values/type-name.ts";

export type Method = (self: Value, given: readonly Value[]) => Value;
export type Methods = Readonly<Record<string, Method>>;

export function closureAt(given: readonly Value[], index: number): Closure {
  const value = given[index];
  if (value instanceof Closure) return value;
  return fail("MissingMethodException", `a closure is expected, not ${typeName(value ?? null)}`);
}

export function optionalClosure(given: readonly Value[], index: number): Closure | undefined {
  return given[index] === undefined ? undefined : closureAt(given, index);
}

export function intAt(given: readonly Value[], index: number, otherwise?: number): number {
  const value = given[index];
  if (value === undefined && otherwise !== undefined) return otherwise;
  return asInt(value, "the argument");
}

export function textAt(given: readonly Value[], index: number): string {
  const value = given[index];
  if (value === undefined) fail("MissingMethodException", "an argument is missing");
  return textOf(value);
}

export function flagAt(given: readonly Value[], index: number, otherwise: boolean): boolean {
  const value = given[index];
  return typeof value === "boolean" ? value : otherwise;
}

export function numberAt(given: readonly Value[], index: number) {
  const value = given[index];
  return isNumber(value)
    ? value
    : fail("MissingMethodException", `a number is expected, not ${typeName(value ?? null)}`);
}
