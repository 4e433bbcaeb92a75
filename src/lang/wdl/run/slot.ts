/** A name of a workflow that gets its value once, and those who wait for it. */
import type { WdlValue } from "../values/value.ts";

export class Slot {
  #state: "waiting" | "ready" | "lost" = "waiting";
  #value: WdlValue | undefined;
  #waiting: ((slot: Slot) => void)[] | undefined;

  /** undefined while it is waiting, and when what would have made it failed. */
  get value(): WdlValue | undefined {
    return this.#value;
  }
  get settled(): boolean {
    return this.#state !== "waiting";
  }
  /** It will never have a value: what would have made it failed or was not started. */
  get lost(): boolean {
    return this.#state === "lost";
  }

  fill(value: WdlValue): void {
    if (this.settled) return;
    this.#value = value;
    this.#settle("ready");
  }

  lose(): void {
    if (!this.settled) this.#settle("lost");
  }

  /** Calls back at once when it is settled already. */
  whenSettled(then: (slot: Slot) => void): void {
    if (this.settled) then(this);
    else if (this.#waiting === undefined) this.#waiting = [then];
    else this.#waiting.push(then);
  }

  #settle(state: "ready" | "lost"): void {
    this.#state = state;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const each of waiting) each(this);
  }
}

/** Names of one body, inside those of the body around it. */
export class Scope {
  readonly #slots = new Map<string, Slot>();
  readonly #parent: Scope | undefined;
  /** `[3][1]`: the shards that this body belongs to. */
  readonly shard: string;

  constructor(parent: Scope | undefined, shard: string) {
    this.#parent = parent;
    this.shard = shard;
  }

  declare(name: string): Slot {
    const slot = new Slot();
    this.#slots.set(name, slot);
    return slot;
  }

  add(name: string, slot: Slot): void {
    this.#slots.set(name, slot);
  }

  find(name: string): Slot | undefined {
    return this.#slots.get(name) ?? this.#parent?.find(name);
  }

  /** Resolves with whether all of them have values. Names that are not slots (enums) are not waited for. */
  ready(names: Iterable<string>): boolean | Promise<boolean> {
    const waiting: Slot[] = [];
    for (const name of names) {
      const slot = this.find(name);
      if (slot?.lost) return false;
      if (slot !== undefined && !slot.settled) waiting.push(slot);
    }
    if (waiting.length === 0) return true;
    return new Promise((resolve) => {
      let left = waiting.length;
      for (const slot of waiting) {
        slot.whenSettled(() => {
          if (slot.lost) resolve(false);
          else if (--left === 0) resolve(true);
        });
      }
    });
  }
}
