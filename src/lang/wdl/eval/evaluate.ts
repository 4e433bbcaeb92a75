/**
 * Evaluates expressions of a checked document. Literals and conditionals take the type that the checker inferred, so
 * that `[1, 2.0]` is an array of Float; a failure carries the span of the innermost expression that failed.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#expressions
 */
import { breathe, didYouMean, unreachable } from "../../../kernel/index.ts";
import { hasMembers } from "../stdlib/arguments.ts";
import { stdlibFunctions } from "../stdlib/registry.ts";
import type {
  ApplyNode,
  BinaryNode,
  Expression,
  MemberNode,
  NameNode,
  ObjectNode,
  StringPart,
} from "../syntax/ast.ts";
import { optional, type WdlType } from "../types/type.ts";
import { coerce } from "../values/coerce.ts";
import { ValueFailure } from "../values/failure.ts";
import { asTooLarge } from "../values/limits.ts";
import { andThen, type MaybePromise, mapInOrder } from "../values/maybe-promise.ts";
import {
  array,
  bool,
  describe,
  float,
  int,
  isNone,
  isPath,
  keyText,
  type MapValue,
  map,
  none,
  object,
  pair,
  str,
  type WdlValue,
} from "../values/value.ts";
import { applyBinary, applyUnary } from "./operators.ts";
import { renderParts } from "./placeholder.ts";
import { type EvaluationScope, located } from "./scope.ts";

/** After values with this many items, other requests of the process get a turn. */
const manyItems = 1_000;

export function evaluate(expression: Expression, scope: EvaluationScope): MaybePromise<WdlValue> {
  return evaluateIn(expression, scope, false);
}

/** `inPlaceholder`: `+` with a None operand is None there, not an error. */
export function evaluateIn(
  expression: Expression,
  scope: EvaluationScope,
  inPlaceholder: boolean,
): MaybePromise<WdlValue> {
  const failed = (error: unknown) => located(asTooLarge(error), scope.document, expression.span);
  const { bounds } = scope.library;
  const inner = { items: 0 };
  try {
    const value = evaluateNode(expression, scope, { inPlaceholder, inner });
    if (value instanceof Promise) return settled(value);
    bounds.letGo(inner.items);
    return bounds.bounded(value);
  } catch (error) {
    bounds.letGo(inner.items);
    throw failed(error);
  }

  async function settled(value: Promise<WdlValue>): Promise<WdlValue> {
    try {
      return bounds.bounded(await value);
    } catch (error) {
      throw failed(error);
    } finally {
      bounds.letGo(inner.items);
    }
  }
}

/** The text of a string's or command's parts. */
export function evaluateParts(parts: readonly StringPart[], scope: EvaluationScope): MaybePromise<string> {
  const failed = (error: unknown) => {
    throw asTooLarge(error);
  };
  try {
    const text = renderParts(parts, scope, evaluateIn);
    return text instanceof Promise ? text.catch(failed) : text;
  } catch (error) {
    return failed(error);
  }
}

