/** The channels that a process, a workflow, `branch` or `multiMap` answers, by name and position. */

import { Closure } from "../values/closure.ts";
import { Unique, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { capturedName } from "./captured-name.ts";
import { Channel, piped, Together } from "./channel.ts";

export class ChannelOut extends Unique {
  readonly type = "ChannelOut";
  /** All of them, in order. */
  readonly items: readonly Value[];
  readonly #named: ReadonlyMap<string, Value>;

  constructor(items: readonly Value[], named: ReadonlyMap<string, Value>) {
    super();
    this.items = items;
    this.#named = named;
  }

  get names(): readonly string[] {
    return [...this.#named.keys()];
  }

  get entries(): ReadonlyMap<string, Value> {
    return this.#named;
  }

  override get(name: string): Value | undefined {
    const found = this.#named.get(name);
    if (found !== undefined) return found;
    if (name === "out") return this;
    if (name === "names") return [...this.#named.keys()];
    return undefined;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    const [first = null] = given;
    switch (name) {
      case "getAt":
        if (typeof first === "number")
          return this.items[first] ?? fail("IndexOutOfBoundsException", `there is no output ${first}`);
        return (
          this.#named.get(String(first)) ??
          fail("MissingPropertyException", `there is no output ${String(first)}`)
        );
      case "size":
        return this.items.length;
      case "getNames":
        return [...this.#named.keys()];
      case "or":
        return piped(new Together(this.items), first);
      case "and":
        return new Together([...this.items, ...(first instanceof Together ? first.items : [first])]);
    }
    const [only] = this.items;
    if ((name === "set" || name === "tap") && first instanceof Closure && only instanceof Channel) {
      only.network.assign(capturedName(first), this);
      return name === "set" ? null : this;
    }
    if (this.items.length === 1 && only instanceof Channel) return only.invoke(name, given);
    if (
      this.items.length !== 1 &&
      this.items[0] instanceof Channel &&
      Object.hasOwn(this.items[0].network.operators, name)
    )
      fail(
        "MissingMethodException",
        `\`${name}\` cannot be applied to ${this.items.length} channels: choose one by name or index`,
      );
    return undefined;
  }
}

/** Arguments of a call, with the channels of a multi-channel output spread. */
export function spreadOut(given: readonly Value[]): readonly Value[] {
  return given.flatMap((each) => {
    if (each instanceof ChannelOut) return each.items;
    if (each instanceof Together) return spreadOut(each.items);
    return [each];
  });
}

/** The one channel of a value that is to be one. */
export function asChannel(value: Value): Channel | undefined {
  if (value instanceof Channel) return value;
  if (value instanceof ChannelOut && value.items.length === 1) return asChannel(value.items[0] ?? null);
  return undefined;
}
