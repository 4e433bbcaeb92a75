/** What a person needs to know to run a workflow or task: its parameters, outputs and tasks. */
import { defined, type Steps } from "../../kernel/index.ts";
import type { Parameter, WorkflowInterface } from "../core/index.ts";
import type { CheckedDocument, CheckedInput, CheckedTask, CheckedWorkflow } from "./check/checked.ts";
import { holdingOf } from "./holding.ts";
import { callsOf, type Target } from "./run/input-tree.ts";
import type { MetaSection, MetaValue } from "./syntax/ast.ts";
import { printType, type WdlType } from "./types/type.ts";

/** Pauses between the parameters, and between the outputs. */
export function* interfaceInSteps(target: Target): Steps<WorkflowInterface> {
  const description = textOf(entry(target.node.meta, "description"));
  const tasks = new Set<string>();
  collectTasks(target, tasks, new Set());
  const descriptions = descriptionsOf(target);
  const all = parametersOf({
    target,
    prefix: `${target.name}.`,
    fixed: new Set(),
    closed: target.kind === "task",
    work: { left: mostWork, descriptions: new Map() },
  });
  const parameters: Parameter[] = [];
  for (const parameter of firstOf(all, mostParameters)) {
    parameters.push(parameter);
    yield;
  }
  const outputs: WorkflowInterface["outputs"][number][] = [];
  for (const output of target.outputs) {
    const words = descriptions.get(output.name);
    outputs.push({
      name: `${target.name}.${output.name}`,
      type: printType(output.type),
      ...defined({ description: words }),
    });
    yield;
  }
  return {
    kind: target.kind,
    name: target.name,
    parameters,
    outputs,
    tasks: [...tasks],
    ...defined({ description }),
  };
}

/** Of calls of calls there may be more than anybody reads: workflows that import each other multiply them. */
const mostParameters = 100_000;
/** Inputs that are looked at for that: calls that set all inputs of what they call are multiplied as well. */
const mostWork = 2_000_000;

interface Branch {
  readonly target: Target;
  readonly prefix: string;
  /** Inputs that the call sets itself. */
  readonly fixed: { has(name: string): boolean };
  readonly closed: boolean;
  readonly work: { left: number; readonly descriptions: Map<Target, ReadonlyMap<string, string>> };
}

function* firstOf<T>(all: Iterable<T>, count: number): Iterable<T> {
  let left = count;
  for (const each of all) {
    if (left-- === 0) return;
    yield each;
  }
}

/** Own inputs first, then those that calls leave open, where the workflow lets them be given from outside. */
function* parametersOf({ target, prefix, fixed, closed, work }: Branch): Iterable<Parameter> {
  work.left -= target.inputs.length + 1;
  if (work.left < 0) return;
  const descriptions = work.descriptions.get(target) ?? descriptionsOf(target);
  work.descriptions.set(target, descriptions);
  for (const input of target.inputs)
    if (!fixed.has(input.name)) yield parameterOf(target, input, prefix, descriptions.get(input.name));
  if (target.kind === "task" || closed || target.nestedInputs !== "allowed") return;
  for (const [name, call] of callsOf(target)) {
    if (work.left < 0) return;
    yield* parametersOf({
      target: call.callee,
      prefix: `${prefix}${name}.`,
      fixed: call.inputs,
      closed: false,
      work,
    });
  }
}

function parameterOf(
  target: Target,
  input: CheckedInput,
  prefix: string,
  description: string | undefined,
): Parameter {
  const { expression } = input.node;
  const defaultText =
    expression && target.document.source.text.slice(expression.span.start, expression.span.end);
  const names = new Map<string, string>();
  explainNames(input.type, names);
  return {
    name: `${prefix}${input.name}`,
    type: printType(input.type),
    holds: holdingOf(input.type),
    ...(names.size > 0 && { names: Object.fromEntries(names) }),
    required: input.required,
    ...defined({ defaultText, description }),
  };
}

/** Structs and enums, also those that members need. A struct cannot hold itself. */
function explainNames(type: WdlType, into: Map<string, string>): void {
  switch (type.kind) {
    case "array":
      explainNames(type.item, into);
      break;
    case "map":
      explainNames(type.key, into);
      explainNames(type.value, into);
      break;
    case "pair":
      explainNames(type.left, into);
      explainNames(type.right, into);
      break;
    case "struct":
      into.set(
        type.name,
        `{${[...type.members].map(([name, of]) => `${printType(of)} ${name}`).join(", ")}}`,
      );
      for (const member of type.members.values()) explainNames(member, into);
      break;
    case "enum":
      into.set(type.name, type.choices.map((choice) => JSON.stringify(choice)).join(" | "));
      break;
    default:
      break;
  }
}

/** parameter_meta holds a text, or an object with the text under `description` or `help`. The first of a name counts. */
function descriptionsOf(target: Target): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, value } of target.node.parameterMeta?.entries ?? []) {
    if (seen.has(name.text)) continue;
    seen.add(name.text);
    const inner = (key: string) =>
      value.kind === "object" ? value.entries.find((each) => each.name.text === key)?.value : undefined;
    const text = textOf(value) ?? textOf(inner("description")) ?? textOf(inner("help"));
    if (text !== undefined) found.set(name.text, text);
  }
  return found;
}

function entry(section: MetaSection | undefined, name: string): MetaValue | undefined {
  return section?.entries.find((each) => each.name.text === name)?.value;
}

function textOf(value: MetaValue | undefined): string | undefined {
  return value?.kind === "string" ? value.value : undefined;
}

/** The tasks that a run can reach, in the order they are met. */
function collectTasks(target: Target, into: Set<string>, seen: Set<Target>): void {
  if (seen.has(target)) return;
  seen.add(target);
  if (target.kind === "task") into.add(target.name);
  else for (const call of callsOf(target).values()) collectTasks(call.callee, into, seen);
}

/**
 * What a document offers to be run: the one of that name; else its workflow; else its only task. undefined when the
 * document leaves it open or has nothing of that name.
 */
export function targetOf(document: CheckedDocument, name: string | undefined): Target | undefined {
  const { workflow, tasks } = document;
  if (name !== undefined) return workflow?.name === name ? workflow : tasks.get(name);
  if (workflow !== undefined) return workflow;
  const [only] = tasks.values();
  return tasks.size === 1 ? only : undefined;
}

/** Names that `targetOf` takes. */
export function targetNames(document: CheckedDocument): string[] {
  const workflow: (CheckedWorkflow | CheckedTask)[] =
    document.workflow === undefined ? [] : [document.workflow];
  return [...workflow, ...document.tasks.values()].map((each) => each.name);
}
