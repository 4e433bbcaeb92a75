/** Recorded results that were lost while a run used them: what made them is computed again, once. */
import { AppError, type Ask, checkAsk } from "../kernel/index.ts";
import type { OutputCollector } from "../lang/core/index.ts";
import type { Entry } from "../store/entries/index.ts";
import type { Outputs, TaskCall, TaskFailure } from "../task/index.ts";
import type { CallOrder, Ended } from "./call-order.ts";
import type { CallRecorder } from "./call-recorder.ts";
import type { Emit } from "./events.ts";
import type { Materials } from "./materials.ts";
import type { Obstacle } from "./staging.ts";

/** How a result came about, for the case that it is lost. */
interface Producer {
  readonly task: TaskCall;
  readonly collect: OutputCollector;
  readonly was: "reused" | "computed";
}

type Lost = Extract<Obstacle, { kind: "lost" }>;

export interface LostResultsParts {
  readonly emit: Emit;
  readonly recorder: CallRecorder | undefined;
  readonly materials: Materials;
  /** Finds or computes what the call is made of, to its end. */
  resolve(
    order: Pick<CallOrder, "task" | "collect">,
    ask: Ask,
  ): Promise<{ readonly kind: "reused" | "computed"; readonly outputs: Outputs } | Ended>;
}

export class LostResults {
  readonly #parts: LostResultsParts;
  /** By the uuid of the entry that the run uses of them. */
  readonly #producers = new Map<string, Producer>();
  /** By the uuid of the lost entry; an answer is for good. */
  readonly #restored = new Map<string, Promise<Ended | undefined>>();

  constructor(parts: LostResultsParts) {
    this.#parts = parts;
  }

  /** Computes again what made a recorded result that is lost; undefined when it is there again. */
  restore(lost: Lost, ask: Ask): Promise<Ended | undefined> {
    const { uuid } = lost.entry;
    const known = this.#restored.get(uuid);
    if (known !== undefined) return known;
    const restored = this.#restoreOnce(lost, ask);
    this.#restored.set(uuid, restored);
    return restored;
  }

  async #restoreOnce(lost: Lost, ask: Ask): Promise<Ended | undefined> {
    const { emit, recorder, materials } = this.#parts;
    const { entry, words, damaged } = lost;
    const producer = this.#producers.get(entry.uuid);
    await recorder?.giveUp(entry, { damaged, call: producer?.task.path ?? entry.callPath }, ask);
    if (producer === undefined) return { kind: "failed", failure: inputFailure(words) };
    const { task, collect, was } = producer;
    emit({
      kind: "call.taken-back",
      call: task.path,
      task: task.name,
      was,
      savedSeconds: was === "reused" ? entry.cost.wallSeconds : 0,
      words,
    });
    const resolved = await this.#parts.resolve({ task, collect }, ask);
    if (resolved.kind === "failed") {
      emit({ kind: "call.failed", call: task.path, task: task.name, failure: resolved.failure });
      return resolved;
    }
    if (resolved.kind === "cancelled") {
      emit({ kind: "call.cancelled", call: task.path, task: task.name });
      return resolved;
    }
    materials.replace(entry.outputs, resolved.outputs);
    return undefined;
  }

  /** For bytes that no call waits for: expressions of the workflow, and the final outputs. */
  async restoreOrThrow(lost: Lost, ask: Ask): Promise<void> {
    const failed = await this.restore(lost, ask);
    if (failed === undefined) return;
    checkAsk(ask, `computing ${lost.location} again`);
    if (failed.kind === "cancelled")
      throw new AppError("RUN_INTERRUPTED", `computing ${lost.location} again: the run was stopped`);
    throw new AppError(lost.error.code, lostFailure(lost, failed).message, { cause: lost.error });
  }

  noteProducer({ uuid }: Entry, { task, collect }: CallOrder, was: Producer["was"]): void {
    if (!this.#producers.has(uuid)) this.#producers.set(uuid, { task, collect, was });
  }
}

export function inputFailure(message: string): TaskFailure {
  return { kind: "input-unavailable", message, attempts: 0 };
}

export function lostFailure({ words, entry }: Lost, failed: Ended | undefined): TaskFailure {
  const why = failed?.kind === "failed" ? failed.failure.message : "it was lost again";
  return inputFailure(`${words}; computing ${entry.callPath} again: ${why}`);
}
