/** Looks at every expression inside an expression. */
import { unreachable } from "../../../kernel/index.ts";
import type { Expression, StringPart } from "../syntax/ast.ts";

/** The expressions directly inside. */
export function subexpressions(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case "boolean":
    case "int":
    case "float":
    case "none":
    case "name":
    case "error":
      return [];
    case "string":
      return expressionsOfParts(node.parts);
    case "array":
      return node.items;
    case "pair":
      return [node.left, node.right];
    case "map":
      return node.entries.flatMap((entry) => [entry.key, entry.value]);
    case "object":
    case "hints":
      return node.members.map((member) => member.value);
    case "member":
      return [node.object];
    case "index":
      return [node.object, node.index];
    case "apply":
      return node.arguments;
    case "unary":
      return [node.operand];
    case "binary":
      return [node.left, node.right];
    case "conditional":
      return [node.condition, node.then, node.else];
    default:
      return unreachable(node);
  }
}

export function expressionsOfParts(parts: readonly StringPart[]): readonly Expression[] {
  return parts.flatMap((part) =>
    part.kind === "text" ? [] : [part.expression, ...part.options.map((option) => option.value)],
  );
}

/** The expression itself and everything in it, as it is read. Not recursive: a sum of a thousand terms is as deep. */
export function* everyExpression(node: Expression): Iterable<Expression> {
  const left = [node];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    yield next;
    for (const each of subexpressions(next).toReversed()) left.push(each);
  }
}

/** Names that are looked up when it is evaluated. */
export function namesIn(expressions: Iterable<Expression>): Set<string> {
  const names = new Set<string>();
  for (const expression of expressions) {
    for (const each of everyExpression(expression)) if (each.kind === "name") names.add(each.name);
  }
  return names;
}
