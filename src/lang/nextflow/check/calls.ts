/** Processes that a workflow certainly calls twice, and outputs that are declared or assigned alone. */
import { type Diagnostic, didYouMean, type SourceText } from "../../../kernel/index.ts";
import type { Expression, Script, Statement, WorkflowNode } from "../syntax/ast.ts";
import * as wrong from "../syntax/diagnostics.ts";

export function repeatedCalls(
  script: Script,
  processes: ReadonlySet<string>,
  named: ReadonlySet<string>,
): readonly Diagnostic[] {
  return script.items.flatMap((item) =>
    item.kind === "workflow" && (item.name === undefined || named.has(item.name.text))
      ? repeatedIn(item, script.source, processes)
      : [],
  );
}

function repeatedIn(
  workflow: WorkflowNode,
  source: SourceText,
  processes: ReadonlySet<string>,
): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const called = new Set<string>();
  const hidden = new Set(workflow.takes.map(({ text }) => text));
  for (const statement of workflow.main) {
    const value = evaluatedIn(statement);
    if (value === undefined) {
      // What follows may not be reached.
      if (leaves(statement)) break;
      continue;
    }
    for (const name of callsIn(value)) {
      if (!processes.has(name.name) || hidden.has(name.name)) continue;
      if (called.has(name.name)) found.push(wrong.calledTwice({ source, span: name.span }, name.name));
      called.add(name.name);
    }
  }
  return found;
}

/** Whether a workflow may end within. */
function leaves(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(leaves);
  if (typeof node !== "object" || node === null) return false;
  const { kind, name } = node as { readonly kind?: string; readonly name?: unknown };
  if (kind === "return" || kind === "throw" || (kind === "name" && name === "exit")) return true;
  for (const member in node) {
    const each = (node as Readonly<Record<string, unknown>>)[member];
    if (typeof each === "object" && member !== "source" && member !== "span" && leaves(each)) return true;
  }
  return false;
}

function evaluatedIn(node: Statement): Expression | undefined {
  if (node.kind === "expression") return node.expression;
  return node.kind === "declare" || node.kind === "destructure" ? node.value : undefined;
}

type Called = Extract<Expression, { kind: "name" }>;

/** Names that are called wherever the expression is evaluated: not in closures and branches. */
function callsIn(node: Expression): readonly Called[] {
  switch (node.kind) {
    case "call": {
      const given = node.arguments.flatMap(({ value }) => callsIn(value));
      return node.callee.kind === "name" ? [...given, node.callee] : [...callsIn(node.callee), ...given];
    }
    case "property":
      return callsIn(node.object);
    case "assign":
      return callsIn(node.value);
    case "binary":
      if (node.operator !== "|") return [...callsIn(node.left), ...callsIn(node.right)];
      return [...callsIn(node.left), ...(node.right.kind === "name" ? [node.right] : callsIn(node.right))];
    case "list":
      return node.items.flatMap(callsIn);
    default:
      return [];
  }
}

/** `output { … }` declares what the entry workflow assigns in `publish:`. */
export function outputProblems({ source, items }: Script): readonly Diagnostic[] {
  const blocks = items.flatMap((item) => (item.kind === "output" ? item.outputs : []));
  const entry = items.find((item) => item.kind === "workflow" && item.name === undefined);
  if (!items.some(({ kind }) => kind === "output") || entry?.kind !== "workflow") return [];
  const assigned = new Set<string>();
  for (const { name, target } of entry.publishes) {
    // Sent to a target, as in the preview, or without a name.
    if (target !== undefined || name === undefined) return [];
    assigned.add(name.text);
  }
  const declared = new Set(blocks.map(({ name }) => name.text));
  const found: Diagnostic[] = [];
  for (const { name } of entry.publishes)
    if (name !== undefined && !declared.has(name.text))
      found.push(
        wrong.output(
          { source, span: name.span },
          `Workflow output '${name.text}' was assigned in the workflow but not declared in the output block`,
          didYouMean(name.text, declared),
        ),
      );
  for (const { name } of blocks)
    if (!assigned.has(name.text))
      found.push(
        wrong.output(
          { source, span: name.span },
          `Workflow output '${name.text}' was declared in the output block but not assigned in the workflow`,
          didYouMean(name.text, assigned),
        ),
      );
  return found;
}
