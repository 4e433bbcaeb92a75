/** The turns of one run in its own process: what it is granted is given back when the process ends, however it does. */
import type { Capacity, Turns, TurnsPlace } from "../../../engine/index.ts";
import type { RunRequest, TurnsName } from "./messages.ts";

export class TurnsDesk {
  readonly #open: (capacity: Capacity, place: TurnsPlace) => Turns;
  readonly #turns = new Map<number, Turns>();
  readonly #held = new Map<number, { readonly waiting: AbortController; release?: () => void }>();
  #closed = false;

  constructor(open: (capacity: Capacity, place: TurnsPlace) => Turns) {
    this.#open = open;
  }

  async ask(
    id: number,
    { kind, turns: name, resources }: Exclude<RunRequest, { kind: "task" }>,
    answer: (value: unknown) => void,
  ): Promise<void> {
    const turns = this.#turnsOf(name);
    if (kind === "excess") return answer(await turns.excess(resources));
    if (kind === "fitted") return answer(await turns.fitted(resources));
    const held: { readonly waiting: AbortController; release?: () => void } = {
      waiting: new AbortController(),
    };
    this.#held.set(id, held);
    const release = await turns.acquire(resources, { signal: held.waiting.signal });
    // It may have been given back meanwhile.
    if (this.#closed || !this.#held.has(id)) release?.();
    else if (release === undefined) this.#held.delete(id);
    else held.release = release;
    answer(release !== undefined);
  }

  leave(id: number): void {
    const held = this.#held.get(id);
    this.#held.delete(id);
    held?.waiting.abort();
    held?.release?.();
  }

  close(): void {
    this.#closed = true;
    for (const id of [...this.#held.keys()]) this.leave(id);
  }

  #turnsOf({ id, capacity, place }: TurnsName): Turns {
    const turns = this.#turns.get(id) ?? this.#open(capacity, place);
    this.#turns.set(id, turns);
    return turns;
  }
}
