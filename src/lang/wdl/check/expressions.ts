/**
 * Infers and records the type of every expression. `expected` is what the place asks for: it decides what literals
 * become (a map literal where a struct is expected is that struct), never what anything else is.
 */
import { unreachable } from "../../../kernel/index.ts";
import type {
  ApplyNode,
  Expression,
  MapEntry,
  MemberNode,
  NameNode,
  ObjectNode,
  StringPart,
} from "../syntax/ast.ts";
import { coercible, commonType } from "../types/coercion.ts";
import {
  anyType,
  arrayOf,
  booleanType,
  floatType,
  hintsType,
  intType,
  isPrimitive,
  mapOf,
  noneType,
  objectType,
  pairOf,
  required,
  type StructType,
  stringType,
  type WdlType,
} from "../types/type.ts";
import { applicationType } from "./applications.ts";
import type { Context } from "./context.ts";
import * as wrong from "./diagnostics.ts";
import { checkFits, commonOf, plainText } from "./fits.ts";
import { memberType } from "./members.ts";
import { binaryType, unaryType } from "./operators.ts";
import type { Scope } from "./scope.ts";

export interface Where {
  readonly scope: Scope;
  /** Functions that only work after the command are legal. */
  readonly outputs?: boolean;
  /** Directly inside a placeholder. */
  readonly placeholder?: boolean;
}

/** Infers, compares with what is wanted, and reports when it does not fit. `what` begins the message. */
export function expectType(
  context: Context,
  expression: Expression,
  wanted: WdlType,
  where: Where,
  what: string,
): WdlType {
  const found = infer(context, expression, where, wanted);
  checkFits(context, expression, found, wanted, what);
  return found;
}

export function infer(
  context: Context,
  expression: Expression,
  where: Where,
  expected: WdlType = anyType,
): WdlType {
  const type = inferHere(context, expression, where, expected);
  context.types.set(expression, type);
  return type;
}

function inferHere(context: Context, expression: Expression, where: Where, expected: WdlType): WdlType {
  switch (expression.kind) {
    case "boolean":
      return booleanType;
    case "int":
      if (expression.value >= 1n << 63n) context.report(wrong.intOutOfRange(context.place(expression.span)));
      return intType;
    case "float":
      return floatType;
    case "none":
      return noneType;
    case "string":
      inferParts(context, expression.parts, where);
      return stringType;
    case "array":
      return inferArray(context, expression.items, where, expected);
    case "pair": {
      const wanted = expected.kind === "pair" ? expected : pairOf(anyType, anyType);
      return pairOf(
        infer(context, expression.left, inside(where), wanted.left),
        infer(context, expression.right, inside(where), wanted.right),
      );
    }
    case "map":
      return inferMap(context, expression.entries, where, expected);
    case "object":
      return inferObject(context, expression, where, expected);
    case "hints":
      for (const member of expression.members) infer(context, member.value, inside(where));
      return hintsType;
    case "name":
      return inferName(context, expression, where);
    case "member":
      return inferMember(context, expression, where);
    case "index":
      return inferIndex(context, expression, where);
    case "apply":
      return inferApply(context, expression, where);
    case "unary": {
      // The one literal that fits only with its sign.
      if (
        expression.operator === "-" &&
        expression.operand.kind === "int" &&
        expression.operand.value === 1n << 63n
      ) {
        context.types.set(expression.operand, intType);
        return intType;
      }
      const operand = infer(context, expression.operand, inside(where));
      return unaryType(context, expression.operator, expression.operand, operand);
    }
    case "binary": {
      const left = infer(context, expression.left, expression.operator === "+" ? where : inside(where));
      const right = infer(context, expression.right, expression.operator === "+" ? where : inside(where));
      return binaryType(context, { node: expression, left, right, placeholder: where.placeholder === true });
    }
    case "conditional":
      return inferConditional(context, expression, where, expected);
    case "error":
      return anyType;
    default:
      return unreachable(expression);
  }
}

/** The same place, no longer directly inside a placeholder. */
function inside(where: Where): Where {
  return where.placeholder === true ? { ...where, placeholder: false } : where;
}

// --- text

/** Strings and commands. */
export function inferParts(context: Context, parts: readonly StringPart[], where: Where): void {
  for (const part of parts) {
    if (part.kind === "placeholder") inferPlaceholder(context, part, where);
  }
}

