/**
 * Drives one workflow: everything starts as soon as what it depends on has a value. Each node of a body waits for its
 * names, does its work and fills the slots that it exports; what has failed leaves its slots lost, and what depends on
 * them is not started.
 */
import { breathe, mapPaced, unreachable } from "../../../kernel/index.ts";
import type {
  CheckedBodyNode,
  CheckedCall,
  CheckedConditional,
  CheckedScatter,
  CheckedWorkflow,
} from "../check/checked.ts";
import { evaluate } from "../eval/evaluate.ts";
import { type ScopedFiles, settleValue } from "../eval/files/scoped-files.ts";
import { workflowFiles } from "../eval/files/workflow-files.ts";
import { libraryOf } from "../eval/library.ts";
import { type EvaluationScope, located } from "../eval/scope.ts";
import { namesIn } from "../eval/walk.ts";
import type { StdlibContext } from "../stdlib/context.ts";
import type { Expression } from "../syntax/ast.ts";
import { atLeast } from "../syntax/version.ts";
import { optional, type WdlType } from "../types/type.ts";
import { coerce } from "../values/coerce.ts";
import { ValueFailure } from "../values/failure.ts";
import { array, describe, isNone, none, object, type WdlValue } from "../values/value.ts";
import { callTask } from "./call-task.ts";
import { callsOf, type InputTree, noInputs } from "./input-tree.ts";
import type { WdlRunState } from "./run-state.ts";
import { Scope, type Slot } from "./slot.ts";

/**
 * Shards of one scatter whose bodies are alive at the same time. Those whose calls are reused end in moments: a few at a
 * time need no memory for thousands.
 */
const shardPace = { young: 24, youngMs: 100, most: 2000 };
/** Where shards wait for those of others: all of them. */
const atOnce = { young: Number.POSITIVE_INFINITY, youngMs: 0, most: Number.POSITIVE_INFINITY };

export interface WorkflowEnd {
  /** Those that got a value. */
  readonly outputs: ReadonlyMap<string, WdlValue>;
  readonly complete: boolean;
}

export async function runWorkflow(
  run: WdlRunState,
  workflow: CheckedWorkflow,
  path: string,
  inputs: InputTree,
): Promise<WorkflowEnd> {
  run.host.emit({ kind: "workflow.started", path });
  const driver = new Driver(run, workflow, path, inputs);
  const end = await driver.run();
  run.host.emit({ kind: "workflow.ended", path });
  return end;
}

class Driver {
  readonly #run: WdlRunState;
  readonly #workflow: CheckedWorkflow;
  readonly #path: string;
  readonly #inputs: InputTree;
  readonly #files: ScopedFiles;
  readonly #library: StdlibContext;
  /** Names are unique in a workflow, so a name says whether it is a call, at whatever depth. */
  readonly #calls: ReadonlyMap<string, CheckedCall>;
  /** What bodies export and what expressions wait for, which is the same in every shard. */
  readonly #exports = new Map<readonly CheckedBodyNode[], ReadonlyMap<string, WdlType>>();
  readonly #names = new Map<object, ReadonlySet<string>>();

