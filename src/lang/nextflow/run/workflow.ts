/** Workflows in a run: their bodies build the network of channels. */
import { Channel } from "../channels/channel.ts";
import { asChannel, ChannelOut, spreadOut } from "../channels/channel-out.ts";
import type { EmitNode, WorkflowNode } from "../syntax/ast.ts";
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import type { Definition, Module } from "./module.ts";
import { ProcessInstance } from "./process.ts";
import type { PublishedOutput } from "./workflow-outputs.ts";
import { WorkflowScope } from "./workflow-scope.ts";

/** Starts what a workflow calls. */
export function start(definition: Definition, path: string, given: readonly Value[]): ChannelOut {
  const alias = path.slice(path.lastIndexOf(":") + 1);
  switch (definition.kind) {
    case "process":
      return new ProcessInstance(definition.node, definition.module, { alias, qualified: path }, given).out;
    case "workflow":
      return runWorkflow(definition.node, definition.module, path, given).out;
    default:
      return fail("MissingMethodException", `\`${alias}\` is neither a process nor a workflow`);
  }
}

export interface WorkflowRun {
  readonly out: ChannelOut;
  readonly scope: WorkflowScope;
}

export function runWorkflow(
  node: WorkflowNode,
  module: Module,
  path: string,
  given: readonly Value[],
): WorkflowRun {
  const values = spreadOut(given);
  const name = node.name?.text ?? "";
  if (values.length !== node.takes.length)
    fail(
      "ScriptRuntimeException",
      `Workflow \`${path === "" ? name : path}\` declares ${node.takes.length} input${node.takes.length === 1 ? "" : "s"} but was called with ${values.length} argument${values.length === 1 ? "" : "s"}`,
    );
  const scope = new WorkflowScope(module, path, start);
  for (const [index, take] of node.takes.entries()) scope.variables.set(take.text, values[index] ?? null);
  const { network } = module.session;
  const outer = network.assign;
  network.assign = (variable, value) => {
    scope.variables.set(variable, value);
  };
  try {
    // Names that are declared in the body are known to what it emits and publishes.
    const body = module.closure([...node.main, ...captured(node.emits), ...captured(node.publishes)]);
    body.bound(scope, "delegate first").call([]);
  } finally {
    network.assign = outer;
  }
  const named = new Map<string, Value>();
  const items: Value[] = [];
  for (const [index, emit] of node.emits.entries()) {
    const value = scope.variables.get(slot(emit, index, "emit")) ?? null;
    if (value instanceof ChannelOut && emit.name === undefined) {
      items.push(...value.items);
      for (const [each, channel] of value.entries) named.set(each, channel);
      continue;
    }
    // What is emitted is a channel, also of a plain value.
    const channel = value instanceof ChannelOut ? value : (asChannel(value) ?? Channel.value(network, value));
    items.push(channel);
    if (emit.name !== undefined) named.set(emit.name.text, channel);
  }
  for (const [index, each] of node.publishes.entries()) {
    if (each.target === undefined) continue;
    const [value = null, target = null] = scope.variables.get(slot(each, index, "publish")) as Value[];
    for (const channel of value instanceof ChannelOut ? value.items : [value])
      module.session.targets.set(channel, target === null ? undefined : textOf(target));
  }
  return { out: new ChannelOut(items, named), scope };

  function captured(nodes: readonly EmitNode[]) {
    const section = nodes === node.emits ? "emit" : "publish";
    return nodes.map((each, index) => ({
      kind: "expression" as const,
      span: each.span,
      expression: {
        kind: "assign" as const,
        span: each.span,
        operator: undefined,
        target: { kind: "name" as const, span: each.span, name: slot(each, index, section) },
        value:
          each.target === undefined
            ? each.value
            : { kind: "list" as const, span: each.span, items: [each.value, each.target] },
      },
    }));
  }
}

/** A variable that no script can name. */
function slot(node: EmitNode, index: number, section: "emit" | "publish"): string {
  return `\u0000${section}:${node.name?.text ?? index}`;
}

/** What the entry publishes, and what any workflow sends to a target of the preview. */
export function published(node: WorkflowNode, scope: WorkflowScope): readonly PublishedOutput[] {
  const own = node.publishes.flatMap((each, index): PublishedOutput[] =>
    each.target === undefined
      ? [
          {
            name: each.name?.text ?? String(index),
            values: [scope.variables.get(slot(each, index, "publish")) ?? null],
            folder: "",
          },
        ]
      : [],
  );
  const targets = new Map<string, Value[]>();
  for (const [channel, target] of scope.module.session.targets) {
    if (target === undefined) continue;
    if (/^\/|\/$/.test(target))
      fail("IllegalArgumentException", `Workflow publish target \`${target}\` begins or ends with a slash`);
    const values = targets.get(target) ?? [];
    values.push(channel);
    targets.set(target, values);
  }
  return [...own, ...Array.from(targets, ([name, values]) => ({ name, values, folder: name }))];
}
