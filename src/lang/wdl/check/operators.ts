/** Types of operators. https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#built-in-operators */
import type { BinaryNode, Expression, UnaryOperator } from "../syntax/ast.ts";
import { commonType } from "../types/coercion.ts";
import {
  anyType,
  booleanType,
  fileType,
  floatType,
  intType,
  isPrimitive,
  optional,
  required,
  stringType,
  type WdlType,
} from "../types/type.ts";
import type { Context } from "./context.ts";
import * as wrong from "./diagnostics.ts";

export interface Operands {
  readonly node: BinaryNode;
  readonly left: WdlType;
  readonly right: WdlType;
  /** Inside a placeholder `+` takes optionals: None on either side makes the placeholder empty. */
  readonly placeholder: boolean;
}

export function binaryType(context: Context, operands: Operands): WdlType {
  switch (operands.node.operator) {
    case "||":
    case "&&":
      return logicalType(context, operands);
    case "==":
    case "!=":
      return equalityType(context, operands);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return orderType(context, operands);
    case "+":
      return additionType(context, operands);
    default:
      return arithmeticType(context, operands);
  }
}

function logicalType(context: Context, { node, left, right }: Operands): WdlType {
  requireValue(context, node, left, right);
  const fits = (type: WdlType) => type.kind === "boolean" || type.kind === "any";
  if (!fits(left) || !fits(right)) reportOperands(context, node, left, right);
  return booleanType;
}

/** Optionals may be compared; two values that can never be equal are a mistake. */
function equalityType(context: Context, { node, left, right }: Operands): WdlType {
  const comparable =
    (isPrimitive(left) && isPrimitive(right)) || commonType(left, right, { lenient: true }) !== undefined;
  if (!comparable || left.kind === "call" || right.kind === "call")
    reportOperands(context, node, left, right);
  return booleanType;
}

function orderType(context: Context, { node, left, right }: Operands): WdlType {
  requireValue(context, node, left, right);
  const a = required(left);
  const b = required(right);
  const ordered =
    isAny(a) || isAny(b) || (isNumber(a) && isNumber(b)) || (a.kind === "boolean" && b.kind === "boolean");
  // Text next to any primitive: both are compared as text.
  const text = isPrimitive(a) && isPrimitive(b) && (isText(a) || isText(b));
  if (!ordered && !text) reportOperands(context, node, left, right);
  return booleanType;
}

/** Two numbers are added, anything next to text is concatenated. */
function additionType(context: Context, { node, left, right, placeholder }: Operands): WdlType {
  const mayBeNone = left.optional || right.optional;
  if (!placeholder) requireValue(context, node, left, right);
  const a = required(left);
  const b = required(right);
  const result = sumType(a, b);
  if (result === undefined) {
    reportOperands(context, node, left, right);
    return anyType;
  }
  return mayBeNone && placeholder ? optional(result) : result;
}

function sumType(a: WdlType, b: WdlType): WdlType | undefined {
  if (isNumber(a) && isNumber(b)) return a.kind === "int" && b.kind === "int" ? intType : floatType;
  if (a.kind === "file" && b.kind === "file") return fileType;
  if (isAny(a) && isAny(b)) return anyType;
  if (isAny(a)) return isPrimitive(b) ? (isText(b) ? stringType : anyType) : undefined;
  if (isAny(b)) return isPrimitive(a) ? (isText(a) ? stringType : anyType) : undefined;
  const texts = isText(a) || isText(b);
  const addable = (type: WdlType) => isPrimitive(type) || type.kind === "enum";
  return texts && addable(a) && addable(b) ? stringType : undefined;
}

function arithmeticType(context: Context, { node, left, right }: Operands): WdlType {
  requireValue(context, node, left, right);
  const a = required(left);
  const b = required(right);
  if (isAny(a) && isAny(b)) return anyType;
  if ((isNumber(a) || isAny(a)) && (isNumber(b) || isAny(b)))
    return a.kind === "float" || b.kind === "float" ? floatType : isAny(a) || isAny(b) ? anyType : intType;
  reportOperands(context, node, left, right);
  return anyType;
}

export function unaryType(
  context: Context,
  operator: UnaryOperator,
  operand: Expression,
  type: WdlType,
): WdlType {
  if (type.optional && type.kind !== "any")
    context.report(wrong.optionalOperand(context.place(operand.span), operator, type));
  const value = required(type);
  const fits = isAny(value) || (operator === "!" ? value.kind === "boolean" : isNumber(value));
  if (!fits) {
    context.report(wrong.badOperand(context.place(operand.span), operator, type));
    return operator === "!" ? booleanType : anyType;
  }
  return operator === "!" ? booleanType : value;
}

function requireValue(context: Context, node: BinaryNode, left: WdlType, right: WdlType): void {
  for (const [operand, type] of [
    [node.left, left],
    [node.right, right],
  ] as const) {
    if (type.optional && type.kind !== "any")
      context.report(wrong.optionalOperand(context.place(operand.span), node.operator, type));
  }
}

function reportOperands(context: Context, node: BinaryNode, left: WdlType, right: WdlType): void {
  context.report(wrong.badOperands(context.place(node.operatorSpan), node.operator, left, right));
}

function isAny(type: WdlType): boolean {
  return type.kind === "any";
}

function isNumber(type: WdlType): boolean {
  return type.kind === "int" || type.kind === "float";
}

function isText(type: WdlType): boolean {
  return type.kind === "string" || type.kind === "file" || type.kind === "directory";
}
