/**
 * Checks one workflow in two passes: first every name of every nested section is entered (names may be used before
 * they are declared), then expressions are typed. Cycles are looked for at the end.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#workflow-definition
 */
import type { Span, Steps } from "../../../kernel/index.ts";
import type {
  BodyNode,
  CallNode,
  ConditionalNode,
  Declaration,
  Expression,
  ScatterNode,
  WorkflowNode,
} from "../syntax/ast.ts";
import { anyType, booleanType, type WdlType } from "../types/type.ts";
import { checkWorkflowHints } from "./attributes.ts";
import { type Callables, type Callee, callType, checkCallInputs, resolveCallee } from "./calls.ts";
import type {
  CheckedBodyNode,
  CheckedDeclaration,
  CheckedDocument,
  CheckedOutput,
  CheckedWorkflow,
} from "./checked.ts";
import type { Context } from "./context.ts";
import { asInput, checkBinding, declare, declareAll, enter, orderDeclarations } from "./declarations.ts";
import * as wrong from "./diagnostics-document.ts";
import { exportedByConditional, exportedByScatter } from "./exports.ts";
import { expectType, infer } from "./expressions.ts";
import { DependencyGraph } from "./graph.ts";
import { oldOutputs } from "./old-outputs.ts";
import { orderInSteps } from "./order.ts";
import { type Entry, Scope } from "./scope.ts";
import { checkParameterMeta, declareOutputs, own } from "./task.ts";
import { namesIn } from "./walk.ts";

/** A body node with its names entered, waiting for the second pass. */
type Entered =
  | { readonly kind: "declaration"; readonly node: Declaration; readonly declaration: CheckedDeclaration }
  | {
      readonly kind: "call";
      readonly node: CallNode;
      readonly callee: Callee | undefined;
      readonly name: string;
    }
  | {
      readonly kind: "scatter";
      readonly node: ScatterNode;
      readonly scope: Scope;
      readonly body: readonly Entered[];
      readonly exports: readonly Entry[];
    }
  | {
      readonly kind: "conditional";
      readonly node: ConditionalNode;
      readonly clauses: readonly { readonly scope: Scope; readonly body: readonly Entered[] }[];
      readonly exports: readonly Entry[];
    };

export interface WorkflowCheck {
  readonly node: WorkflowNode;
  readonly callables: Callables;
  readonly document: CheckedDocument;
}

export function* checkWorkflow(context: Context, check: WorkflowCheck): Steps<CheckedWorkflow> {
  const { node } = check;
  const scope = new Scope(undefined);
  const inputs = yield* declareAll(context, node.inputs, "input", scope);
  const pass = new BodyPass(context, check.callables, nestedInputsOf(context, node) === "allowed");
  yield;
  const entered: Entered[] = [];
  for (const each of node.body) {
    entered.push(...pass.enterAll([each], scope));
    yield;
  }
  for (const each of inputs) {
    yield;
    if (each.node.env) context.report(wrong.envOutsideTask(context.place(each.node.span)));
    checkBinding(context, each, { scope });
    const names = expressionNames(each.node.expression);
    pass.graph.add(each.node, { label: each.node.name, names, scope, others: [] });
  }
  const body: CheckedBodyNode[] = [];
  for (const each of entered) {
    body.push(...pass.checkAll([each], scope, undefined));
    yield;
  }
  yield* pass.graph.reportCycles(context);
  yield;
  const outputs = yield* checkOutputs(context, node, scope);
  checkParameterMeta(context, node.parameterMeta, [...inputs, ...outputs.declared]);
  if (node.hints !== undefined) checkWorkflowHints(context, node.hints, scope);
  yield;
  const interwoven = yield* isInterwoven(body);
  return {
    kind: "workflow",
    name: node.name.text,
    node,
    document: check.document,
    inputs: inputs.map(asInput),
    body,
    outputs: outputs.checked,
    nestedInputs: nestedInputsOf(context, node),
    interwoven,
  };
}

function* isInterwoven(body: readonly CheckedBodyNode[]): Steps<boolean> {
  const makers = new Map<string, CheckedBodyNode[]>();
  for (const node of body)
    for (const name of node.exports.keys()) {
      const others = makers.get(name);
      if (others === undefined) makers.set(name, [node]);
      else others.push(node);
    }
  const { cycles } = yield* orderInSteps(body, (node) =>
    [...node.dependsOn].flatMap((name) => makers.get(name) ?? []),
  );
  if (cycles.length > 0) return true;
  for (const node of body) for (const inner of bodiesOf(node)) if (yield* isInterwoven(inner)) return true;
  return false;
}

function bodiesOf(node: CheckedBodyNode): (readonly CheckedBodyNode[])[] {
  if (node.kind === "scatter") return [node.body];
  return node.kind === "conditional" ? node.clauses.map((clause) => clause.body) : [];
}

/**
 * Before 1.1 inputs of calls could always be given from outside; later the workflow has to say so.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#allow_nested_inputs
 */