function inferPlaceholder(
  context: Context,
  part: Extract<StringPart, { kind: "placeholder" }>,
  where: Where,
): void {
  const found = infer(context, part.expression, { ...where, placeholder: true });
  for (const option of part.options) infer(context, option.value, inside(where));
  const place = context.place(part.expression.span);
  const kinds = new Set(part.options.map((option) => option.kind));
  if (found.kind === "any") return;
  if (kinds.has("sep")) {
    const joinable = found.kind === "array" && (isPrimitive(found.item) || isLoose(found.item));
    if (!joinable)
      context.report(wrong.placeholderOptionType(place, "sep", found, "an Array of a primitive type"));
    return;
  }
  if (kinds.has("true")) {
    if (found.kind !== "boolean")
      context.report(wrong.placeholderOptionType(place, "true", found, "a Boolean"));
    return;
  }
  if (!isPrimitive(found) && !isLoose(found)) context.report(wrong.placeholderType(place, found));
}

function isLoose(type: WdlType): boolean {
  return type.kind === "any" || type.kind === "none" || type.kind === "enum";
}

// --- literals

function inferArray(
  context: Context,
  items: readonly Expression[],
  where: Where,
  expected: WdlType,
): WdlType {
  const wanted = expected.kind === "array" ? expected.item : anyType;
  const types = items.map((item) => infer(context, item, inside(where), wanted));
  return arrayOf(commonOf(context, items, { types, wanted, what: "item" }), { nonEmpty: items.length > 0 });
}

function inferMap(context: Context, entries: readonly MapEntry[], where: Where, expected: WdlType): WdlType {
  const keysAreText = entries.every((entry) => entry.key.kind === "string");
  if (expected.kind === "struct" && keysAreText) return inferStructFromMap(context, entries, where, expected);
  const wanted = expected.kind === "map" ? expected : mapOf(anyType, anyType);
  const keys = entries.map((entry) => infer(context, entry.key, inside(where), wanted.key));
  const values = entries.map((entry) => infer(context, entry.value, inside(where), wanted.value));
  reportDuplicateKeys(context, entries);
  const key = commonOf(
    context,
    entries.map((entry) => entry.key),
    { types: keys, wanted: wanted.key, what: "key" },
  );
  for (const [index, type] of keys.entries()) {
    const entry = entries[index];
    if (entry !== undefined && !isPrimitive(type) && !isLoose(type))
      context.report(wrong.mapKeyType(context.place(entry.key.span), type));
  }
  // An Object holds values of any types, and a struct is filled member by member.
  if (expected.kind === "object" || expected.kind === "struct") return mapOf(key, anyType);
  const value = commonOf(
    context,
    entries.map((entry) => entry.value),
    { types: values, wanted: wanted.value, what: "value" },
  );
  return mapOf(key, value);
}

function reportDuplicateKeys(context: Context, entries: readonly MapEntry[]): void {
  const seen = new Map<string, Expression>();
  for (const { key } of entries) {
    const text = plainText(key);
    if (text === undefined) continue;
    const first = seen.get(text);
    if (first === undefined) seen.set(text, key);
    else context.report(wrong.duplicateKey(context.place(key.span), text, context.place(first.span)));
  }
}

/** `Struct s = {"a": 1, "b": "x"}`: the literal is the struct, each value is checked against its member. */
function inferStructFromMap(
  context: Context,
  entries: readonly MapEntry[],
  where: Where,
  struct: StructType,
): WdlType {
  reportDuplicateKeys(context, entries);
  const given = new Set<string>();
  for (const entry of entries) {
    infer(context, entry.key, inside(where));
    const text = plainText(entry.key);
    if (text === undefined) {
      infer(context, entry.value, inside(where));
      continue;
    }
    const name = text.startsWith('"') ? (JSON.parse(text) as string) : text;
    given.add(name);
    checkMember(context, struct, name, entry.key, entry.value, where);
  }
  if (entries.every((entry) => plainText(entry.key) !== undefined))
    reportMissing(context, struct, given, entries[0]?.key);
  return required(struct);
}

function inferObject(context: Context, node: ObjectNode, where: Where, expected: WdlType): WdlType {
  const struct = node.type === undefined ? expected : structNamed(context, node.type.text, node);
  const first = new Map<string, wrong.Place>();
  for (const { name } of node.members) {
    const place = context.place(name.span);
    const earlier = first.get(name.text);
    if (earlier === undefined) first.set(name.text, place);
    else context.report(wrong.duplicateKey(place, name.text, earlier));
  }
  if (struct?.kind !== "struct") {
    for (const { value } of node.members) infer(context, value, inside(where));
    return node.type === undefined ? objectType : anyType;
  }
  for (const { name, value } of node.members) {
    const key: Expression = { kind: "name", name: name.text, span: name.span };
    checkMember(context, struct, name.text, key, value, where);
  }
  reportMissing(context, struct, first, node);
  return required(struct);
}

