/** Pairs the items of a process's inputs: one task for each that the shortest queue has; values repeat. */

import type { Channel } from "../channels/channel.ts";
import { Fifo } from "../channels/fifo.ts";
import { byRank, type Rank } from "../channels/rank.ts";
import { itemsOf } from "../eval/cast.ts";
import { isSequence } from "../eval/operators.ts";
import type { Value } from "../values/thing.ts";

export interface Arrival {
  readonly values: readonly Value[];
  readonly rank: Rank;
}

export interface QueueInput {
  readonly channel: Channel;
  /** All its items go with every other combination. */
  readonly each: boolean;
}

interface Buffered {
  readonly value: Value;
  readonly rank: Rank;
}

export class InputQueue {
  readonly #inputs: readonly QueueInput[];
  readonly #buffers: readonly Fifo<Buffered>[];
  readonly #ended: boolean[];
  readonly #fire: (arrival: Arrival) => void;
  readonly #end: () => void;
  #done = false;

  constructor(inputs: readonly QueueInput[], fire: (arrival: Arrival) => void, end: () => void) {
    this.#inputs = inputs;
    this.#buffers = inputs.map(() => new Fifo());
    this.#ended = inputs.map(() => false);
    this.#fire = fire;
    this.#end = end;
  }

  start(): void {
    for (const [index, { channel }] of this.#inputs.entries())
      channel.subscribe({
        next: (value, rank) => {
          this.#buffers[index]?.push({ value, rank });
          this.#advance();
        },
        end: () => {
          this.#ended[index] = true;
          this.#advance();
        },
      });
  }

  /** A process without inputs runs once. */
  once(): void {
    this.#done = true;
    this.#fire({ values: [], rank: [] });
    this.#end();
  }

  get #queues(): readonly number[] {
    return this.#inputs.flatMap(({ channel, each }, index) =>
      channel.kind === "queue" && !each ? [index] : [],
    );
  }

  #advance(): void {
    if (this.#done) return;
    const queues = this.#queues;
    const ready = (index: number) =>
      this.#inputs[index]?.each ? this.#ended[index] === true : (this.#buffers[index]?.size ?? 0) > 0;
    if (queues.length === 0) {
      if (this.#inputs.every((_, index) => ready(index))) {
        this.#done = true;
        this.#combine(this.#buffers.map((buffer) => buffer.first));
        this.#end();
      } else if (this.#ended.every((each) => each)) this.#close();
      return;
    }
    while (this.#inputs.every((_, index) => ready(index)) && queues.every((index) => ready(index))) {
      const items = this.#buffers.map((buffer, index) =>
        queues.includes(index) ? buffer.shift() : buffer.first,
      );
      this.#combine(items);
    }
    const starved = (index: number) => this.#ended[index] === true && (this.#buffers[index]?.size ?? 0) === 0;
    if (
      queues.some(starved) ||
      this.#inputs.some(({ channel, each }, index) => channel.kind === "value" && !each && starved(index))
    )
      this.#close();
  }

  #close(): void {
    this.#done = true;
    this.#end();
  }

  /** With all items of inputs that are `each`. */
  #combine(items: readonly (Buffered | undefined)[]): void {
    let arrivals: Arrival[] = [{ values: [], rank: [] }];
    for (const [index, item] of items.entries()) {
      const choices = this.#inputs[index]?.each ? this.#choices(index) : item === undefined ? [] : [item];
      arrivals = arrivals.flatMap(({ values, rank }) =>
        choices.map((choice) => ({ values: [...values, choice.value], rank: [...rank, ...choice.rank] })),
      );
    }
    for (const each of arrivals) this.#fire(each);
  }

  #choices(index: number): Buffered[] {
    const buffer = [...(this.#buffers[index] ?? [])].sort(byRank);
    const [only] = buffer;
    if (this.#inputs[index]?.channel.kind === "value" && only !== undefined)
      return (isSequence(only.value) ? itemsOf(only.value) : [only.value]).map((value, at) => ({
        value,
        rank: [at],
      }));
    return buffer;
  }
}
