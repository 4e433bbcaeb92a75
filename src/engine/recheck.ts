/** Comparing a reused result with a fresh one: a task whose outputs differ is not deterministic. */
import { canonicalText, sha256 } from "../hash/index.ts";
import type { Ask } from "../kernel/index.ts";
import type { Identity } from "../keys/index.ts";
import type { Entry } from "../store/entries/index.ts";
import type { FileValue, Outputs, TaskCall } from "../task/index.ts";
import { type AttemptParts, compute } from "./attempts.ts";
import type { CallOrder } from "./call-order.ts";
import type { CallTurns } from "./call-turns.ts";
import type { Emit } from "./events.ts";
import { firstDifference, type OutputDifference } from "./first-difference.ts";
import type { Materials } from "./materials.ts";
import type { RunExecutor } from "./run-executors.ts";
import { contentOf } from "./value-content.ts";

export interface RechecksParts {
  /** Of the reused calls, 0 to 1. */
  readonly part: number | undefined;
  readonly runId: string;
  readonly turns: CallTurns;
  readonly materials: Materials;
  readonly emit: Emit;
  readonly callDirectory: (path: string) => string;
  readonly attemptParts: (where: RunExecutor) => Promise<AttemptParts>;
}

/** Reused calls that are computed again for comparison. */
export class Rechecks {
  readonly #parts: RechecksParts;
  readonly #going: Promise<void>[] = [];

  constructor(parts: RechecksParts) {
    this.#parts = parts;
  }

  consider(order: CallOrder, entry: Entry, ask: Ask): void {
    if (this.#isSample(order.task)) this.#going.push(this.#recheck(order, entry, ask));
  }

  async settle(): Promise<void> {
    await Promise.all(this.#going);
  }

  /** Chosen by the call and the run: spread evenly, another choice in every run. */
  #isSample(task: TaskCall): boolean {
    const part = this.#parts.part ?? 0;
    if (part <= 0) return false;
    const digest = sha256(`${this.#parts.runId} ${task.path}`);
    return Number.parseInt(digest.slice(0, 8), 16) / 2 ** 32 < part;
  }

  async #recheck(order: CallOrder, entry: Entry, ask: Ask): Promise<void> {
    const { task } = order;
    const turn = await this.#parts.turns.take(order, ask);
    if (turn.kind !== "turn") return;
    try {
      const directory = this.#parts.callDirectory(`${task.path}-recheck`);
      const parts = {
        ...(await this.#parts.attemptParts(order.where)),
        runId: `${this.#parts.runId}r`,
        emit: () => {},
      };
      const again = await compute(parts, { ...turn.order, directory }, ask);
      if (again.kind === "cancelled" || again.kind === "obstructed") return;
      const differing =
        again.kind === "failed"
          ? []
          : await outputsThatDiffer(entry.outputs, again.outputs, (file) =>
              this.#parts.materials.identityOf(file, ask),
            );
      const result = again.kind === "failed" ? "failed" : differing.length === 0 ? "same" : "differs";
      this.#parts.emit({
        kind: "recheck.ended",
        call: task.path,
        task: task.name,
        result,
        outputs: differing,
        ...(again.kind === "failed" ? {} : await differencesOf(differing, entry.outputs, again.outputs)),
      });
    } finally {
      turn.release();
    }
  }
}

async function differencesOf(
  names: readonly string[],
  recorded: Outputs,
  fresh: Outputs,
): Promise<{ readonly differences?: readonly OutputDifference[] }> {
  const found: OutputDifference[] = [];
  for (const name of names) {
    const one = await firstDifference(name, recorded[name] ?? null, fresh[name] ?? null);
    if (one !== undefined) found.push(one);
  }
  return found.length === 0 ? {} : { differences: found };
}

/** Names of outputs whose values or file contents differ. */
export async function outputsThatDiffer(
  recorded: Outputs,
  fresh: Outputs,
  identityOf: (file: FileValue) => Promise<Identity>,
): Promise<readonly string[]> {
  const names = [...new Set([...Object.keys(recorded), ...Object.keys(fresh)])];
  const differing: string[] = [];
  for (const name of names) {
    const [a, b] = [recorded[name] ?? null, fresh[name] ?? null];
    const [x, y] = [await contentOf(a, identityOf), await contentOf(b, identityOf)];
    if (canonicalText(x) !== canonicalText(y)) differing.push(name);
  }
  return differing;
}
