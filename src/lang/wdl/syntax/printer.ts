/**
 * Canonical text: equal trees print equally, whatever their spacing, quotes and comments were, and printed text parses
 * to the same tree. Output rules and templates use it. Written in the syntax of the newest version.
 */
import { unreachable } from "../../../kernel/index.ts";
import type { BinaryOperator, Expression, Name, PlaceholderOption, StringPart, TypeNode } from "./ast.ts";

const binding: Readonly<Record<BinaryOperator, number>> = {
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "%": 6,
  "**": 7,
};
const unaryBinding = 8;
const postfixBinding = 9;

/** The expression on one line. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case "boolean":
      return String(expression.value);
    case "int":
      return expression.value.toString();
    case "float":
      return printFloat(expression.value);
    case "none":
      return "None";
    case "string":
      return printString(expression.parts);
    case "array":
      return `[${expression.items.map(printExpression).join(", ")}]`;
    case "pair":
      return `(${printExpression(expression.left)}, ${printExpression(expression.right)})`;
    case "map":
      return `{${expression.entries
        .map((entry) => `${printExpression(entry.key)}: ${printExpression(entry.value)}`)
        .join(", ")}}`;
    case "object":
      return `${expression.type?.text ?? "object"} ${printMembers(expression.members)}`;
    case "hints":
      return `${expression.form} ${printMembers(expression.members)}`;
    case "name":
      return expression.name;
    case "member":
      return `${printAt(expression.object, postfixBinding)}.${expression.name.text}`;
    case "index":
      return `${printAt(expression.object, postfixBinding)}[${printExpression(expression.index)}]`;
    case "apply":
      return `${expression.function.text}(${expression.arguments.map(printExpression).join(", ")})`;
    case "unary":
      return `${expression.operator}${printAt(expression.operand, unaryBinding)}`;
    case "binary": {
      const level = binding[expression.operator];
      // Left-associative: an equal operator on the right needs its parentheses.
      return `${printAt(expression.left, level)} ${expression.operator} ${printAt(expression.right, level + 1)}`;
    }
    case "conditional":
      return `if ${printExpression(expression.condition)} then ${printExpression(expression.then)} else ${printExpression(expression.else)}`;
    case "error":
      return "<error>";
    default:
      return unreachable(expression);
  }
}

function printAt(expression: Expression, least: number): string {
  const text = printExpression(expression);
  return bindingOf(expression) < least ? `(${text})` : text;
}

function bindingOf(expression: Expression): number {
  switch (expression.kind) {
    case "conditional":
      return 0;
    case "binary":
      return binding[expression.operator];
    case "unary":
      return unaryBinding;
    // `1.x` would read as a number followed by a name.
    case "int":
    case "float":
      return unaryBinding;
    default:
      return 10;
  }
}

function printFloat(value: number): string {
  if (!Number.isFinite(value)) return "1e999";
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function printMembers(members: readonly { readonly name: Name; readonly value: Expression }[]): string {
  return `{${members.map((member) => `${member.name.text}: ${printExpression(member.value)}`).join(", ")}}`;
}

/** A string literal with double quotes: `"a ~{b} c"`. */
export function printString(parts: readonly StringPart[]): string {
  return `"${parts.map((part) => (part.kind === "text" ? escapeText(part.text) : printPlaceholder(part))).join("")}"`;
}

/** Text as it stands between double quotes. */
function escapeText(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\t")
    .replaceAll("\r", "\\r")
    .replace(/[~$](?=\{|$)/g, "\\$&");
}

/** `~{sep=", " xs}` */
export function printPlaceholder(part: Extract<StringPart, { kind: "placeholder" }>): string {
  return `~{${part.options.map(printOption).join("")}${printExpression(part.expression)}}`;
}

function printOption(option: PlaceholderOption): string {
  return `${option.kind}=${printExpression(option.value)} `;
}

/** The type in WDL's notation. */
export function printTypeNode(type: TypeNode): string {
  const mark = type.optional ? "?" : "";
  switch (type.kind) {
    case "boolean":
      return `Boolean${mark}`;
    case "int":
      return `Int${mark}`;
    case "float":
      return `Float${mark}`;
    case "string":
      return `String${mark}`;
    case "file":
      return `File${mark}`;
    case "directory":
      return `Directory${mark}`;
    case "object":
      return `Object${mark}`;
    case "array":
      return `Array[${printTypeNode(type.item)}]${type.nonEmpty ? "+" : ""}${mark}`;
    case "map":
      return `Map[${printTypeNode(type.key)}, ${printTypeNode(type.value)}]${mark}`;
    case "pair":
      return `Pair[${printTypeNode(type.left)}, ${printTypeNode(type.right)}]${mark}`;
    case "named":
      return `${type.name}${mark}`;
    case "error":
      return "<error>";
    default:
      return unreachable(type);
  }
}
