/** What a process sends to its outputs when a task of it has ended. */
import type { Outputs } from "../../../task/index.ts";
import type { Expression } from "../syntax/ast.ts";
import type { PlannedItem, PlannedOutput } from "../task/output-plan.ts";
import type { TaskContext } from "../task/task-context.ts";
import { slotName } from "../task/typed-outputs.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { Path } from "../values/path.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import type { Module } from "./module.ts";

export type EvaluateInTask = (node: Expression, context: TaskContext) => Value;

export class TaskEmissions {
  readonly #module: Module;
  readonly #evaluate: EvaluateInTask;

  constructor(module: Module, evaluate: EvaluateInTask) {
    this.#module = module;
    this.#evaluate = evaluate;
  }

  /** One value for each output; undefined: nothing is sent to it. */
  of(
    planned: readonly PlannedOutput[],
    context: TaskContext,
    outputs: Outputs,
  ): readonly (Value | undefined)[] {
    return planned.map(({ spec, items }) => {
      if (spec.value !== undefined) return this.#typedValue(spec.value, items, context, outputs);
      const values = items.map((each) => this.#emitted(each, context, outputs));
      if (values.some((each) => each === undefined)) return undefined;
      const present = values.map((each) => each ?? null);
      return spec.tuple ? present : (present[0] ?? null);
    });
  }

  #typedValue(
    value: Expression,
    items: readonly PlannedItem[],
    context: TaskContext,
    outputs: Outputs,
  ): Value {
    for (const [index, item] of items.entries())
      context.variables.set(slotName(index), this.#emitted(item, context, outputs) ?? null);
    return unstaged(this.#valueOf(value, context));
  }

  #emitted(item: PlannedItem, context: TaskContext, outputs: Outputs): Value | undefined {
    switch (item.kind) {
      case "val":
        return unstaged(this.#valueOf(item.value, context));
      case "stdout":
      case "captured": {
        const text = outputs[item.id];
        return typeof text === "string" ? text : "";
      }
      case "path": {
        const found = outputs[item.id];
        const files = Array.isArray(found) ? found.flatMap((each) => this.pathsOf(each)) : [];
        if (item.count === "all") return files;
        if (item.count === "one" && files.length > 1)
          return fail(
            "ProcessUnrecoverableException",
            `Process output file '${item.patterns.join(":")}' yielded ${files.length} files but expected only one`,
          );
        if (files.length === 0) return item.optional ? undefined : [];
        if (item.arity !== undefined && item.arity.most !== 1) return files;
        return files.length === 1 ? (files[0] ?? null) : files;
      }
    }
  }

  #valueOf(node: Expression, context: TaskContext): Value {
    if (node.kind === "name" && !context.variables.has(node.name) && node.name !== "task") {
      const known = this.#module.unit.globals.lookup(node.name);
      if (known === undefined)
        fail("MissingPropertyException", `Missing value declared as output parameter: ${node.name}`);
      return known;
    }
    return this.#evaluate(node, context);
  }

  pathsOf(value: Outputs[string]): Path[] {
    if (value === null || typeof value !== "object" || Array.isArray(value) || !("location" in value))
      return [];
    const { files } = this.#module.session.outside;
    files.admit(value.location);
    const { folder: _, ...source } = value;
    return [new Path(value.location, files, undefined, source)];
  }
}

/** Files of the task become what they are outside it. */
function unstaged(value: Value): Value {
  if (value instanceof Path)
    return value.staged === undefined
      ? value
      : new Path(value.location, value.files, undefined, value.source);
  if (isList(value)) return Array.from(value, unstaged);
  if (value instanceof GroovySet) return value.like(value.items().map(unstaged));
  if (
    value instanceof GroovyMap &&
    value.values().some((each) => each instanceof Path || each instanceof GroovyMap || isList(each))
  )
    return new GroovyMap(
      Array.from(value.entries(), ([key, each]): [Value, Value] => [key, unstaged(each)]),
      value.type,
    );
  return value;
}
