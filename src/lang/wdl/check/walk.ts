/** The names that an expression refers to, in textual order, repeated as often as they are there. */
import { unreachable } from "../../../kernel/index.ts";
import type { Expression, NameNode, StringPart } from "../syntax/ast.ts";

export function namesIn(expression: Expression): NameNode[] {
  const found: NameNode[] = [];
  collect(expression, found);
  return found;
}

function collectParts(parts: readonly StringPart[], found: NameNode[]): void {
  for (const part of parts) {
    if (part.kind !== "placeholder") continue;
    for (const option of part.options) collect(option.value, found);
    collect(part.expression, found);
  }
}

function collect(expression: Expression, found: NameNode[]): void {
  switch (expression.kind) {
    case "boolean":
    case "int":
    case "float":
    case "none":
    case "error":
      return;
    case "name":
      found.push(expression);
      return;
    case "string":
      collectParts(expression.parts, found);
      return;
    case "array":
      for (const item of expression.items) collect(item, found);
      return;
    case "pair":
      collect(expression.left, found);
      collect(expression.right, found);
      return;
    case "map":
      for (const entry of expression.entries) {
        collect(entry.key, found);
        collect(entry.value, found);
      }
      return;
    case "object":
    case "hints":
      for (const member of expression.members) collect(member.value, found);
      return;
    case "member":
      collect(expression.object, found);
      return;
    case "index":
      collect(expression.object, found);
      collect(expression.index, found);
      return;
    case "apply":
      for (const argument of expression.arguments) collect(argument, found);
      return;
    case "unary":
      collect(expression.operand, found);
      return;
    case "binary":
      collect(expression.left, found);
      collect(expression.right, found);
      return;
    case "conditional":
      collect(expression.condition, found);
      collect(expression.then, found);
      collect(expression.else, found);
      return;
    default:
      unreachable(expression);
  }
}
