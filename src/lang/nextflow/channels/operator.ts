/** What an operator is, and what many of them share. */
import { caseMatches } from "../eval/operators.ts";
import { Closure } from "../values/closure.ts";
import { truthOf } from "../values/compare.ts";
import { GroovyMap } from "../values/map.ts";
import { asInt } from "../values/number.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail, illegal } from "../values/throwable.ts";
import { typeName } from "../values/type-name.ts";
import type { Operators } from "./channel.ts";

export type Operator = Operators[string];

/** Named options among the arguments. */
export function optionsOf(given: readonly Value[], operator: string, known: readonly string[]): GroovyMap {
  const [first] = given;
  if (!(first instanceof GroovyMap)) return new GroovyMap();
  for (const key of first.keys())
    if (!known.includes(String(key))) illegal(`Unknown option \`${String(key)}\` of operator ${operator}`);
  return first;
}

export function positional(given: readonly Value[]): readonly Value[] {
  return given[0] instanceof GroovyMap ? given.slice(1) : given;
}

export function closureOf(given: readonly Value[]): Closure | undefined {
  const last = given.at(-1);
  return last instanceof Closure ? last : undefined;
}

export function neededClosure(given: readonly Value[], operator: string): Closure {
  return closureOf(given) ?? fail("MissingMethodException", `the operator ${operator} needs a closure`);
}

export function flagOption(options: GroovyMap, name: string, otherwise = false): boolean {
  const value = options.at(name);
  return value === undefined || value === null ? otherwise : truthOf(value);
}

export function intOption(options: GroovyMap, name: string): number | undefined {
  const value = options.at(name);
  return value === undefined || value === null ? undefined : asInt(value, `the option ${name}`);
}

/** Whether an item meets a criterion: a closure, a pattern, a class or a value. */
export function meets(criterion: Value, item: Value): boolean {
  return criterion instanceof Closure ? truthOf(criterion.call([item])) : caseMatches(criterion, item);
}

/** `by: 0` or `by: [0, 2]` */
export function positionsOf(options: GroovyMap): readonly number[] {
  const by = options.at("by") ?? 0;
  return isList(by) ? by.map((each) => asInt(each, "the option by")) : [asInt(by, "the option by")];
}

/** The key and the rest of an item; of an item that is not a list the item is the key. */
export function keyed(
  item: Value,
  by: readonly number[],
  operator: string,
): { readonly key: Value[]; readonly rest: Value[] } {
  if (!isList(item)) {
    if (by.length > 1 || (by[0] ?? 0) > 0)
      fail(
        "IllegalArgumentException",
        `the operator ${operator} needs tuples for \`by\`, not ${typeName(item)}`,
      );
    return { key: [item], rest: [] };
  }
  // By far the most frequent.
  if (by.length === 1 && by[0] === 0) return { key: [item[0] ?? null], rest: item.slice(1) };
  return {
    key: by.map((index) => item[index] ?? null),
    rest: item.filter((_, index) => !by.includes(index)),
  };
}
