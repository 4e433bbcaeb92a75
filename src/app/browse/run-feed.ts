/** Changes of the list of runs as they happen. However many look, each account's runs are read once a second. */
import { type Ask, checkAsk, pause } from "../../kernel/index.ts";
import type { ListedRun } from "../workflows/list-runs.ts";

export type RunChange =
  | { readonly kind: "run"; readonly at: number; readonly run: ListedRun }
  | { readonly kind: "gone"; readonly at: number; readonly id: string }
  | { readonly kind: "idle" };

const lookAgainMs = 1_000;
/** What is older changes no more, but for being deleted. */
export const newestRuns = 100;

type Read = () => Promise<readonly ListedRun[]>;

export class RunFeed {
  readonly #looks = new Map<string, { readonly at: number; readonly found: Promise<readonly ListedRun[]> }>();

  /** `since`: milliseconds since 1970; runs that changed since then come first, and those that are active. */
  async *follow(viewer: string, read: Read, since: number | undefined, ask: Ask): AsyncGenerator<RunChange> {
    let seen = new Map<string, string>();
    for (let from = since ?? Date.now() - lookAgainMs; ; from = Number.POSITIVE_INFINITY) {
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
      await pause(lookAgainMs, ask);
      checkAsk(ask, "following the list of runs");
    }
  }

  #look(viewer: string, read: Read): Promise<readonly ListedRun[]> {
    const now = performance.now();
    const last = this.#looks.get(viewer);
    if (last !== undefined && now - last.at < lookAgainMs / 2) return last.found;
    const found = read();
    this.#looks.set(viewer, { at: now, found });
    return found;
  }
}

function isRecent(run: ListedRun, since: number): boolean {
  if (run.state === "running" || run.state === "pending") return true;
  const times = [run.endedAt, run.startedAt, run.origin === "server" ? run.createdAt : undefined];
  return times.some((time) => time !== undefined && Date.parse(time) >= since);
}
