/** draft-2: `output { call.x call.* }`, and every output of every call where there is no output section at all. */
import type { Expression, OutputSelector, WorkflowNode } from "../syntax/ast.ts";
import type { WdlType } from "../types/type.ts";
import type { CheckedOutput } from "./checked.ts";
import type { Context } from "./context.ts";
import { unknownSelector } from "./diagnostics-document.ts";
import type { Scope } from "./scope.ts";

/** The outputs are named `call.x`. */
export function oldOutputs(context: Context, node: WorkflowNode, scope: Scope): CheckedOutput[] {
  if (context.has("1.0")) return [];
  if (node.outputSection === undefined) {
    return [...scope.entries()].flatMap((entry) =>
      entry.kind === "call" && entry.type.kind === "call"
        ? [...entry.type.members].map(([name, type]) => selected(context, entry.name, name, type, node.name))
        : [],
    );
  }
  return node.outputSelectors.flatMap((selector) => select(context, selector, scope));
}

function select(context: Context, selector: OutputSelector, scope: Scope): CheckedOutput[] {
  const [call, output] = selector.path;
  if (call === undefined) return [];
  const entry = scope.find(call.text);
  if (entry?.type.kind === "any") return [];
  if (entry?.type.kind !== "call") {
    if (entry !== undefined && output === undefined && !selector.wildcard)
      return [
        {
          name: call.text,
          type: entry.type,
          expression: name(context, call, entry.type),
          dependsOn: new Set([call.text]),
        },
      ];
    context.report(unknownSelector(context.place(call.span), call.text, () => scope.names(), "calls"));
    return [];
  }
  const { members } = entry.type;
  if (output === undefined)
    return [...members].map(([each, type]) => selected(context, call.text, each, type, selector));
  const type = members.get(output.text);
  if (type !== undefined) return [selected(context, call.text, output.text, type, selector)];
  context.report(unknownSelector(context.place(output.span), output.text, () => members.keys(), "outputs"));
  return [];
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
