/** What the operators of the language do. */
import type { BinaryOperator } from "../syntax/ast.ts";
import { Closure, NativeClosure } from "../values/closure.ts";
import { compare, equal, truthOf } from "../values/compare.ts";
import { Duration, durationUnit } from "../values/duration.ts";
import { keyOf } from "../values/key.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { MemoryUnit } from "../values/memory-unit.ts";
import {
  arithmetic,
  asInt,
  isNumber,
  negated,
  type Operation,
  toBigInt,
  toNumber,
} from "../values/number.ts";
import { Path } from "../values/path.ts";
import { Matcher, matchesWhole, Pattern, regexOf } from "../values/pattern.ts";
import { Range } from "../values/range.ts";
import { textOf } from "../values/text.ts";
import { isList, type List, Thing, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { typeName } from "../values/type-name.ts";
import { itemsOf } from "./cast.ts";
import { ClassValue } from "./class-value.ts";

/** These compare the two values, and do not call a method of the left one. */
const asItIs: ReadonlySet<BinaryOperator> = new Set([
  "==",
  "!=",
  "===",
  "!==",
  "<=>",
  "<",
  "<=",
  ">",
  ">=",
  "in",
  "!in",
]);

/** Longer results of `*` are refused. */
const longest = 50_000_000;

export function binary(operator: BinaryOperator, left: Value, b: Value): Value {
  const a = left instanceof Thing && !asItIs.has(operator) ? left.operand() : left;
  if (a instanceof Closure && b instanceof Closure && (operator === ">>" || operator === "<<")) {
    const [first, then] = operator === ">>" ? [a, b] : [b, a];
    return new NativeClosure(first.arity, (...given) => then.call([first.call(given)]));
  }
  switch (operator) {
    case "+":
      return plus(a, b);
    case "-":
      return minus(a, b);
    case "*":
      return times(a, b);
    case "/":
      return divide(a, b);
    case "%":
    case "**":
      return numbers(operator, a, b);
    case "==":
      return equal(a, b);
    case "!=":
      return !equal(a, b);
    case "===":
      return a === b;
    case "!==":
      return a !== b;
    case "<":
      return compare(a, b) < 0;
    case "<=":
      return compare(a, b) <= 0;
    case ">":
      return compare(a, b) > 0;
    case ">=":
      return compare(a, b) >= 0;
    case "<=>":
      return Math.sign(compare(a, b));
    case "in":
      return isIn(a, b);
    case "!in":
      return !isIn(a, b);
    case "..":
    case "..<":
      return range(a, b, operator);
    case "=~":
      return new Matcher(patternOf(b), textOf(a));
    case "==~":
      return a !== null && matchesWhole(patternOf(b), textOf(a));
    case "<<":
      return leftShift(a, b);
    case ">>":
    case ">>>":
    case "&":
    case "^":
    case "|":
      return bits(operator, a, b);
  }
}

function unsupported(operator: string, a: Value, b: Value): never {
  if (a === null) fail("NullPointerException", `Cannot use \`${operator}\` on null`);
  return fail(
    "MissingMethodException",
    `\`${operator}\` is not possible between ${typeName(a)} '${textOf(a)}' and ${typeName(b)} '${textOf(b)}'`,
  );
}

function numbers(operator: Operation, a: Value, b: Value): Value {
  return isNumber(a) && isNumber(b) ? arithmetic(operator, a, b) : unsupported(operator, a, b);
}

function plus(a: Value, b: Value): Value {
  if (isNumber(a) && isNumber(b)) return arithmetic("+", a, b);
  if (typeof a === "string" || typeof b === "string") {
    if (isList(a)) return [...a, b];
    const own = a instanceof Thing ? a.invoke("plus", [b]) : undefined;
    if (own !== undefined) return own;
    return textOf(a) + textOf(b);
  }
  if (isList(a) || a instanceof Range) return [...itemsOf(a), ...(isSequence(b) ? itemsOf(b) : [b])];
  if (a instanceof GroovySet) return a.like([...a.items(), ...(isSequence(b) ? itemsOf(b) : [b])]);
  if (a instanceof GroovyMap && b instanceof GroovyMap)
    return new GroovyMap([...a.entries(), ...b.entries()], a.type);
  if (a instanceof GroovyMap && b === null) return new GroovyMap(a.entries());
  if (a instanceof MemoryUnit) return new MemoryUnit(a.bytes + MemoryUnit.of(b).bytes);
  if (a instanceof Duration) return new Duration(a.ms + Duration.of(b).ms);
  if (a instanceof Path) return a.with(a.location + textOf(b));
  const own = a instanceof Thing ? a.invoke("plus", [b]) : undefined;
  return own === undefined ? unsupported("+", a, b) : own;
}

export function isSequence(value: Value): boolean {
  return isList(value) || value instanceof Range || value instanceof GroovySet;
}

function minus(a: Value, b: Value): Value {
  if (isNumber(a) && isNumber(b)) return arithmetic("-", a, b);
  if (typeof a === "string") {
    if (b instanceof Pattern) {
      const found = a.matchAll(regexOf(b.source)).next().value;
      return found === undefined ? a : a.slice(0, found.index) + a.slice(found.index + found[0].length);
    }
    const text = textOf(b);
    const at = a.indexOf(text);
    return at < 0 ? a : a.slice(0, at) + a.slice(at + text.length);
  }
  if (isList(a) || a instanceof Range) {
    const removed = isSequence(b) ? itemsOf(b) : [b];
    return without(itemsOf(a), removed);
  }
  if (a instanceof GroovySet) return a.like(without(a.items(), isSequence(b) ? itemsOf(b) : [b]));
  if (a instanceof GroovyMap && b instanceof GroovyMap)
    return new GroovyMap(
      Array.from(a.entries()).filter(([key, value]) => !(b.has(key) && equal(b.at(key) ?? null, value))),
    );
  if (a instanceof MemoryUnit) return new MemoryUnit(a.bytes - MemoryUnit.of(b).bytes);
  if (a instanceof Duration) return new Duration(a.ms - Duration.of(b).ms);
  return unsupported("-", a, b);
}

function without(items: List, removed: List): List {
  if (removed.length > 8 && removed.every((each) => typeof each === "string")) {
    const keys = new Set(removed.map(keyOf));
    return items.filter((each) => !keys.has(keyOf(each)));
  }
  return items.filter((each) => !removed.some((other) => equal(each, other)));
}

function times(a: Value, b: Value): Value {
  if (isNumber(a) && isNumber(b)) return arithmetic("*", a, b);
  if (isNumber(b)) {
    if (a instanceof MemoryUnit) return new MemoryUnit(a.bytes * toNumber(b));
    if (a instanceof Duration) return new Duration(a.ms * toNumber(b));
    const count = asInt(b, "a count");
    if (count < 0)
      fail(
        "IllegalArgumentException",
        `multiply() should be called with a number of 0 or greater, not ${count}`,
      );
    if (typeof a === "string") {
      if (a.length * count > longest) fail("IllegalArgumentException", "the text is too long");
      return a.repeat(count);
    }
    if (isSequence(a)) {
      const items = itemsOf(a);
      if (items.length === 0) return [];
      if (items.length * count > longest) fail("IllegalArgumentException", "the list is too long");
      return Array.from({ length: count }, () => items).flat() as List;
    }
  }
  if (isNumber(a) && (b instanceof MemoryUnit || b instanceof Duration)) return times(b, a);
  return unsupported("*", a, b);
}

function divide(a: Value, b: Value): Value {
  if (isNumber(a) && isNumber(b)) return arithmetic("/", a, b);
  if (a instanceof MemoryUnit) {
    if (b instanceof MemoryUnit) return arithmetic("/", BigInt(a.bytes), BigInt(b.bytes));
    if (isNumber(b)) return new MemoryUnit(Math.round(a.bytes / toNumber(b)));
  }
  if (a instanceof Duration) {
    if (b instanceof Duration) return arithmetic("/", BigInt(a.ms), BigInt(b.ms));
    if (isNumber(b)) return new Duration(Math.round(a.ms / toNumber(b)));
  }
  if (a instanceof Path) return a.resolve(textOf(b));
  return unsupported("/", a, b);
}

function isIn(a: Value, b: Value): boolean {
  if (b === null) return false;
  return caseMatches(b, a);
}

/** Whether a `switch` case, an operator's criterion or the right side of `in` matches a value. */
export function caseMatches(pattern: Value, value: Value): boolean {
  if (pattern instanceof Closure) return truthOf(pattern.call([value]));
  if (pattern instanceof Pattern) return value !== null && matchesWhole(pattern.source, textOf(value));
  if (pattern instanceof ClassValue) return pattern.isInstance(value);
  // What is under the key has to be true as well.
  if (pattern instanceof GroovyMap) return truthOf(pattern.at(value) ?? null);
  if (pattern instanceof GroovySet)
    return pattern.has(value) || pattern.items().some((each) => equal(each, value));
  if (isList(pattern)) return pattern.some((each) => equal(each, value));
  if (pattern instanceof Range) {
    if (pattern.empty) return false;
    if (pattern.of === "numbers") {
      if (!isNumber(value)) return false;
      const number = toNumber(value);
      return (
        Number.isInteger(number) &&
        number >= Math.min(pattern.from, pattern.to) &&
        number <= Math.max(pattern.from, pattern.to)
      );
    }
    return pattern.items().some((each) => equal(each, value));
  }
  return equal(pattern, value);
}

function range(a: Value, b: Value, operator: ".." | "..<"): Value {
  if (typeof a === "string" && typeof b === "string") {
    const [from, to] = [a.charCodeAt(0), b.charCodeAt(0)];
    return limited(from, to, "characters", operator);
  }
  if (!isNumber(a) || !isNumber(b)) return unsupported(operator, a, b);
  return limited(Number(toBigInt(a)), Number(toBigInt(b)), "numbers", operator);
}

function limited(from: number, to: number, of: "numbers" | "characters", operator: ".." | "..<"): Range {
  if (operator === "..") return new Range(from, to, of);
  if (from === to) return new Range(from, to, of, true, to);
  return new Range(from, to > from ? to - 1 : to + 1, of, false, to);
}

function patternOf(value: Value): string {
  return value instanceof Pattern ? value.source : textOf(value);
}

function leftShift(a: Value, b: Value): Value {
  if (isList(a)) {
    a.push(b);
    return a;
  }
  if (a instanceof GroovySet) {
    a.add(b);
    return a;
  }
  if (a instanceof GroovyMap) {
    if (b instanceof GroovyMap) for (const [key, value] of b.entries()) a.put(key, value);
    else {
      const [pair] = [itemsOf(b)];
      a.put(pair[0] ?? null, pair[1] ?? null);
    }
    return a;
  }
  if (isNumber(a) && isNumber(b)) return bits("<<", a, b);
  if (typeof a === "string") return a + textOf(b);
  if (a instanceof Path && !a.isRemote) {
    a.files.write(a.absolute, textOf(b), "append");
    return a;
  }
  if (a instanceof Thing) {
    const answer = a.invoke("leftShift", [b]);
    if (answer !== undefined) return answer;
  }
  return unsupported("<<", a, b);
}

function bits(operator: "<<" | ">>" | ">>>" | "&" | "^" | "|", a: Value, b: Value): Value {
  if (typeof a === "boolean" && typeof b === "boolean") {
    if (operator === "&") return a && b;
    if (operator === "|") return a || b;
    if (operator === "^") return a !== b;
  }
  if (isNumber(a) && isNumber(b)) {
    const wide = typeof a === "bigint" || typeof b === "bigint";
    const result = integerBits(operator, toBigInt(a), toBigInt(b), wide ? 64 : 32);
    return wide ? BigInt.asIntN(64, result) : Number(BigInt.asIntN(32, result));
  }
  if (isSequence(a) && isSequence(b)) {
    const others = itemsOf(b);
    if (operator === "&") return itemsOf(a).filter((each) => others.some((other) => equal(each, other)));
    if (operator === "|") return [...new GroovySet([...itemsOf(a), ...others]).items()];
  }
  if (a instanceof Thing) {
    const word = {
      "|": "or",
      "&": "and",
      ">>": "rightShift",
      ">>>": "rightShiftUnsigned",
      "^": "xor",
      "<<": "leftShift",
    }[operator];
    const answer = a.invoke(word, [b]);
    if (answer !== undefined) return answer;
  }
  if (operator === "|" && b instanceof Thing) {
    const answer = b.invoke("pipedFrom", [a]);
    if (answer !== undefined) return answer;
  }
  return unsupported(operator, a, b);
}

function integerBits(operator: string, a: bigint, b: bigint, width: number): bigint {
  switch (operator) {
    case "<<":
      return a << (b & BigInt(width - 1));
    case ">>":
      return a >> (b & BigInt(width - 1));
    case ">>>":
      return BigInt.asUintN(width, a) >> (b & BigInt(width - 1));
    case "&":
      return a & b;
    case "^":
      return a ^ b;
    default:
      return a | b;
  }
}

export function minusSign(value: Value): Value {
  if (isNumber(value)) return negated(value);
  return unsupported("-", value, null);
}

/** `1.GB`, `2.h`: undefined where the word is not a unit. */
export function unitOf(value: Value, name: string): Value | undefined {
  if (!isNumber(value)) return undefined;
  const level = ["B", "KB", "MB", "GB", "TB", "PB", "EB", "ZB"].indexOf(name.toUpperCase());
  if (level >= 0) return new MemoryUnit(Math.round(toNumber(value) * 1024 ** level));
  const unit = durationUnit(name);
  return unit === undefined ? undefined : new Duration(toNumber(value) * unit);
}
