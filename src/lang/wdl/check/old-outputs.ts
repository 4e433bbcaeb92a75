/** draft-2: `output { call.x call.* }`, and every output of every call where there is no output section at all. */
import type { Expression, OutputSelector, WorkflowNode } from "../syntax/ast.ts";
import type { WdlType } from "../types/type.ts";
import type { CheckedOutput } from "./checked.ts";
import type { Context } from "./context.ts";
import { tooManyOutputs, unknownSelector } from "./diagnostics-document.ts";
import type { Scope } from "./scope.ts";

/** The outputs are named `call.x`. */
export function oldOutputs(context: Context, node: WorkflowNode, scope: Scope): CheckedOutput[] {
  if (context.has("1.0")) return [];
  const outputs: CheckedOutput[] = [];
  for (const output of everyOutput(context, node, scope)) {
    if (outputs.length >= mostOutputs) {
      context.report(tooManyOutputs(context.place(node.name.span), mostOutputs));
      break;
    }
    outputs.push(output);
  }
  return outputs;
}

/** A short document may call a task of thousands of outputs thousands of times. */
const mostOutputs = 100_000;

function* everyOutput(context: Context, node: WorkflowNode, scope: Scope): Iterable<CheckedOutput> {
  if (node.outputSection !== undefined) {
    for (const selector of node.outputSelectors) yield* select(context, selector, scope);
    return;
  }
  for (const entry of scope.entries()) {
    if (entry.kind !== "call" || entry.type.kind !== "call") continue;
    for (const [name, type] of entry.type.members) yield selected(context, entry.name, name, type, node.name);
  }
}

function* select(context: Context, selector: OutputSelector, scope: Scope): Iterable<CheckedOutput> {
  const [call, output] = selector.path;
  if (call === undefined) return;
  const entry = scope.find(call.text);
  if (entry?.type.kind === "any") return;
  if (entry?.type.kind !== "call") {
    if (entry !== undefined && output === undefined && !selector.wildcard)
      yield {
        name: call.text,
        type: entry.type,
        expression: name(context, call, entry.type),
        dependsOn: new Set([call.text]),
      };
    else context.report(unknownSelector(context.place(call.span), call.text, () => scope.names(), "calls"));
    return;
  }
  const { members } = entry.type;
  if (output === undefined) {
    for (const [each, type] of members) yield selected(context, call.text, each, type, selector);
    return;
  }
  const type = members.get(output.text);
  if (type !== undefined) yield selected(context, call.text, output.text, type, selector);
  else
    context.report(unknownSelector(context.place(output.span), output.text, () => members.keys(), "outputs"));
}

interface Spanned {
  readonly span: { readonly start: number; readonly end: number };
}

/** `call.output` as an expression that stands where the selector stands. */
function selected(context: Context, call: string, output: string, type: WdlType, at: Spanned): CheckedOutput {
  const object = name(context, { text: call, span: at.span }, undefined);
  const expression: Expression = {
    kind: "member",
    span: at.span,
    object,
    name: { text: output, span: at.span },
  };
  context.types.set(expression, type);
  return { name: `${call}.${output}`, type, expression, dependsOn: new Set([call]) };
}

function name(
  context: Context,
  at: { readonly text: string } & Spanned,
  type: WdlType | undefined,
): Expression {
  const expression: Expression = { kind: "name", span: at.span, name: at.text };
  if (type !== undefined) context.types.set(expression, type);
  return expression;
}
