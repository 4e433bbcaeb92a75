/**
 * Who may compute now: keeps the sum of cpu, memory and gpu of running calls within limits. First come, first served;
 * a small call may overtake a big one that has to wait, but only so often that the big one gets its turn.
 */
import { type Ask, sizeText } from "../kernel/index.ts";
import type { Resources } from "../task/index.ts";

export interface Capacity {
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly gpu: number;
}

/** Whether attempts share the local processors and memory, or run where others decide about those. */
export type TurnsPlace = "here" | "elsewhere";

/** Who may compute now; a Scheduler, or several that all have to agree. */
export interface Turns {
  /** What the call asks for beyond everything there is; undefined when it fits. */
  excess(resources: Resources): string | undefined | Promise<string | undefined>;
  /** The part of what the call asks for that there is: for calls that run with less. */
  fitted(resources: Resources): Resources | Promise<Resources>;
  /** Resolves with the function that gives the share back (once, however often it is called); undefined when the Ask was
   * cancelled while waiting. `soon` may be called once, when it is among the next. */
  acquire(resources: Resources, ask: Ask, soon?: () => void): Promise<(() => void) | undefined>;
}

/** So many of those that wait get notice that their turn comes soon. */
const mostSoon = 2;

/** How many later calls may be started before the first one in the queue. */
const mostOvertakes = 32;

interface Waiting {
  readonly need: Need;
  readonly grant: () => void;
  /** Until it was called. */
  soon: (() => void) | undefined;
}

/** Thousandths of a cpu: sums of fractions stay exact. */
interface Need {
  readonly milliCpu: number;
  readonly memoryBytes: number;
  readonly gpu: number;
}

export class Scheduler implements Turns {
  readonly #limits: Capacity;
  #free: Need;
  #queue: Waiting[] = [];
  #overtaken = 0;

  constructor(limits: Capacity) {
    this.#limits = limits;
    this.#free = needOf(limits);
  }

  excess(resources: Resources): string | undefined {
    const { cpu, memoryBytes, gpu } = this.#limits;
    if (resources.cpu > cpu)
      return `asks for ${resources.cpu} cpus, at most ${cpu} may be used here (--max-cpus; --clamp-resources runs it with what there is)`;
    if (resources.memoryBytes > memoryBytes)
      return `asks for ${sizeText(resources.memoryBytes)} of memory, at most ${sizeText(memoryBytes)} may be used here (--max-memory; --clamp-resources runs it with what there is)`;
    if (resources.gpu > gpu) return `asks for ${resources.gpu} gpus, ${gpu} may be used here (--gpus)`;
    return undefined;
  }

  fitted(resources: Resources): Resources {
    const { cpu, memoryBytes, gpu } = this.#limits;
    return {
      ...resources,
      cpu: Math.min(resources.cpu, cpu),
      memoryBytes: Math.min(resources.memoryBytes, memoryBytes),
      gpu: Math.min(resources.gpu, gpu),
    };
  }

  acquire(resources: Resources, ask: Ask, soon?: () => void): Promise<(() => void) | undefined> {
    const need = needOf(resources);
    return new Promise((resolve) => {
      if (ask.signal.aborted) return resolve(undefined);
      const waiting: Waiting = {
        need,
        soon,
        grant: () => {
          ask.signal.removeEventListener("abort", leave);
          resolve(this.#take(need));
        },
      };
      const leave = () => {
        this.#queue = this.#queue.filter((other) => other !== waiting);
        resolve(undefined);
        this.#serve();
      };
      ask.signal.addEventListener("abort", leave, { once: true });
      this.#queue.push(waiting);
      this.#serve();
    });
  }

  #take(need: Need): () => void {
    let back = false;
    return () => {
      if (back) return;
      back = true;
      this.#free = sum(this.#free, need, 1);
      this.#serve();
    };
  }

  #serve(): void {
    this.#grant();
    for (const waiting of this.#queue.slice(0, mostSoon)) {
      waiting.soon?.();
      waiting.soon = undefined;
    }
  }

  #grant(): void {
    for (let i = 0; i < this.#queue.length; ) {
      const waiting = this.#queue[i];
      if (waiting === undefined) return;
      if (fits(waiting.need, this.#free)) {
        this.#overtaken = i === 0 ? 0 : this.#overtaken + 1;
        this.#queue.splice(i, 1);
        this.#free = sum(this.#free, waiting.need, -1);
        waiting.grant();
      } else if (this.#overtaken >= mostOvertakes || this.#free.milliCpu <= 0) return;
      else i++;
    }
  }
}

function needOf(resources: Capacity): Need {
  return {
    milliCpu: Math.round(resources.cpu * 1000),
    memoryBytes: resources.memoryBytes,
    gpu: resources.gpu,
  };
}

function fits(need: Need, free: Need): boolean {
  return need.milliCpu <= free.milliCpu && need.memoryBytes <= free.memoryBytes && need.gpu <= free.gpu;
}

function sum(a: Need, b: Need, sign: 1 | -1): Need {
  return {
    milliCpu: a.milliCpu + sign * b.milliCpu,
    memoryBytes: a.memoryBytes + sign * b.memoryBytes,
    gpu: a.gpu + sign * b.gpu,
  };
}
