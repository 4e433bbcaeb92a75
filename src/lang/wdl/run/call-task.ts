/** One call of a task: prepared, handed to the host, its outputs taken back as WDL values. */
import { defined } from "../../../kernel/index.ts";
import { type FileValue, type Outputs, originFolder, type TaskFailure } from "../../../task/index.ts";
import type { CheckedTask } from "../check/checked.ts";
import { prepareTask } from "../eval/task/prepare-task.ts";
import type { TaskFacts } from "../eval/task/task-variable.ts";
import { fromNeutral } from "../values/neutral.ts";
import type { PathValue, WdlValue } from "../values/value.ts";
import type { InputTree } from "./input-tree.ts";
import type { WdlRunState } from "./run-state.ts";

/** Outputs by name; undefined when it failed, was cancelled or not started, which the state knows by then. */
export async function callTask(
  run: WdlRunState,
  task: CheckedTask,
  path: string,
  inputs: InputTree,
): Promise<ReadonlyMap<string, WdlValue> | undefined> {
  const release = await run.calls.acquire();
  try {
    let previous: TaskFacts | undefined;
    for (;;) {
      if (run.stopped) return undefined;
      const { call, collect, facts } = await prepareTask(
        {
          plan: run.planOf(task),
          path,
          given: inputs.values,
          overrides: inputs.attributes,
          host: run.host.files,
          bounds: run.bounds,
          folders: run.taskFolders(task.document),
          ...defined({ previous }),
        },
        run.ask,
      );
      // An attempt that is rendered again is another call: its path says so.
      const triesLeft = run.planOf(task).rendersAttempts && facts.attempt < facts.maxRetries;
      const named = {
        ...call,
        ...(previous === undefined ? {} : { path: `${path}.attempt${facts.attempt}` }),
        ...(triesLeft && { toleratedFailures }),
      };
      const outcome = await run.host.call(named, collect, run.ask);
      switch (outcome.kind) {
        case "reused":
        case "computed":
        case "stored":
          return outputsOf(task, path, outcome.outputs);
        case "failed":
          if (triesLeft && toleratedFailures.includes(outcome.failure.kind)) {
            previous = facts;
            continue;
          }
          run.taskFailed(path, outcome.failure);
          return undefined;
        case "cancelled":
          run.callCancelled();
          return undefined;
      }
    }
  } catch (error) {
    run.threw(error);
    return undefined;
  } finally {
    release();
  }
}

/** What another attempt with other resources may end differently. */
const toleratedFailures: readonly TaskFailure["kind"][] = ["exit-code", "out-of-memory", "timed-out", "lost"];

function outputsOf(task: CheckedTask, path: string, outputs: Outputs): ReadonlyMap<string, WdlValue> {
  const pathOf = (file: FileValue): PathValue => ({
    kind: file.kind,
    path: file.location,
    source: file,
    // Outputs of different calls are never side by side, even where they were recorded in one place.
    group: `${path}\0${originFolder(file)}`,
  });
  return new Map(
    task.outputs.map(({ name, type }) => [name, fromNeutral(outputs[name] ?? null, type, pathOf)] as const),
  );
}