function nestedInputsOf(context: Context, node: WorkflowNode): CheckedWorkflow["nestedInputs"] {
  if (!context.has("1.1") || context.lenient) return "allowed";
  const names = ["allow_nested_inputs", "allowNestedInputs"];
  const said =
    node.hints?.attributes.find((each) => names.includes(each.name.text))?.expression ??
    node.meta?.entries.find((each) => names.includes(each.name.text))?.value;
  if (said === undefined) return "not mentioned";
  return said.kind === "boolean" && said.value ? "allowed" : "refused";
}

function expressionNames(expression: Expression | undefined): string[] {
  return expression === undefined ? [] : namesIn(expression).map((each) => each.name);
}

const mostExported = 500_000;

class BodyPass {
  readonly graph = new DependencyGraph();
  readonly #context: Context;
  readonly #callables: Callables;
  readonly #allowsNestedInputs: boolean;
  #exported = 0;

  constructor(context: Context, callables: Callables, allowsNestedInputs: boolean) {
    this.#context = context;
    this.#callables = callables;
    this.#allowsNestedInputs = allowsNestedInputs;
  }

  // --- first pass

  enterAll(nodes: readonly BodyNode[], scope: Scope): Entered[] {
    return nodes.map((node) => this.#enter(node, scope));
  }

  #enter(node: BodyNode, scope: Scope): Entered {
    const context = this.#context;
    switch (node.kind) {
      case "declaration":
        if (node.env) context.report(wrong.envOutsideTask(context.place(node.span)));
        return { kind: "declaration", node, declaration: declare(context, node, "declaration", scope) };
      case "call":
        return this.#enterCall(node, scope);
      case "scatter":
        return this.#enterScatter(node, scope);
      case "conditional":
        return this.#enterConditional(node, scope);
    }
  }

  #enterCall(node: CallNode, scope: Scope): Entered {
    const context = this.#context;
    const callee = resolveCallee(context, node, this.#callables);
    const name = node.alias ?? node.callee.at(-1) ?? { text: "", span: node.span };
    if (name.text !== "") {
      if (name.text === this.#callables.workflow && callee !== undefined) {
        const place = context.place(name.span);
        context.report(wrong.nameClash(place, "call", name.text, place, `workflow ${name.text}`));
      }
      const type = callType(context, name.text, callee);
      enter(context, { name: name.text, kind: "call", type, span: name.span, node }, scope);
    }
    return { kind: "call", node, callee, name: name.text };
  }

  #enterScatter(node: ScatterNode, outer: Scope): Entered {
    const scope = new Scope(outer);
    const { text, span } = node.variable;
    // Its type is known when the second pass has typed the collection.
    if (text !== "")
      enter(this.#context, { name: text, kind: "scatter variable", type: anyType, span, node }, scope);
    const body = this.enterAll(node.body, scope);
    const exports = this.#counted(exportedByScatter(scope), span);
    for (const entry of exports) outer.add(entry);
    return { kind: "scatter", node, scope, body, exports };
  }

