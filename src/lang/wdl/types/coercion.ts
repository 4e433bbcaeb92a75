/**
 * Which types stand for which others without being written so (spec: "Type Conversion"). `coercible` is what the
 * checker asks; the evaluator converts values by the target type alone and fails on what does not fit.
 */
import { floatType, isPrimitive, optional, required, sameType, stringType, type WdlType } from "./type.ts";

export interface CoercionRules {
  /**
   * What Cromwell and miniwdl (without its quantifier check) accept beyond the specification: `X?` used as `X`,
   * strings and numbers for each other, a Map as an array of pairs. Looked at again when the value is there.
   */
  readonly lenient: boolean;
  /** Text for numbers alone: one of the "limited exceptions" of the specification that every engine allows. */
  readonly numbersFromText?: true;
}

/** Whether a value of type `from` may be used where `to` is expected. */
export function coercible(from: WdlType, to: WdlType, rules: CoercionRules): boolean {
  if (from === to || from.kind === "any" || to.kind === "any") return true;
  if (from.kind === "none") return to.optional;
  if (from.optional && !to.optional && !rules.lenient) return false;
  switch (to.kind) {
    case "boolean":
    case "int":
    case "float":
    case "string":
    case "file":
    case "directory":
      return primitiveCoercible(from, to, rules);
    case "array":
      // `Array[X]` for `Array[X]+` is looked at again when the value is there; the checker refuses the literal `[]`.
      if (from.kind === "map" && rules.lenient && to.item.kind === "pair")
        return coercible(from.key, to.item.left, rules) && coercible(from.value, to.item.right, rules);
      return from.kind === "array" && coercible(from.item, to.item, rules);
    case "map":
      return mapCoercible(from, to, rules);
    case "pair":
      return (
        from.kind === "pair" && coercible(from.left, to.left, rules) && coercible(from.right, to.right, rules)
      );
    case "object":
      return (
        from.kind === "object" ||
        from.kind === "struct" ||
        from.kind === "call" ||
        (from.kind === "map" && coercible(from.key, { kind: "string", optional: false }, rules))
      );
    case "struct":
      return structCoercible(from, to, rules);
    case "enum":
      return from.kind === "enum" ? sameType(required(from), required(to)) : from.kind === "string";
    case "none":
      return from.optional;
    case "call":
    case "task":
    case "hints":
      return from.kind === to.kind;
  }
}

function primitiveCoercible(from: WdlType, to: WdlType, rules: CoercionRules): boolean {
  if (from.kind === to.kind) return true;
  switch (to.kind) {
    case "float":
      return from.kind === "int" || (from.kind === "string" && textAsNumber(rules));
    case "file":
    case "directory":
      return from.kind === "string";
    case "string":
      return (
        from.kind === "file" ||
        from.kind === "directory" ||
        from.kind === "enum" ||
        // De facto in every engine, and what workflows rely on: numbers and flags passed to String inputs.
        isPrimitive(from)
      );
    case "int":
      return (from.kind === "string" && textAsNumber(rules)) || (from.kind === "float" && rules.lenient);
    case "boolean":
      return rules.lenient && from.kind === "string";
    default:
      return false;
  }
}

function textAsNumber(rules: CoercionRules): boolean {
  return rules.lenient || rules.numbersFromText === true;
}

function mapCoercible(from: WdlType, to: Extract<WdlType, { kind: "map" }>, rules: CoercionRules): boolean {
  switch (from.kind) {
    case "map":
      return coercible(from.key, to.key, rules) && coercible(from.value, to.value, rules);
    case "object":
      return coercible({ kind: "string", optional: false }, to.key, rules);
    case "struct":
      return (
        coercible({ kind: "string", optional: false }, to.key, rules) &&
        [...from.members.values()].every((member) => coercible(member, to.value, rules))
      );
    default:
      return false;
  }
}

function structCoercible(
  from: WdlType,
  to: Extract<WdlType, { kind: "struct" }>,
  rules: CoercionRules,
): boolean {
  switch (from.kind) {
    case "object":
    case "call":
      return true;
    case "map": {
      if (!coercible(from.key, { kind: "string", optional: false }, rules)) return false;
      return [...to.members.values()].every((member) => coercible(from.value, optional(member), rules));
    }
    case "struct":
      for (const [name, member] of to.members) {
        const given = from.members.get(name);
        if (given === undefined ? !member.optional : !coercible(given, member, rules)) return false;
      }
      return true;
    default:
      return false;
  }
}

/**
 * The type that both coerce to, as array literals, map literals and `if … then … else` need it; undefined when there
 * is none. Optional when either is.
 */
export function commonType(a: WdlType, b: WdlType, rules: CoercionRules): WdlType | undefined {
  if (a.kind === "any") return a.optional ? optional(b) : b;
  if (b.kind === "any") return b.optional ? optional(a) : a;
  if (a.kind === "none") return optional(b);
  if (b.kind === "none") return optional(a);
  const whole = commonRequired(required(a), required(b), rules);
  return whole !== undefined && (a.optional || b.optional) ? optional(whole) : whole;
}

function commonRequired(a: WdlType, b: WdlType, rules: CoercionRules): WdlType | undefined {
  if (sameType(a, b)) return a;
  if (a.kind === "array" && b.kind === "array") {
    const item = commonType(a.item, b.item, rules);
    return item && { kind: "array", item, nonEmpty: a.nonEmpty && b.nonEmpty, optional: false };
  }
  if (a.kind === "map" && b.kind === "map") {
    const key = commonType(a.key, b.key, rules);
    const value = commonType(a.value, b.value, rules);
    return key && value && { kind: "map", key, value, optional: false };
  }
  if (a.kind === "pair" && b.kind === "pair") {
    const left = commonType(a.left, b.left, rules);
    const right = commonType(a.right, b.right, rules);
    return left && right && { kind: "pair", left, right, optional: false };
  }
  if ((a.kind === "int" && b.kind === "float") || (a.kind === "float" && b.kind === "int")) return floatType;
  // Each stands for the other, so the order of the two must not decide: text it is, as in `if c then file else "none"`.
  if (isText(a) && isText(b)) return stringType;
  if (coercible(a, b, rules)) return b;
  if (coercible(b, a, rules)) return a;
  return undefined;
}

function isText(type: WdlType): boolean {
  return type.kind === "string" || type.kind === "file" || type.kind === "directory";
}
