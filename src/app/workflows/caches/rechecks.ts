/** `memoir cache rechecks` */
import { AppError, type Ask, checkAsk } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { rechecksOf, type TaskRechecks } from "../../history/recheck-history.ts";
import { defaultCacheLocation, findCache } from "../cache-place.ts";
import { forgetUnstable, unstableTasks } from "../unstable-tasks.ts";
import { type CacheChoice, withRecord } from "./use-cache.ts";

export interface RechecksResult {
  readonly location: string;
  readonly tasks: readonly (TaskRechecks & {
    /** Marked in the cache: runs that exclude such tasks compute it each time. */
    readonly isMarked: boolean;
  })[];
  /** The task whose mark was removed. */
  readonly forgotten?: string;
}

/** What `--recheck` found about results of this cache, by runs of this home, and the marks that the cache has. */
export async function cacheRechecks(
  asked: CacheChoice,
  environment: Environment,
  ask: Ask,
  { forget }: { readonly forget?: string } = {},
): Promise<RechecksResult> {
  checkAsk(ask, "reading what was found");
  const record =
    typeof asked === "object"
      ? asked
      : await findCache(asked ?? defaultCacheLocation(environment), environment);
  const { location } = record;
  const found = await rechecksOf(location, environment);
  return withRecord(record, environment, ask, async (cache) => {
    if (forget !== undefined && !(await forgetUnstable(cache, forget, ask)))
      throw new AppError(
        "CACHE_ENTRY_NOT_FOUND",
        `removing the mark of the task ${forget} in ${location}: it has none`,
      );
    const marks = new Map((await unstableTasks(cache, ask)).map((mark) => [mark.task, mark]));
    // Marks that runs of other homes made.
    const others = [...marks.values()]
      .filter(({ task }) => !found.some((row) => row.task === task))
      .map((mark) => ({
        ...{ task: mark.task, same: 0, differs: 1, failed: 0 },
        outputs: Object.fromEntries(mark.outputs.map((output) => [output, 1])),
        last: { ...mark, location, result: "differs" as const },
      }));
    const tasks = [...found, ...others].map((row) => ({ ...row, isMarked: marks.has(row.task) }));
    return { location, tasks, ...(forget === undefined ? {} : { forgotten: forget }) };
  });
}
