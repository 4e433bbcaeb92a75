/** Evaluates a task's output section where its command has run. */
import { positionAt } from "../../../../kernel/index.ts";
import { type FinishedAttempt, type Outputs, taskStderr } from "../../../../task/index.ts";
import type { OutputCollector } from "../../../core/index.ts";
import { coerce } from "../../values/coerce.ts";
import { EvaluationFailure } from "../../values/failure.ts";
import type { ValueBounds } from "../../values/limits.ts";
import { toNeutral } from "../../values/neutral.ts";
import type { WdlValue } from "../../values/value.ts";
import { evaluate } from "../evaluate.ts";
import { OutputFiles } from "../files/output-files.ts";
import { settleValue } from "../files/scoped-files.ts";
import { libraryOf, scopeOf } from "../library.ts";
import { located } from "../scope.ts";
import type { TaskPlan } from "./task-plan.ts";
import { type TaskFacts, taskVariable } from "./task-variable.ts";

export interface CollectorOptions {
  readonly plan: TaskPlan;
  /** Inputs and private declarations as the command saw them. */
  readonly values: ReadonlyMap<string, WdlValue>;
  readonly facts: TaskFacts;
  readonly bounds: ValueBounds;
  readonly failOnStderr: boolean;
}

export function outputCollector(options: CollectorOptions): OutputCollector {
  return async (finished) => {
    try {
      if (options.failOnStderr && (await wroteToStderr(finished))) {
        return { kind: "missing", message: "the command wrote to standard error, and failOnStderr is set" };
      }
      return { kind: "collected", outputs: await collect(options, finished) };
    } catch (error) {
      if (!(error instanceof EvaluationFailure)) throw error;
      return { kind: "missing", message: sentence(error) };
    }
  };
}

async function wroteToStderr({ files }: FinishedAttempt): Promise<boolean> {
  const found = await files.stat(taskStderr);
  return found?.kind === "file" && found.sizeBytes > 0;
}

async function collect(options: CollectorOptions, finished: FinishedAttempt): Promise<Outputs> {
  const { plan, facts } = options;
  const { document } = plan.task;
  const files = new OutputFiles(finished.files);
  const values = new Map(options.values);
  if (plan.usesTask) {
    values.set(
      "task",
      taskVariable(plan, {
        ...facts,
        resources: finished.resources,
        attempt: facts.attempt + finished.attempt,
        returnCode: finished.exitCode,
      }),
    );
  }
  const scope = scopeOf(document, libraryOf(document, files, options.bounds), values);
  for (const { name, type, node } of plan.task.outputOrder) {
    if (node.expression === undefined) continue;
    const value = await evaluate(node.expression, scope);
    try {
      values.set(name, await settleValue(coerce(value, type, `output "${name}"`), type, files));
    } catch (error) {
      throw located(error, document, node.expression.span);
    }
  }
  return Object.fromEntries(
    plan.task.outputs.flatMap(({ name }) => {
      const value = values.get(name);
      return value === undefined ? [] : [[name, toNeutral(value)] as const];
    }),
  );
}

function sentence({ diagnostic }: EvaluationFailure): string {
  const { line, column } = positionAt(diagnostic.source.text, diagnostic.span.start);
  return `${diagnostic.message} (${diagnostic.source.name}:${line}:${column})`;
}
