/** Executors for single tasks, as the user's configuration chooses them by patterns. */
import type { TaskCall } from "../../task/index.ts";
import { type ExecutorOrder, takesOption } from "./executors.ts";

/** Plain data. */
export interface TaskExecutor {
  /** Of task names or call paths; `*` is any text, `?` any character. */
  readonly pattern: string;
  /** Default: the run's. */
  readonly name?: string;
  /** Over the run's options; those that the executor does not have are left out. */
  readonly options: ExecutorOrder["options"];
}

/** Where the tasks of each pattern run; those that change nothing are left out. */
export function taskExecutorOrders(
  run: ExecutorOrder,
  tasks: readonly TaskExecutor[],
): readonly { readonly pattern: string; readonly order: ExecutorOrder }[] {
  return tasks.map(({ pattern, name = run.name, options }) => ({
    pattern,
    order: {
      name,
      options: Object.fromEntries(
        Object.entries({ ...run.options, ...options }).filter(
          // The options of the run's own executor were checked with it.
          ([option]) => (name === run.name && option in run.options) || takesOption(name, option),
        ),
      ),
    },
  }));
}

/** The last pattern that fits counts; undefined = the run's own executor. */
export function executorOfTask(
  patterns: readonly string[],
): (task: Pick<TaskCall, "name" | "path">) => string | undefined {
  const tests = patterns.map((pattern) => ({ pattern, fits: wildcards(pattern) }));
  return ({ name, path }) => tests.findLast(({ fits }) => fits.test(name) || fits.test(path))?.pattern;
}

function wildcards(pattern: string): RegExp {
  const source = pattern.replace(/[.*+?^${}()|[\]\\]/g, (sign) =>
    sign === "*" ? "[^]*" : sign === "?" ? "[^]" : `\\${sign}`,
  );
  return new RegExp(`^${source}$`, "u");
}
