/** What `--recheck` found, kept by cache: longer than the runs that found it. */
import type { TimedEvent } from "../../engine/index.ts";
import type { Environment } from "../environment.ts";
import type { RunOrder } from "../workflows/run-order.ts";
import { keptLines } from "./followed-lines.ts";
import { keepLine } from "./kept-lines.ts";

type RecheckEnded = Extract<TimedEvent, { kind: "recheck.ended" }>;

export interface PastRecheck {
  /** ISO 8601 */
  readonly at: string;
  /** Location of the cache, and its uuid where it is known. */
  readonly location: string;
  readonly run: string;
  readonly task: string;
  readonly call: string;
  readonly result: RecheckEnded["result"];
  readonly outputs: readonly string[];
  readonly differences?: RecheckEnded["differences"];
}

/** Collects the findings of one run. */
export class RecheckKeeper {
  readonly #parts: { readonly order: RunOrder; readonly runId: string; readonly environment: Environment };
  readonly #found: (RecheckEnded & { readonly at: number })[] = [];

  constructor(parts: {
    readonly order: RunOrder;
    readonly runId: string;
    readonly environment: Environment;
  }) {
    this.#parts = parts;
  }

  note(event: TimedEvent): void {
    if (event.kind === "recheck.ended") this.#found.push(event);
  }

  /** `mark`: of each task that differs, the newest finding, which is written to the cache itself. */
  async keep(mark: (found: PastRecheck) => Promise<void>): Promise<void> {
    const { order, runId: run, environment } = this.#parts;
    if (order.cache.kind !== "record") return;
    const differing = new Map<string, PastRecheck>();
    const { location } = order.cache.record;
    for (const { at, task, call, result, outputs, differences } of this.#found) {
      const fact: PastRecheck = {
        ...{ at: new Date(at).toISOString(), location, run, task, call, result, outputs },
        ...(differences === undefined ? {} : { differences }),
      };
      await keepLine("rechecks", fact, environment);
      if (result === "differs") differing.set(task, fact);
    }
    for (const fact of differing.values()) await mark(fact);
  }
}

export interface TaskRechecks {
  readonly task: string;
  readonly same: number;
  readonly differs: number;
  readonly failed: number;
  /** How often each output differed. */
  readonly outputs: Readonly<Record<string, number>>;
  /** The newest finding that differs. */
  readonly last?: PastRecheck;
}

/** Per task, those that differ first. */
export async function rechecksOf(
  location: string,
  environment: Environment,
): Promise<readonly TaskRechecks[]> {
  const tasks = new Map<
    string,
    { same: number; differs: number; failed: number; outputs: Record<string, number>; last?: PastRecheck }
  >();
  for (const found of await keptLines<PastRecheck>("rechecks", environment)) {
    if (found.location !== location) continue;
    const row = tasks.get(found.task) ?? { same: 0, differs: 0, failed: 0, outputs: {} };
    tasks.set(found.task, row);
    row[found.result]++;
    for (const output of found.outputs) row.outputs[output] = (row.outputs[output] ?? 0) + 1;
    if (found.result === "differs") row.last = found;
  }
  return [...tasks].map(([task, row]) => ({ task, ...row })).sort((a, b) => b.differs - a.differs);
}
