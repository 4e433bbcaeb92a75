/** Leave to compute: when there is room for what a call asks for. */
import { type Ask, sizeText } from "../kernel/index.ts";
import type { TaskCall } from "../task/index.ts";
import type { CallOrder, Ended } from "./call-order.ts";
import type { Emit } from "./events.ts";
import type { Turns } from "./scheduler.ts";

/** Leave to compute, until it is given back (however often that is asked). */
export interface Turn extends Leave {
  readonly kind: "turn";
  /** With the resources that it gets. */
  readonly order: CallOrder;
}

/** What running commands need of a turn. */
export interface Leave {
  readonly release: () => void;
  /** Waits for the same share where it was given back; false when the Ask was cancelled meanwhile. */
  readonly again: (ask: Ask) => Promise<boolean>;
}

export interface CallTurnsParts {
  readonly clampResources?: true;
  readonly emit: Emit;
  /** Aborted when no further call may be started. */
  readonly stopping: AbortSignal;
}

export class CallTurns {
  readonly #parts: CallTurnsParts;

  constructor(parts: CallTurnsParts) {
    this.#parts = parts;
  }

  /** A turn, or how the call ends without one. `soon` may be called before, with the call as it will have its turn. */
  async take(order: CallOrder, ask: Ask, soon?: (order: CallOrder) => void): Promise<Turn | Ended> {
    const { scheduler } = await order.where.ready();
    const task = await this.#fitting(order.task, scheduler);
    const excess = await scheduler.excess(task.resources);
    if (excess !== undefined)
      return { kind: "failed", failure: { kind: "resources-unavailable", message: excess, attempts: 0 } };
    const signal = AbortSignal.any([ask.signal, this.#parts.stopping]);
    const release = await scheduler.acquire(
      task.resources,
      { signal },
      soon && (() => soon({ ...order, task })),
    );
    if (release === undefined) return { kind: "cancelled" };
    if (!signal.aborted)
      return {
        kind: "turn",
        order: { ...order, task },
        ...leave(release, (within) => scheduler.acquire(task.resources, within)),
      };
    release();
    return { kind: "cancelled" };
  }

  /** The call with what there is of its resources, where it may run with less than it asks for. */
  async #fitting(task: TaskCall, scheduler: Turns): Promise<TaskCall> {
    const { clampResources } = this.#parts;
    if (task.resourcesAreHints !== true && clampResources !== true) return task;
    const { resources } = task;
    const fitted = await scheduler.fitted(resources);
    // Without a GPU that it needs a task would only fail later, and say less.
    const given = task.resourcesAreHints === true ? fitted : { ...fitted, gpu: resources.gpu };
    const words = [
      ...(given.cpu < resources.cpu ? [`${given.cpu} of the ${resources.cpu} cpus`] : []),
      ...(given.memoryBytes < resources.memoryBytes
        ? [`${sizeText(given.memoryBytes)} of the ${sizeText(resources.memoryBytes)} of memory`]
        : []),
      ...(given.gpu < resources.gpu ? [`${given.gpu} of the ${resources.gpu} gpus`] : []),
    ];
    if (words.length === 0) return task;
    this.#parts.emit({
      kind: "log",
      words: `warning: ${task.path} runs with ${words.join(" and ")} that it asks for: this machine has no more`,
    });
    return { ...task, resources: given };
  }
}

function leave(release: () => void, acquire: (ask: Ask) => Promise<(() => void) | undefined>): Leave {
  let held: (() => void) | undefined = release;
  return {
    release: () => {
      held?.();
      held = undefined;
    },
    again: async (ask) => {
      held ??= await acquire(ask);
      return held !== undefined;
    },
  };
}