  constructor(run: WdlRunState, workflow: CheckedWorkflow, path: string, inputs: InputTree) {
    this.#run = run;
    this.#workflow = workflow;
    this.#path = path;
    this.#inputs = inputs;
    const { document } = workflow;
    this.#files = workflowFiles({
      host: run.host.files,
      ask: run.ask,
      version: document.version,
      folders: run.workflowFolders(document),
    });
    this.#library = libraryOf(document, this.#files, run.bounds);
    this.#calls = callsOf(workflow);
  }

  async run(): Promise<WorkflowEnd> {
    const workflow = this.#workflow;
    const scope = new Scope(undefined, "");
    for (const input of workflow.inputs) scope.declare(input.name);
    this.#declareExports(workflow.body, scope);
    const outputScope = new Scope(scope, "");
    for (const output of workflow.outputs) outputScope.declare(output.name);
    const starts = [
      ...workflow.inputs.map((input) => () => this.#bindInput(input, scope)),
      ...workflow.body.map((node) => () => this.#start(node, scope)),
      ...workflow.outputs.map((output) => () => {
        const { name, type, expression } = output;
        // An output may have the name of what it is made of: in its own expression that is what is meant.
        const inner = new Scope(outputScope, "");
        const shadowed = scope.find(name);
        if (shadowed !== undefined) inner.add(name, shadowed);
        return this.#declaration(inner, name, type, expression, `output "${name}"`, outputScope.find(name));
      }),
    ];
    const started: (Promise<void> | void)[] = [];
    for (const start of starts) {
      const turn = breathe();
      if (turn !== undefined) await turn;
      started.push(start());
    }
    await Promise.all(started);
    const named = workflow.outputs.map(({ name }) => [name, outputScope.find(name)] as const);
    const outputs = named.flatMap(([name, slot]) =>
      slot?.value === undefined ? [] : [[name, slot.value] as const],
    );
    return {
      outputs: new Map([...outputs, ...this.#callOutputs(scope)]),
      complete: named.every(([, slot]) => slot?.lost !== true),
    };
  }

  /** 1.0 and before: without an output section, the outputs of all calls are the workflow's. */
  #callOutputs(scope: Scope): (readonly [string, WdlValue])[] {
    const { node, document, body } = this.#workflow;
    if (node.outputSection !== undefined || atLeast(document.version, "1.1")) return [];
    return [...exportsOf(body).keys()].flatMap((name) => {
      const value = this.#calls.has(name) ? scope.find(name)?.value : undefined;
      if (value?.kind !== "object") return [];
      return [...value.members].map(([output, each]) => [`${name}.${output}`, each] as const);
    });
  }

  #bindInput(input: CheckedWorkflow["inputs"][number], scope: Scope): Promise<void> | void {
    const given = this.#inputs.values.get(input.name);
    const slot = scope.find(input.name);
    const what = `input "${input.name}" of ${this.#workflow.name}`;
    const { expression } = input.node;
    // None stands for the default where the type has no None.
    const useDefault =
      expression !== undefined && (given === undefined || (isNone(given) && !input.type.optional));
    if (useDefault) return this.#declaration(scope, input.name, input.type, expression, what);
    try {
      slot?.fill(coerce(given ?? none, input.type, what));
    } catch (error) {
      this.#lose(located(error, this.#workflow.document, input.node.name.span), [slot]);
    }
  }

  #startBody(body: readonly CheckedBodyNode[], scope: Scope): (Promise<void> | void)[] {
    return body.map((node) => this.#start(node, scope));
  }

  #start(node: CheckedBodyNode, scope: Scope): Promise<void> | void {
    switch (node.kind) {
      case "declaration": {
        const { name, type, node: declared } = node.declaration;
        if (declared.expression === undefined) return;
        return this.#declaration(scope, name, type, declared.expression, `"${name}"`);
      }
      case "call":
        return this.#guarded(scope, slotsOf(node, scope), node.dependsOn, () => this.#call(node, scope));
      case "scatter":
        return this.#guarded(
          scope,
          slotsOf(node, scope),
          this.#waitsFor(node.node.collection, () => [node.node.collection]),
          () => this.#scatter(node, scope),
        );
      case "conditional":
        return this.#guarded(
          scope,
          slotsOf(node, scope),
          this.#waitsFor(node, () => conditionsOf(node)),
          () => this.#conditional(node, scope),
        );
      default:
        return unreachable(node);
    }
  }

  #declaration(
    scope: Scope,
    name: string,
    type: WdlType,
    expression: Expression,
    what: string,
    slot = scope.find(name),
  ): Promise<void> | void {
    return this.#guarded(
      scope,
      [slot],
      this.#waitsFor(expression, () => [expression]),
      async () => {
        slot?.fill(await this.#value(expression, type, what, scope));
      },
    );
  }

  #waitsFor(node: object, expressions: () => readonly Expression[]): ReadonlySet<string> {
    const known = this.#names.get(node);
    if (known !== undefined) return known;
    const names = namesIn(expressions());
    this.#names.set(node, names);
    return names;
  }

  #declareExports(body: readonly CheckedBodyNode[], scope: Scope): ReadonlyMap<string, WdlType> {
    let names = this.#exports.get(body);
    if (names === undefined) {
      names = exportsOf(body);
      this.#exports.set(body, names);
    }
    for (const name of names.keys()) scope.declare(name);
    return names;
  }

  /** Waits for names, then works; whatever goes wrong is noted and leaves the slots lost. */
  async #guarded(
    scope: Scope,
    slots: readonly (Slot | undefined)[],
    names: Iterable<string>,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      if (await scope.ready(names)) {
        const turn = breathe();
        if (turn !== undefined) await turn;
        if (!this.#run.full) await work();
      }
    } catch (error) {
      this.#run.threw(error);
    }
    for (const slot of slots) slot?.lose();
  }

  #lose(error: unknown, slots: readonly (Slot | undefined)[]): void {
    this.#run.threw(error);
    for (const slot of slots) slot?.lose();
  }

  #evaluationScope(scope: Scope): EvaluationScope {
    return {
      document: this.#workflow.document,
      library: this.#library,
      lookup: (name) => scope.find(name)?.value,
    };
  }

  async #value(expression: Expression, type: WdlType, what: string, scope: Scope): Promise<WdlValue> {
    const value = await evaluate(expression, this.#evaluationScope(scope));
    try {
      const settled = await settleValue(coerce(value, type, what), type, this.#files);
      this.#run.keep(this.#run.bounds.itemsIn(settled));
      return settled;
    } catch (error) {
      throw located(error, this.#workflow.document, expression.span);
    }
  }

  async #call(node: CheckedCall, scope: Scope): Promise<void> {
    if (this.#run.stopped) return;
    const nested = this.#inputs.calls.get(node.name) ?? noInputs;
    const values = new Map(nested.values);
    for (const [name, { node: given, target }] of node.inputs) {
      const what = `input "${name}" of the call ${node.name}`;
      // The callee decides what None means: its default, or None.
      const type = target.node.expression === undefined ? target.type : optional(target.type);
      values.set(name, await this.#value(given.expression, type, what, scope));
    }
    const path = `${this.#path}.${node.name}${scope.shard}`;
    const outputs =
      node.callee.kind === "task"
        ? await callTask(this.#run, node.callee, path, { ...nested, values })
        : await this.#callWorkflow(node.callee, path, { ...nested, values });
    if (outputs !== undefined) scope.find(node.name)?.fill(object(outputs));
  }

  async #callWorkflow(
    callee: CheckedWorkflow,
    path: string,
    inputs: InputTree,
  ): Promise<ReadonlyMap<string, WdlValue> | undefined> {
    const end = await runWorkflow(this.#run, callee, path, inputs);
    return end.complete ? end.outputs : undefined;
  }

  async #scatter(node: CheckedScatter, scope: Scope): Promise<void> {
    const { collection } = node.node;
    const items = itemsOf(await evaluate(collection, this.#evaluationScope(scope)));
    if (items === undefined) {
      throw located(new ValueFailure("a scatter needs an array"), this.#workflow.document, collection.span);
    }
    this.#run.host.emit({
      kind: "scatter.expanded",
      path: `${this.#path}.${node.variable}${scope.shard}`,
      count: items.length,
    });
    try {
      this.#run.keep(items.length * (1 + node.exports.size));
    } catch (error) {
      throw located(error, this.#workflow.document, collection.span);
    }
    const gathers = [...node.exports.keys()].map((name) => this.#gather(name, scope, items.length));
    const pace = this.#workflow.interwoven ? atOnce : shardPace;
    await mapPaced(items, pace, async (item, index) => {
      const turn = breathe();
      if (turn !== undefined) await turn;
      if (this.#run.stopped) {
        for (const name of node.exports.keys()) scope.find(name)?.lose();
        return;
      }
      const shard = new Scope(scope, `${scope.shard}[${index}]`);
      shard.declare(node.variable).fill(item);
      this.#declareExports(node.body, shard);
      for (const gather of gathers) gather(shard, index);
      await Promise.all(this.#startBody(node.body, shard));
    });
  }

  /** Collects what the shards make of a name, in their order, into the slot of the scope around them. */
  #gather(name: string, scope: Scope, count: number): (shard: Scope, index: number) => void {
    const whole = scope.find(name);
    const values = new Array<WdlValue>(count);
    let left = count;
    const finish = () => whole?.fill(this.#gathered(name, values));
    if (count === 0) finish();
    return (shard, index) => {
      shard.find(name)?.whenSettled((slot) => {
        if (slot.value === undefined) return whole?.lose();
        values[index] = slot.value;
        if (--left === 0) finish();
      });
    };
  }

  /** The outputs of a call become arrays one by one. */
  #gathered(name: string, values: readonly WdlValue[]): WdlValue {
    const call = this.#calls.get(name);
    if (call === undefined) return array(values);
    return object(
      outputNames(call, values[0]).map(
        (output) => [output, array(values.map((value) => memberOf(value, output)))] as const,
      ),
    );
  }

  /** What a name is when its conditional was not entered. */
  #nothing(name: string): WdlValue {
    const call = this.#calls.get(name);
    return call === undefined
      ? none
      : object(outputNames(call, undefined).map((output) => [output, none] as const));
  }

  async #conditional(node: CheckedConditional, scope: Scope): Promise<void> {
    for (const clause of node.clauses) {
      if (clause.condition !== undefined) {
        const chosen = await evaluate(clause.condition, this.#evaluationScope(scope));
        if (chosen.kind !== "boolean") {
          throw located(
            new ValueFailure(`the condition is ${describe(chosen)}, expected a Boolean`),
            this.#workflow.document,
            clause.condition.span,
          );
        }
        if (!chosen.value) continue;
      }
      const inner = new Scope(scope, scope.shard);
      const made = this.#declareExports(clause.body, inner);
      for (const [name, type] of node.exports) {
        if (made.has(name)) this.#forward(name, inner, scope, type);
        else scope.find(name)?.fill(this.#nothing(name));
      }
      await Promise.all(this.#startBody(clause.body, inner));
      return;
    }
    for (const name of node.exports.keys()) scope.find(name)?.fill(this.#nothing(name));
  }

  /** Clauses may differ in their types: what leaves the conditional has the type that is common to them. */
  #forward(name: string, inner: Scope, scope: Scope, type: WdlType): void {
    const to = scope.find(name);
    inner.find(name)?.whenSettled((slot) => {
      if (slot.value === undefined) to?.lose();
      else to?.fill(this.#calls.has(name) ? slot.value : coerce(slot.value, optional(type), `"${name}"`));
    });
  }
}

function exportsOf(body: readonly CheckedBodyNode[]): ReadonlyMap<string, WdlType> {
  return new Map(body.flatMap((node) => [...node.exports]));
}

function slotsOf(node: CheckedBodyNode, scope: Scope): (Slot | undefined)[] {
  return [...node.exports.keys()].map((name) => scope.find(name));
}

function conditionsOf(node: CheckedConditional): Expression[] {
  return node.clauses.flatMap((clause) => clause.condition ?? []);
}

/** A workflow of 1.0 without an output section has outputs that only its value shows. */
function outputNames(call: CheckedCall, value: WdlValue | undefined): readonly string[] {
  const declared = call.callee.outputs.map((output) => output.name);
  return declared.length === 0 && value?.kind === "object" ? [...value.members.keys()] : declared;
}

function memberOf(value: WdlValue, name: string): WdlValue {
  return (value.kind === "object" ? value.members.get(name) : undefined) ?? none;
}

function itemsOf(value: WdlValue): readonly WdlValue[] | undefined {
  return value.kind === "array" ? value.items : undefined;
}