  #enterConditional(node: ConditionalNode, outer: Scope): Entered {
    const clauses = node.clauses.map((clause) => {
      const scope = new Scope(outer);
      return { scope, body: this.enterAll(clause.body, scope) };
    });
    const scopes = clauses.map((clause) => clause.scope);
    const exports = this.#counted(exportedByConditional(this.#context, node, scopes, this.graph), node.span);
    for (const entry of exports) outer.add(entry);
    return { kind: "conditional", node, clauses, exports };
  }

  /** Sections inside each other export every name once for each of them. */
  #counted(exports: readonly Entry[], span: Span): readonly Entry[] {
    const before = this.#exported;
    this.#exported += exports.length;
    if (this.#exported <= mostExported) return exports;
    const context = this.#context;
    if (before <= mostExported) context.report(wrong.tooManyNames(context.place(span), mostExported));
    return [];
  }

  // --- second pass

  checkAll(entered: readonly Entered[], scope: Scope, around: object | undefined): CheckedBodyNode[] {
    return entered.flatMap((each) => this.#check(each, scope, around) ?? []);
  }

  #check(entered: Entered, scope: Scope, around: object | undefined): CheckedBodyNode | undefined {
    switch (entered.kind) {
      case "declaration":
        return this.#checkDeclaration(entered.declaration, scope, around);
      case "call":
        return this.#checkCall(entered, scope, around);
      case "scatter":
        return this.#checkScatter(entered, scope, around);
      case "conditional":
        return this.#checkConditional(entered, scope, around);
    }
  }

  #checkDeclaration(
    declaration: CheckedDeclaration,
    scope: Scope,
    around: object | undefined,
  ): CheckedBodyNode {
    checkBinding(this.#context, declaration, { scope });
    const { node, dependsOn } = declaration;
    this.graph.add(node, { label: node.name, names: dependsOn, scope, others: header(around) });
    return {
      kind: "declaration",
      declaration,
      dependsOn: declaration.dependsOn,
      exports: new Map([[declaration.name, declaration.type]]),
    };
  }

  #checkCall(
    { node, callee, name }: Extract<Entered, { kind: "call" }>,
    scope: Scope,
    around: object | undefined,
  ): CheckedBodyNode | undefined {
    const context = this.#context;
    const allowsNestedInputs = this.#allowsNestedInputs;
    const inputs = checkCallInputs(context, { node, callee, scope, allowsNestedInputs });
    const after = new Set<string>();
    for (const each of node.after) {
      const found = scope.find(each.text);
      if (found?.kind === "call") after.add(each.text);
      else {
        context.report(wrong.unknownAfter(context.place(each.span), each.text, () => callsIn(scope)));
      }
    }
    const dependsOn = new Set([...node.inputs.flatMap((each) => expressionNames(each.expression)), ...after]);
    const label = node.alias ?? node.callee.at(-1);
    this.graph.add(node, { label, names: dependsOn, scope, others: header(around) });
    if (callee === undefined) return undefined;
    const exports = new Map([[name, callType(context, name, callee)]]);
    return { kind: "call", name, node, callee, inputs, after, dependsOn, exports };
  }

  #checkScatter(
    { node, scope, body, exports }: Extract<Entered, { kind: "scatter" }>,
    outer: Scope,
    around: object | undefined,
  ): CheckedBodyNode {
    const context = this.#context;
    const collection = infer(context, node.collection, { scope: outer });
    const variableType = this.#itemType(node, collection);
    const variable = scope.own(node.variable.text);
    if (variable !== undefined) scope.replace({ ...variable, type: variableType });
    const names = expressionNames(node.collection);
    this.graph.add(node, { label: undefined, names, scope: outer, others: header(around) });
    const checked = this.checkAll(body, scope, node);
    return {
      kind: "scatter",
      node,
      variable: node.variable.text,
      variableType,
      body: checked,
      dependsOn: new Set([...names, ...free(checked, scope)]),
      exports: new Map(exports.map((each) => [each.name, each.type])),
    };
  }

  #itemType(node: ScatterNode, collection: WdlType): WdlType {
    const context = this.#context;
    if (collection.kind === "any") return anyType;
    const place = context.place(node.collection.span);
    if (collection.kind !== "array") {
      context.report(wrong.scatterOverNonArray(place, collection));
      return anyType;
    }
    if (collection.optional)
      expectType(
        context,
        node.collection,
        { ...collection, optional: false },
        { scope: new Scope(undefined) },
        "",
      );
    return collection.item;
  }

  #checkConditional(
    { node, clauses, exports }: Extract<Entered, { kind: "conditional" }>,
    outer: Scope,
    around: object | undefined,
  ): CheckedBodyNode {
    const context = this.#context;
    const names: string[] = [];
    for (const { condition } of node.clauses) {
      if (condition === undefined) continue;
      expectType(context, condition, booleanType, { scope: outer }, "the condition");
      for (const name of expressionNames(condition)) names.push(name);
    }
    this.graph.add(node, { label: undefined, names, scope: outer, others: header(around) });
    const checked = clauses.map(({ scope, body }, index) => {
      const condition = node.clauses[index]?.condition;
      const inner = this.checkAll(body, scope, node);
      for (const name of free(inner, scope)) names.push(name);
      return condition === undefined ? { body: inner } : { condition, body: inner };
    });
    return {
      kind: "conditional",
      node,
      clauses: checked,
      dependsOn: new Set(names),
      exports: new Map(exports.map((each) => [each.name, each.type])),
    };
  }
}

function* callsIn(scope: Scope): Iterable<string> {
  for (const name of scope.names()) if (scope.find(name)?.kind === "call") yield name;
}

function header(around: object | undefined): readonly object[] {
  return around === undefined ? [] : [around];
}

/** What a section's body needs from around it. */
function free(body: readonly CheckedBodyNode[], scope: Scope): Set<string> {
  const names = new Set<string>();
  for (const node of body) {
    for (const name of node.dependsOn) if (scope.own(name) === undefined) names.add(name);
  }
  return names;
}

function* checkOutputs(
  context: Context,
  node: WorkflowNode,
  outer: Scope,
): Steps<{ readonly declared: readonly CheckedDeclaration[]; readonly checked: readonly CheckedOutput[] }> {
  const scope = new Scope(outer);
  const declared = declareOutputs(context, node.outputs, scope, outer);
  for (const each of declared) {
    yield;
    checkBinding(context, each, { scope: own(scope, each) });
  }
  yield;
  orderDeclarations(context, declared);
  yield;
  const checked = declared.flatMap((each): CheckedOutput[] =>
    each.node.expression === undefined
      ? []
      : [{ name: each.name, type: each.type, expression: each.node.expression, dependsOn: each.dependsOn }],
  );
  return { declared, checked: [...checked, ...oldOutputs(context, node, outer)] };
}