function structNamed(context: Context, name: string, node: ObjectNode): WdlType | undefined {
  const found = context.structs.get(name);
  if (found !== undefined) return found;
  const place = context.place(node.type?.span ?? node.span);
  if (context.enums.has(name)) context.report(wrong.notAStruct(place, name, "an enum"));
  else if (context.missingNamespaces.size === 0)
    context.report(wrong.unknownType(place, name, () => context.structs.keys()));
  return undefined;
}

function checkMember(
  context: Context,
  struct: StructType,
  name: string,
  key: Expression,
  value: Expression,
  where: Where,
): void {
  const member = struct.members.get(name);
  if (member === undefined) {
    infer(context, value, inside(where));
    context.report(
      wrong.extraMember(context.place(key.span), name, struct.name, () => struct.members.keys()),
    );
    return;
  }
  expectType(context, value, member, inside(where), `member ${name} of ${struct.name}`);
}

function reportMissing(
  context: Context,
  struct: StructType,
  given: { has(name: string): boolean },
  at: Expression | undefined,
): void {
  const missing = [...struct.members]
    .filter(([name, type]) => !type.optional && type.kind !== "any" && !given.has(name))
    .map(([name]) => name);
  if (missing.length > 0 && at !== undefined)
    context.report(wrong.missingMembers(context.place(at.span), struct.name, missing));
}

// --- names and members

function inferName(context: Context, node: NameNode, where: Where): WdlType {
  const entry = where.scope.find(node.name);
  if (entry !== undefined) return entry.type;
  const place = context.place(node.span);
  if (context.enums.has(node.name)) context.report(wrong.notAValue(place, node.name, "an enum"));
  else context.report(wrong.unknownName(place, node.name, () => where.scope.names()));
  return anyType;
}

function inferMember(context: Context, node: MemberNode, where: Where): WdlType {
  const { object, name } = node;
  if (object.kind === "name" && where.scope.find(object.name) === undefined) {
    const found = context.enums.get(object.name);
    if (found !== undefined) {
      if (!found.type.choices.includes(name.text)) {
        const place = context.place(name.span);
        context.report(
          wrong.unknownMember(place, name.text, `enum ${object.name}`, () => found.type.choices),
        );
      }
      return found.type;
    }
  }
  return memberType(context, node, infer(context, object, inside(where)));
}

function inferIndex(context: Context, node: Extract<Expression, { kind: "index" }>, where: Where): WdlType {
  const object = infer(context, node.object, inside(where));
  if (object.optional && object.kind !== "any")
    context.report(
      wrong.optionalForRequired(context.place(node.object.span), object, required(object), "this"),
    );
  switch (object.kind) {
    case "array":
      expectType(context, node.index, intType, inside(where), "the index");
      return object.item;
    case "map":
      expectType(context, node.index, object.key, inside(where), "the key");
      return object.value;
    case "any":
    case "object":
      infer(context, node.index, inside(where));
      return anyType;
    default:
      infer(context, node.index, inside(where));
      context.report(wrong.notIndexable(context.place(node.object.span), object));
      return anyType;
  }
}

function inferConditional(
  context: Context,
  node: Extract<Expression, { kind: "conditional" }>,
  where: Where,
  expected: WdlType,
): WdlType {
  expectType(context, node.condition, booleanType, inside(where), "the condition");
  const then = infer(context, node.then, where, expected);
  const otherwise = infer(context, node.else, where, expected);
  const both = commonType(then, otherwise, context.rules);
  if (both !== undefined && (expected.kind === "any" || coercible(both, expected, context.rules)))
    return both;
  if (expected.kind !== "any") {
    checkFits(context, node.then, then, expected, "what then gives");
    checkFits(context, node.else, otherwise, expected, "what else gives");
    return expected;
  }
  context.report(wrong.branchTypes(context.place(node.span), then, otherwise));
  return anyType;
}

function inferApply(context: Context, node: ApplyNode, where: Where): WdlType {
  const given = node.arguments.map((argument) => infer(context, argument, inside(where)));
  return applicationType(context, { node, given, outputs: where.outputs === true });
}
