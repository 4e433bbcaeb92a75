/**
 * Statements at the top of a script. What they declare with `def` is known to its processes, workflows and closures, as
 * in Groovy, where these are closures of the script: so it becomes a variable of the script.
 */
import { convertingTypes } from "../eval/statement.ts";
import type { DeclarationNode, Expression, Item, Statement } from "../syntax/ast.ts";

export function scriptStatements(items: readonly Item[]): readonly Statement[] {
  return items.filter(isStatement).flatMap(shared);
}

function isStatement(item: Item): item is Statement {
  return !["include", "params", "process", "workflow", "output", "function", "class"].includes(item.kind);
}

function shared(node: Statement): readonly Statement[] {
  if (node.kind === "declare") return [assigned(node)];
  if (node.kind === "destructure") return [{ ...node, declares: false }];
  // Several declarations of one statement.
  if (node.kind === "labeled" && node.label.text === "" && node.statement.kind === "for")
    return node.statement.initial.flatMap(shared);
  return [node];
}

function assigned({ name, type, value, span }: DeclarationNode): Statement {
  const given: Expression = value ?? { kind: "null", span };
  const converted: Expression =
    type !== undefined && value !== undefined && !type.array && convertingTypes.has(type.name)
      ? { kind: "as", span, value, type }
      : given;
  return {
    kind: "expression",
    span,
    expression: {
      kind: "assign",
      span,
      operator: undefined,
      target: { kind: "name", span: name.span, name: name.text },
      value: converted,
    },
  };
}
