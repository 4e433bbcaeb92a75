/** What the caches of runs show: why a task was computed or what was reused for it, and how large a cache is. */
import { explainRun } from "../../engine/index.ts";
import { type Ask, freshAsk, messageOf } from "../../kernel/index.ts";
import type { Ledger, RunRecord, TaskRecord } from "../../ledger/index.ts";
import { measureCache } from "../../store/entries/index.ts";
import type { Environment } from "../environment.ts";
import { openCache } from "../workflows/cache-place.ts";
import { folderOfRun, readEngineRun } from "./engine-runs.ts";
import { type AllowedPlaces, withinOf } from "./places.ts";
import { cacheAt, cacheRecordWithin, hostLocation } from "./run-cache-records.ts";
import type { RunLog } from "./run-log.ts";
import type { EndedRun } from "./run-process/messages.ts";
import { cacheOf } from "./run-relations.ts";
import type { TaskBook } from "./task-book.ts";

export interface TaskExplanation {
  readonly taskId: string;
  readonly cacheHit: boolean;
  /** In words: why it was computed, or which entry was reused. */
  readonly summary: string;
  readonly differences: readonly {
    readonly component: string;
    readonly before: string;
    readonly after: string;
  }[];
}

export class RunExplanations {
  readonly #ledger: Ledger;
  readonly #environment: Environment;
  readonly #allowed: AllowedPlaces;
  readonly #log: RunLog;

  constructor(parts: {
    readonly ledger: Ledger;
    readonly environment: Environment;
    readonly allowed: AllowedPlaces;
    readonly log: RunLog;
  }) {
    this.#ledger = parts.ledger;
    this.#environment = parts.environment;
    this.#allowed = parts.allowed;
    this.#log = parts.log;
  }

  async explain(run: RunRecord, task: TaskRecord, ask: Ask): Promise<TaskExplanation | undefined> {
    if (task.cacheHit)
      return {
        taskId: task.id,
        cacheHit: true,
        summary: task.statusMessage ?? `reused from ${task.cacheUri ?? "the run's cache"}`,
        differences: [],
      };
    const engineRun = await readEngineRun(folderOfRun(this.#environment, run));
    const cache = cacheOf(this.#ledger, run);
    if (engineRun === undefined || cache === undefined)
      return { taskId: task.id, cacheHit: false, summary: "the run uses no cache", differences: [] };
    const open = await openCache(cacheRecordWithin(this.#allowed, cache), this.#environment, {}, ask);
    try {
      const about = { directory: engineRun.directory, id: engineRun.run, call: task.callPath };
      const { computed } = await explainRun(about, open.entries, ask);
      const found = computed.find((item) => item.call === task.callPath);
      if (found === undefined) return undefined;
      return {
        taskId: task.id,
        cacheHit: false,
        summary: found.words,
        differences: found.differences.map(({ component, before, after }) => ({
          component,
          before: String(before ?? ""),
          after: String(after ?? ""),
        })),
      };
    } finally {
      await open.close();
    }
  }

  async cacheSize(cache: { readonly location: string; readonly uuid: string }, ask: Ask): Promise<unknown> {
    const record = {
      ...cacheAt({ uuid: cache.uuid, location: hostLocation(cache.location) }),
      ...withinOf(this.#allowed),
    };
    const open = await openCache(record, this.#environment, {}, ask);
    try {
      return await measureCache(open, ask);
    } finally {
      await open.close();
    }
  }

  /** The miss reasons, where every client sees them: in the tasks' status messages. */
  async explainTasks(run: RunRecord, book: TaskBook, result: EndedRun): Promise<void> {
    const cache = cacheOf(this.#ledger, run);
    if (cache === undefined || result.calls.computed === 0) return;
    try {
      const open = await openCache(
        cacheRecordWithin(this.#allowed, cache),
        this.#environment,
        {},
        freshAsk(),
      );
      try {
        const about = { directory: result.directory, id: result.run };
        const { computed } = await explainRun(about, open.entries, freshAsk());
        for (const item of computed) book.explain(item.call, item.words);
      } finally {
        await open.close();
      }
    } catch (error) {
      this.#log.line(run, "/engine", `the misses could not be explained: ${messageOf(error)}`);
    }
  }
}