function evaluateNode(
  node: Expression,
  scope: EvaluationScope,
  {
    inPlaceholder,
    inner,
  }: {
    readonly inPlaceholder: boolean;
    /** Counts what is in the values that this expression holds until it has its own. */
    readonly inner: { items: number };
  },
): MaybePromise<WdlValue> {
  const { bounds } = scope.library;
  const one = (each: Expression) =>
    andThen(evaluateIn(each, scope, inPlaceholder), (value) => {
      // Before the next one is made.
      const items = bounds.itemsIn(value);
      inner.items += items;
      bounds.hold(items);
      bounds.checkItemsInAll(inner.items);
      return value;
    });
  const sub = (each: Expression) => {
    const turn = inner.items < manyItems ? undefined : breathe();
    return turn === undefined ? one(each) : turn.then(() => one(each));
  };
  switch (node.kind) {
    case "boolean":
      return bool(node.value);
    case "int":
      return int(node.value);
    case "float":
      return float(node.value);
    case "none":
      return none;
    case "string":
      return andThen(evaluateParts(node.parts, scope), str);
    case "array":
      return andThen(mapInOrder(node.items, sub), (items) => asInferred(array(items), node, scope));
    case "pair":
      return andThen(mapInOrder([node.left, node.right], sub), ([left, right]) =>
        asInferred(pair(left ?? none, right ?? none), node, scope),
      );
    case "map":
      return andThen(
        mapInOrder(node.entries, (entry) =>
          andThen(sub(entry.key), (key) => andThen(sub(entry.value), (value) => [key, value] as const)),
        ),
        (entries) => {
          const made = map(entries);
          if (made.entries.size !== entries.length) throw new ValueFailure(duplicateKey(entries));
          return asInferred(made, node, scope);
        },
      );
    case "object":
      return evaluateObject(node, scope, sub);
    case "hints":
      return andThen(
        mapInOrder(node.members, (member) =>
          andThen(sub(member.value), (value) => [member.name.text, value] as const),
        ),
        object,
      );
    case "name":
      return evaluateName(node, scope);
    case "member":
      return evaluateMember(node, scope, sub);
    case "index":
      return andThen(sub(node.object), (whole) =>
        andThen(sub(node.index), (index) => elementAt(whole, index, typeOf(node.object, scope))),
      );
    case "apply":
      return evaluateApply(node, scope, sub);
    case "unary":
      // The least Int is written as a negated literal that does not fit by itself.
      return node.operator === "-" && node.operand.kind === "int"
        ? applyUnary("-", int(node.operand.value))
        : andThen(sub(node.operand), (operand) => applyUnary(node.operator, operand));
    case "binary":
      return evaluateBinary(node, inPlaceholder, sub);
    case "conditional":
      return andThen(sub(node.condition), (condition) => {
        if (condition.kind !== "boolean")
          throw new ValueFailure(`the condition is ${describe(condition)}, expected a Boolean`);
        return andThen(sub(condition.value ? node.then : node.else), (value) =>
          asInferred(value, node, scope),
        );
      });
    case "error":
      throw new ValueFailure("this expression could not be read");
    default:
      return unreachable(node);
  }
}

type Sub = (expression: Expression) => MaybePromise<WdlValue>;

function typeOf(node: Expression, scope: EvaluationScope): WdlType {
  return scope.document.typeOf(node);
}

/** Where something was only known as "any type", None may be inside although the inferred type does not say so. */
function asInferred(value: WdlValue, node: Expression, scope: EvaluationScope): WdlValue {
  return coerce(value, allowingNone(typeOf(node, scope)));
}

function allowingNone(type: WdlType): WdlType {
  switch (type.kind) {
    case "array":
      return { ...type, item: optional(type.item), optional: true };
    case "map":
      return { ...type, key: optional(type.key), value: optional(type.value), optional: true };
    case "pair":
      return { ...type, left: optional(type.left), right: optional(type.right), optional: true };
    default:
      return optional(type);
  }
}

function duplicateKey(entries: readonly (readonly [WdlValue, WdlValue])[]): string {
  const seen = new Set<string>();
  for (const [key] of entries) {
    const text = keyText(key);
    if (seen.has(text)) return `the key ${describe(key)} comes twice in this map`;
    seen.add(text);
  }
  return "a key comes twice in this map";
}

function evaluateObject(node: ObjectNode, scope: EvaluationScope, sub: Sub): MaybePromise<WdlValue> {
  const members = mapInOrder(node.members, (member) =>
    andThen(sub(member.value), (value) => [member.name.text, value] as const),
  );
  return andThen(members, (entries) => {
    const made = object(entries);
    const type = node.type === undefined ? undefined : scope.document.structs.get(node.type.text);
    return type === undefined ? made : coerce(made, type, `this ${type.name}`);
  });
}

function evaluateName(node: NameNode, scope: EvaluationScope): WdlValue {
  const value = scope.lookup(node.name);
  if (value === undefined) throw new ValueFailure(`"${node.name}" has no value here`);
  return value;
}

function evaluateMember(node: MemberNode, scope: EvaluationScope, sub: Sub): MaybePromise<WdlValue> {
  const choice = enumChoice(node, scope);
  return choice ?? andThen(sub(node.object), (whole) => memberOf(whole, node.name.text));
}

