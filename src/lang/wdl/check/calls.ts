/** Checks calls: what is called, and with what. https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#call-statement */
import type { CallInput, CallNode } from "../syntax/ast.ts";
import { anyType, type WdlType } from "../types/type.ts";
import type {
  CheckedCallInput,
  CheckedDocument,
  CheckedInput,
  CheckedTask,
  CheckedWorkflow,
} from "./checked.ts";
import type { Context } from "./context.ts";
import * as wrong from "./diagnostics-document.ts";
import { expectType, infer } from "./expressions.ts";
import type { Scope } from "./scope.ts";

export type Callee = CheckedTask | CheckedWorkflow;

/** What the names of a document's callables stand for. */
export interface Callables {
  readonly tasks: ReadonlyMap<string, CheckedTask>;
  readonly imports: ReadonlyMap<string, CheckedDocument>;
  /** The workflow being checked, which cannot be called. */
  readonly workflow: string;
}

export function resolveCallee(context: Context, node: CallNode, callables: Callables): Callee | undefined {
  const path = node.callee;
  const target = path.at(-1);
  if (target === undefined || target.text === "") return undefined;
  let document: CheckedDocument | undefined;
  let imports = callables.imports;
  for (const namespace of path.slice(0, -1)) {
    const names = imports;
    document = names.get(namespace.text);
    if (document === undefined) {
      if (!context.missingNamespaces.has(namespace.text))
        context.report(
          wrong.unknownNamespace(context.place(namespace.span), namespace.text, () => names.keys()),
        );
      return undefined;
    }
    imports = document.imports;
  }
  const place = context.place(target.span);
  if (document === undefined) {
    const task = callables.tasks.get(target.text);
    if (task !== undefined) return task;
    if (target.text === callables.workflow) context.report(wrong.recursiveCall(place, target.text));
    else context.report(wrong.unknownCallee(place, target.text, () => everyCallable(callables)));
    return undefined;
  }
  // Where a task and the workflow share a name, the workflow is meant: that is what the others make of it.
  if (document.workflow?.name === target.text) return document.workflow;
  const task = document.tasks.get(target.text);
  if (task !== undefined) return task;
  const callees = document;
  context.report(wrong.unknownCallee(place, target.text, () => callablesOf(callees)));
  return undefined;
}

function* callablesOf(document: CheckedDocument): Iterable<string> {
  yield* document.tasks.keys();
  if (document.workflow !== undefined) yield document.workflow.name;
}

/** Own tasks, and imported ones with their namespace, so that a forgotten namespace is suggested. */
function* everyCallable(callables: Callables): Iterable<string> {
  yield* callables.tasks.keys();
  for (const [namespace, document] of callables.imports)
    for (const name of callablesOf(document)) yield `${namespace}.${name}`;
}

/** The outputs of a callee as the members of a call. */
export function callType(context: Context, name: string, callee: Callee | undefined): WdlType {
  if (callee === undefined) return anyType;
  return { kind: "call", name, members: context.calleeOf(callee).outputs, optional: false };
}

export interface CallCheck {
  readonly node: CallNode;
  readonly callee: Callee | undefined;
  readonly scope: Scope;
  readonly allowsNestedInputs: boolean;
}

/** Types the inputs; reports those that are unknown, given twice, ill-typed or missing. */
export function checkCallInputs(context: Context, check: CallCheck): ReadonlyMap<string, CheckedCallInput> {
  const { node, callee, scope } = check;
  const inputs = new Map<string, CheckedCallInput>();
  const seen = new Map<string, CallInput>();
  const targets = callee === undefined ? undefined : context.calleeOf(callee).inputs;
  for (const input of node.inputs) {
    const name = input.name.text;
    const first = seen.get(name);
    if (first !== undefined)
      context.report(
        wrong.duplicateCallInput(context.place(input.name.span), name, context.place(first.name.span)),
      );
    seen.set(name, input);
    const target = targets?.get(name);
    if (target === undefined) {
      infer(context, input.expression, { scope });
      if (callee !== undefined) reportUnknownInput(context, input, callee);
      continue;
    }
    checkInput(context, input, target, scope);
    // Given twice, the last one counts, as in the engines that take it.
    inputs.set(name, { node: input, target });
  }
  if (callee !== undefined) reportMissing(context, check, callee, seen);
  return inputs;
}

function checkInput(context: Context, input: CallInput, target: CheckedInput, scope: Scope): void {
  // An input with a default may be given None: then the default counts.
  const wanted: WdlType =
    target.node.expression !== undefined && target.type.kind !== "call"
      ? ({ ...target.type, optional: true } as WdlType)
      : target.type;
  expectType(context, input.expression, wanted, { scope }, `input ${target.name}`);
}

function reportUnknownInput(context: Context, input: CallInput, callee: Callee): void {
  const name = input.name.text;
  const hidden = context.calleeOf(callee).declarations.get(name);
  const isPrivate = hidden && { source: callee.document.source, span: hidden.name.span };
  context.report(
    wrong.unknownCallInput(
      context.place(input.name.span),
      name,
      `${callee.kind} ${callee.name}`,
      () => context.calleeOf(callee).inputs.keys(),
      isPrivate,
    ),
  );
}

function reportMissing(
  context: Context,
  check: CallCheck,
  callee: Callee,
  given: ReadonlyMap<string, CallInput>,
): void {
  // Before 1.1 what a call lacks is an input of the workflow around it.
  if (!context.has("1.1")) return;
  const { required } = context.calleeOf(callee);
  const missing: CheckedInput[] = [];
  for (const each of required) {
    // As many as a message names; a task of thousands of inputs may be called as often.
    if (missing.length > wrong.mostMissing) break;
    if (!given.has(each.name)) missing.push(each);
  }
  if (missing.length === 0) return;
  const target = check.node.callee.at(-1);
  const place = context.place(target?.span ?? check.node.span);
  if (check.allowsNestedInputs) {
    if (context.has("1.2"))
      context.report(
        wrong.unsetNestedInputs(
          place,
          callee.name,
          missing.map((each) => each.name),
        ),
      );
    return;
  }
  const nested = context.has("1.2")
    ? "hints { allow_nested_inputs: true }"
    : "meta { allowNestedInputs: true }";
  context.report(wrong.missingCallInputs(place, callee.name, missing, nested));
}
