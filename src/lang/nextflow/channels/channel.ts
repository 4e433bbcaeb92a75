/** Channels: queues of items, each given to every consumer, and values, which can be read again and again. */
import { invariant } from "../../../kernel/index.ts";
import { binary } from "../eval/operators.ts";
import type { Outside } from "../stdlib/outside.ts";
import { Closure } from "../values/closure.ts";
import { Unique, type Value } from "../values/thing.ts";
import { noRank, type Rank } from "./rank.ts";

export interface Consumer {
  next(value: Value, rank: Rank): void;
  end(): void;
}

/** What makes channels move, as they see it. */
export interface ChannelNetwork {
  readonly outside: Outside;
  readonly operators: Operators;
  /** Joins and other operators that refuse what they otherwise ignore. */
  readonly strict: boolean;
  /** Patterns of tags that `dump` shows; empty: all; undefined: none. */
  readonly dumped: readonly string[] | undefined;
  /** Sets a variable of the workflow that is being built: `set` and `tap`. */
  readonly assign: (name: string, value: Value) => void;
  /** The channel of all items that processes send to a topic. */
  readonly topic: (name: string) => Value;
  /** Does it when the network runs, after what was posted before. */
  post(work: () => void): void;
}

/** By name: each takes a channel and what is given in parentheses. */
export type Operators = Readonly<Record<string, (source: Channel, given: readonly Value[]) => Value>>;

export type ChannelKind = "queue" | "value";

export class Channel extends Unique {
  readonly type: string;
  override readonly kinds = ["DataflowReadChannel", "DataflowWriteChannel", "Channel"];
  readonly kind: ChannelKind;
  readonly network: ChannelNetwork;
  /** Processes whose results go into it. */
  readonly origins = new Set<string>();
  /** Called once nobody waits for its items any more: what makes them can stop. */
  onUnneeded: () => void = () => undefined;
  readonly #consumers: Consumer[] = [];
  /** What operators made of it: how many of the consumers are theirs, and where their items go. */
  readonly #derived: { readonly consumers: number; readonly outs: readonly Channel[] }[] = [];
  readonly #sources = new Set<Channel>();
  #unneeded = false;
  #state: "open" | "bound" | "closed" = "open";
  #value: Value = null;
  #rank: Rank = noRank;

  constructor(network: ChannelNetwork, kind: ChannelKind) {
    super();
    this.network = network;
    this.kind = kind;
    this.type = kind === "queue" ? "DataflowBroadcast" : "DataflowVariable";
  }

  static value(network: ChannelNetwork, value: Value): Channel {
    const channel = new Channel(network, "value");
    channel.emit(value, noRank);
    return channel;
  }

  /** Items are emitted when the network runs. */
  static of(network: ChannelNetwork, items: Iterable<Value>): Channel {
    const channel = new Channel(network, "queue");
    let index = 0;
    const iterator = items[Symbol.iterator]();
    const some = () => {
      for (let count = 0; count < 1000; count++) {
        const { done, value } = iterator.next();
        if (done) {
          channel.close();
          return;
        }
        channel.emit(value, [index++]);
      }
      network.post(some);
    };
    network.post(some);
    return channel;
  }

  emit(value: Value, rank: Rank): void {
    if (this.kind === "queue") {
      invariant(this.#state === "open", "an item is sent to a channel that is closed");
      for (const each of this.#consumers) each.next(value, rank);
      return;
    }
    if (this.#state !== "open") return;
    this.#state = "bound";
    this.#value = value;
    this.#rank = rank;
    for (const each of this.#consumers) {
      each.next(value, rank);
      each.end();
    }
    this.#release();
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closed";
    for (const each of this.#consumers) each.end();
    this.#release();
  }

  /** It takes no more items: where nothing else takes those of its sources, nor do they. */
  #release(): void {
    for (const source of this.#sources) source.#ask();
  }

  #ask(): void {
    if (this.#unneeded || this.#state !== "open") return;
    const counted = this.#derived.reduce((sum, { consumers }) => sum + consumers, 0);
    if (counted < this.#consumers.length) return;
    const isDone = (out: Channel) => out.#unneeded || out.#state !== "open";
    if (!this.#derived.every(({ outs }) => outs.every(isDone))) return;
    this.#unneeded = true;
    this.onUnneeded();
    this.#release();
  }

  subscribe(consumer: Consumer): void {
    this.#consumers.push(consumer);
    if (this.#state === "open") return;
    // What has happened already is sent when the network runs.
    this.network.post(() => {
      if (this.#state === "bound") consumer.next(this.#value, this.#rank);
      consumer.end();
    });
  }

  /** `ch + x`: each item with it. */
  #plus(other: Value): Channel {
    const out = new Channel(this.network, this.kind);
    this.subscribe({
      next: (value, rank) => out.emit(binary("+", value, other), rank),
      end: () => out.close(),
    });
    return out;
  }

  override text(): string {
    return this.kind === "queue"
      ? "DataflowBroadcast around DataflowStream"
      : `DataflowVariable(value=${this.#state === "bound" ? "…" : "null"})`;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    const { operators } = this.network;
    const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
    if (operator !== undefined) {
      const before = this.#consumers.length;
      const made = operator(this, given);
      const outs = channelsIn(made).filter((each) => each !== this);
      if (outs.length > 0) {
        this.#derived.push({ consumers: this.#consumers.length - before, outs });
        for (const out of outs) out.#sources.add(this);
      }
      for (const out of channelsIn(made))
        for (const each of [this, ...given.flatMap(channelsIn)])
          for (const origin of each.origins) out.origins.add(origin);
      return made;
    }
    if (name === "plus") return this.#plus(given[0] ?? null);
    if (name === "or") return piped(this, given[0] ?? null);
    if (name === "and")
      return new Together([this, ...(given[0] instanceof Together ? given[0].items : [given[0] ?? null])]);
    return undefined;
  }
}

/** Of a channel, or of the several that a process or an operator answers. */
function channelsIn(value: Value): readonly Channel[] {
  if (value instanceof Channel) return [value];
  if (value === null || typeof value !== "object" || Array.isArray(value) || !("items" in value)) return [];
  return Array.isArray(value.items) ? value.items.filter((each) => each instanceof Channel) : [];
}

/** `ch | f`: what takes a channel is called with it. */
export function piped(source: Value, target: Value): Value | undefined {
  if (target instanceof Together) return target.invoke("pipedFrom", [source]);
  if (target instanceof Closure) return target.call([source]);
  if (target !== null && typeof target === "object" && !Array.isArray(target))
    return target.invoke("call", source instanceof Together ? source.items : [source]);
  return undefined;
}

/** `a & b`: several channels as arguments, or several things that take one. */
export class Together extends Unique {
  readonly type = "Together";
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    const [other = null] = given;
    switch (name) {
      case "or":
        return piped(this, other);
      case "and":
        return new Together([...this.items, ...(other instanceof Together ? other.items : [other])]);
      case "pipedFrom":
        return new Together(this.items.map((each) => piped(other, each) ?? null));
      default:
        return undefined;
    }
  }
}