/** `Color.red`, unless a declaration is called Color. */
function enumChoice(node: MemberNode, scope: EvaluationScope): WdlValue | undefined {
  if (node.object.kind !== "name" || scope.lookup(node.object.name) !== undefined) return undefined;
  const found = scope.document.enums.get(node.object.name);
  if (found === undefined) return undefined;
  return coerce(str(node.name.text), found.type, `${node.object.name}.${node.name.text}`);
}

function memberOf(value: WdlValue, name: string): WdlValue {
  if (hasMembers(value)) {
    const member = value.members.get(name);
    if (member !== undefined) return member;
    const near = didYouMean(name, value.members.keys());
    throw new ValueFailure(
      `${describe(value)} has no member "${name}"`,
      near === undefined ? `it has ${[...value.members.keys()].join(", ")}` : `did you mean "${near}"?`,
    );
  }
  if (value.kind === "pair" && name === "left") return value.left;
  if (value.kind === "pair" && name === "right") return value.right;
  if (value.kind === "map") return elementAt(value, str(name));
  // Outputs of a call in a scatter: the member of each.
  if (value.kind === "array") return array(value.items.map((item) => memberOf(item, name)));
  throw new ValueFailure(`cannot take the member "${name}" of ${describe(value)}`);
}

function elementAt(whole: WdlValue, index: WdlValue, type?: WdlType): WdlValue {
  if (whole.kind === "array") {
    if (index.kind !== "int") throw new ValueFailure(`the index is ${describe(index)}, expected an Int`);
    const item = index.value >= 0n ? whole.items[Number(index.value)] : undefined;
    if (item !== undefined) return item;
    throw new ValueFailure(`index ${index.value} is outside an array of ${whole.items.length} items`);
  }
  if (whole.kind === "map") {
    const key = type?.kind === "map" ? coerce(index, type.key, "the key") : index;
    const entry = whole.entries.get(keyText(key)) ?? entryAsWritten(whole, key);
    if (entry !== undefined) return entry[1];
    throw new ValueFailure(`the map has no key ${describe(key)}`, keysOf(whole));
  }
  if (hasMembers(whole) && index.kind === "string") return memberOf(whole, index.value);
  throw new ValueFailure(`cannot take an element of ${describe(whole)}`);
}

/** A File key is known by the path that it has now, and by the path that the document wrote. */
function entryAsWritten(whole: MapValue, key: WdlValue): readonly [WdlValue, WdlValue] | undefined {
  if (!isPath(key)) return undefined;
  const text = key.written ?? key.path;
  return [...whole.entries.values()].find(([each]) => isPath(each) && each.written === text);
}

function keysOf(value: MapValue): string {
  const keys = [...value.entries.values()].slice(0, 8).map(([key]) => describe(key));
  return keys.length === 0
    ? "it is empty"
    : `it has ${keys.join(", ")}${value.entries.size > 8 ? ", …" : ""}`;
}

function evaluateApply(node: ApplyNode, scope: EvaluationScope, sub: Sub): MaybePromise<WdlValue> {
  const called = stdlibFunctions.get(node.function.text);
  const signature = scope.document.signatureOf(node);
  if (called === undefined || signature === undefined) {
    throw new ValueFailure(`the function "${node.function.text}" does not exist`);
  }
  return andThen(mapInOrder(node.arguments, sub), (given) => {
    const args = given.map((value, i) => {
      const type = signature.parameters[i];
      return type === undefined ? value : coerce(value, type, `argument ${i + 1} of ${node.function.text}()`);
    });
    return called.call(args, scope.library, signature);
  });
}

function evaluateBinary(node: BinaryNode, inPlaceholder: boolean, sub: Sub): MaybePromise<WdlValue> {
  return andThen(sub(node.left), (left) => {
    if (node.operator === "&&" || node.operator === "||") {
      const decided = truth(left) === (node.operator === "||");
      return decided ? left : andThen(sub(node.right), (right) => bool(truth(right)));
    }
    return andThen(sub(node.right), (right) =>
      inPlaceholder && node.operator === "+" && (isNone(left) || isNone(right))
        ? none
        : applyBinary(node.operator, left, right),
    );
  });
}

function truth(value: WdlValue): boolean {
  if (value.kind === "boolean") return value.value;
  throw new ValueFailure(`got ${describe(value)}, expected a Boolean`);
}
