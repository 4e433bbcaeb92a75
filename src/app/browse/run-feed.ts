/**
 * Changes of the list of runs as they happen. However many look, each account's runs are read a few times a second, and
 * less often where reading takes long: it takes at most a twentieth of the time.
 */
import { type Ask, checkAsk, pause } from "../../kernel/index.ts";
import type { ListedRun } from "../workflows/list-runs.ts";

export type RunChange =
  | { readonly kind: "run"; readonly at: number; readonly run: ListedRun }
  | { readonly kind: "gone"; readonly at: number; readonly id: string }
  | { readonly kind: "idle" };

const soonestMs = 200;
const latestMs = 5_000;
const timesTaken = 20;
/** Runs that changed so shortly before somebody follows are sent at first. */
const overlapMs = 1_000;
/** What is older changes no more, but for being deleted. */
export const newestRuns = 100;

type Read = () => Promise<readonly ListedRun[]>;

interface Look {
  readonly startedAt: number;
  readonly found: Promise<readonly ListedRun[]>;
  /** When the next look may begin; unknown while it is under way. */
  nextAt?: number;
}

export class RunFeed {
  readonly #looks = new Map<string, Look>();

  /** `since`: milliseconds since 1970; runs that changed since then come first, and those that are active. */
  async *follow(viewer: string, read: Read, since: number | undefined, ask: Ask): AsyncGenerator<RunChange> {
    let seen = new Map<string, string>();
    for (let from = since ?? Date.now() - overlapMs; ; from = Number.POSITIVE_INFINITY) {
      const at = Date.now();
      const runs = await this.#look(viewer, read);
      const now = new Map(runs.map((run) => [run.id, JSON.stringify(run)]));
      for (const run of runs.toReversed()) {
        const isNew = from === Number.POSITIVE_INFINITY ? !seen.has(run.id) : isRecent(run, from);
        const isOther = seen.has(run.id) && seen.get(run.id) !== now.get(run.id);
        if (isNew || isOther) yield { kind: "run", at, run };
      }
      // Where the list is full, the last ones may only have been pushed out.
      if (runs.length < newestRuns)
        for (const id of seen.keys()) if (!now.has(id)) yield { kind: "gone", at, id };
      seen = now;
      yield { kind: "idle" };
      const nextAt = this.#looks.get(viewer)?.nextAt ?? 0;
      await pause(Math.max(soonestMs, nextAt - performance.now()), ask);
      checkAsk(ask, "following the list of runs");
    }
  }

  #look(viewer: string, read: Read): Promise<readonly ListedRun[]> {
    const startedAt = performance.now();
    const last = this.#looks.get(viewer);
    // One that is under way may have begun before a change that has to be seen, so only a new one is shared.
    if (last !== undefined && startedAt < (last.nextAt ?? last.startedAt + soonestMs)) return last.found;
    const found = read();
    const look: Look = { startedAt, found };
    this.#looks.set(viewer, look);
    const done = () => {
      const now = performance.now();
      look.nextAt = Math.max(
        startedAt + soonestMs,
        Math.min(now + latestMs, now + timesTaken * (now - startedAt)),
      );
    };
    void found.then(done, done);
    return found;
  }
}

function isRecent(run: ListedRun, since: number): boolean {
  if (run.state === "running" || run.state === "pending") return true;
  const times = [run.endedAt, run.startedAt, run.origin === "server" ? run.createdAt : undefined];
  return times.some((time) => time !== undefined && Date.parse(time) >= since);
}
