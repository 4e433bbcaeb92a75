/** `F.recurse(x).until { … }` and `.times(n)`: what a process or workflow answers goes in again. */
import { Channel } from "../channels/channel.ts";
import { asChannel } from "../channels/channel-out.ts";
import type { Network } from "../channels/network.ts";
import { Closure } from "../values/closure.ts";
import { truthOf } from "../values/compare.ts";
import { asInt } from "../values/number.ts";
import { Unique, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";

export class Recursion extends Unique {
  readonly type = "Recursion";
  readonly #call: (channels: readonly Value[]) => Value;
  readonly #initial: readonly Value[];
  readonly #network: Network;

  constructor(call: (channels: readonly Value[]) => Value, initial: readonly Value[], network: Network) {
    super();
    this.#call = call;
    this.#initial = initial;
    this.#network = network;
  }

  override invoke(name: string, [limit = null]: readonly Value[]): Value | undefined {
    if (name === "until" && limit instanceof Closure)
      return this.#run((value) => truthOf(limit.call([value])));
    if (name !== "times") return undefined;
    const most = asInt(limit, "the number of times");
    return this.#run((_, count) => count >= most);
  }

  #run(last: (value: Value, count: number) => boolean): Channel {
    if (this.#initial.length !== 1)
      fail("IllegalArgumentException", "only what has one input can be repeated");
    const input = new Channel(this.#network, "queue");
    const out = new Channel(this.#network, "queue");
    const answers =
      asChannel(this.#call([input])) ??
      fail("IllegalArgumentException", "only what has one output can be repeated");
    let count = 0;
    answers.subscribe({
      next: (value) => {
        out.emit(value, [++count]);
        const ended = last(value, count);
        const at = count;
        this.#network.post(() => (ended ? input.close() : input.emit(value, [at])));
      },
      end: () => out.close(),
    });
    this.#network.post(() => input.emit(this.#initial[0] ?? null, [0]));
    return out;
  }
}
