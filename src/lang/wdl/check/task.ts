/** Checks one task. https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#task-definition */
import type { Steps } from "../../../kernel/index.ts";
import type { MetaSection, TaskNode } from "../syntax/ast.ts";
import {
  arrayOf,
  floatType,
  intType,
  mapOf,
  objectType,
  optional,
  stringType,
  type WdlType,
} from "../types/type.ts";
import { checkTaskAttributes } from "./attributes.ts";
import type { CheckedDeclaration, CheckedDocument, CheckedTask } from "./checked.ts";
import type { Context } from "./context.ts";
import { asInput, checkBinding, declare, declareAll, orderDeclarations } from "./declarations.ts";
import { shadowingOutput } from "./diagnostics.ts";
import * as wrong from "./diagnostics-document.ts";
import { inferParts } from "./expressions.ts";
import { Scope } from "./scope.ts";

/** Pauses between the declarations. */
export function* checkTask(context: Context, node: TaskNode, document: CheckedDocument): Steps<CheckedTask> {
  const scope = new Scope(undefined);
  const inputs = yield* declareAll(context, node.inputs, "input", scope);
  const declarations = yield* declareAll(context, node.declarations, "declaration", scope);
  for (const each of [...inputs, ...declarations]) {
    yield;
    checkBinding(context, each, { scope });
  }
  const evaluationOrder = orderDeclarations(context, [...inputs, ...declarations]);
  yield;
  const given = new Set(inputs);
  checkTaskAttributes(context, node, context.has("1.3") ? withTask(context, scope, node) : scope);
  if (node.command !== undefined)
    inferParts(context, node.command.parts, { scope: withTask(context, scope, node) });
  const outputs = yield* checkOutputs(context, node, scope);
  checkParameterMeta(context, node.parameterMeta, [...inputs, ...declarations, ...outputs]);
  return {
    kind: "task",
    name: node.name.text,
    node,
    document,
    inputs: inputs.map(asInput),
    declarations,
    evaluationOrder: evaluationOrder.map((each) => (given.has(each) ? asInput(each) : each)),
    outputs,
    outputOrder: orderDeclarations(context, outputs),
  };
}

function* checkOutputs(context: Context, node: TaskNode, outer: Scope): Steps<CheckedDeclaration[]> {
  const scope = new Scope(withTask(context, outer, node));
  const outputs = declareOutputs(context, node.outputs, scope, outer);
  for (const each of outputs) {
    yield;
    checkBinding(context, each, { scope: own(scope, each), outputs: true });
  }
  yield;
  return outputs;
}

/** Outputs are a scope within; a name from the scope around is refused, or in lenient mode shadowed. */
export function declareOutputs(
  context: Context,
  nodes: TaskNode["outputs"],
  scope: Scope,
  outer: Scope,
): CheckedDeclaration[] {
  return nodes.map((each) => {
    const taken = outer.find(each.name.text);
    if (taken === undefined) return declare(context, each, "output", scope);
    const place = context.place(each.name.span);
    context.report(shadowingOutput(place, each.name.text, context.place(taken.span), taken.kind));
    // A separate scope takes the name without a second complaint; `x = x` then means the one outside.
    const apart = new Scope(undefined);
    const declared = declare(context, each, "output", apart);
    const entry = apart.own(each.name.text);
    if (entry !== undefined) scope.add(entry);
    const dependsOn = new Set([...declared.dependsOn].filter((name) => name !== declared.name));
    return { ...declared, dependsOn };
  });
}

/** In the expression of an output that shadows something, its own name means what it shadows. */
export function own(scope: Scope, output: CheckedDeclaration): Scope {
  const shadowed = scope.parent?.find(output.name);
  if (shadowed === undefined || shadowed.kind === "task") return scope;
  const inner = new Scope(scope);
  inner.add(shadowed);
  return inner;
}

/** The implicit `task` variable. https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#runtime-access-to-requirements-hints-and-metadata */
function withTask(context: Context, scope: Scope, node: TaskNode): Scope {
  if (!context.has("1.2")) return scope;
  const inner = new Scope(scope);
  inner.add({ name: "task", kind: "task", type: taskType(context), span: node.name.span, node });
  return inner;
}

function taskType(context: Context): WdlType {
  const members: [string, WdlType][] = [
    ["name", stringType],
    ["id", stringType],
    ["container", optional(stringType)],
    ["cpu", floatType],
    ["memory", intType],
    ["gpu", arrayOf(stringType)],
    ["fpga", arrayOf(stringType)],
    ["disks", mapOf(stringType, intType)],
    ["attempt", intType],
    ["end_time", optional(intType)],
    // `Int?` in the text, but its own example gives it to an Int: it is always there once the command has ended.
    ["return_code", intType],
    ["meta", objectType],
    ["parameter_meta", objectType],
    ["ext", objectType],
  ];
  if (context.has("1.3")) members.push(["max_retries", intType], ["previous", objectType]);
  return { kind: "task", optional: false, members: new Map(members) };
}

export function checkParameterMeta(
  context: Context,
  section: MetaSection | undefined,
  declarations: readonly CheckedDeclaration[],
): void {
  const names = new Set(declarations.map((each) => each.name));
  for (const { name } of section?.entries ?? []) {
    if (!names.has(name.text))
      context.report(wrong.unknownParameterMeta(context.place(name.span), name.text, () => names));
  }
}
