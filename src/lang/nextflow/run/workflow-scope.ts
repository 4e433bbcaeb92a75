/** The names of one call of a workflow: what it takes and sets, and the processes and workflows that it calls. */
import { Channel, piped } from "../channels/channel.ts";
import { ChannelOut, spreadOut } from "../channels/channel-out.ts";
import type { Network } from "../channels/network.ts";
import { invoke } from "../eval/access.ts";
import type { Delegate } from "../values/closure.ts";
import { Unique, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import type { Definition, Module } from "./module.ts";
import { Recursion } from "./recursion.ts";

/** Starts a process or a workflow; `path` is its qualified name. */
export type Start = (definition: Definition, path: string, given: readonly Value[]) => ChannelOut;

export class WorkflowScope implements Delegate {
  readonly module: Module;
  /** Names of the workflows around it, without the entry. */
  readonly path: string;
  readonly variables = new Map<string, Value>();
  readonly #invocations = new Map<string, Invocation>();
  readonly #start: Start;

  constructor(module: Module, path: string, start: Start) {
    this.module = module;
    this.path = path;
    this.#start = start;
  }

  lookup(name: string): Value | undefined {
    const own = this.variables.get(name);
    if (own !== undefined) return own;
    const defined = this.module.definitions.get(name);
    if (defined?.kind === "process" || defined?.kind === "workflow") return this.#invocation(name, defined);
    if (defined === undefined && this.#isOperator(name) && !this.module.hasVariable(name))
      return new OperatorCall(name, []);
    return undefined;
  }

  assign(name: string, value: Value): boolean {
    this.variables.set(name, value);
    return true;
  }

  method(name: string, given: readonly Value[]): Value | undefined {
    const defined = this.module.definitions.get(name);
    if (defined?.kind === "process" || defined?.kind === "workflow")
      return this.#invocation(name, defined).invoke("call", given);
    if (
      defined === undefined &&
      this.#isOperator(name) &&
      !this.variables.has(name) &&
      !this.module.hasVariable(name)
    )
      return new OperatorCall(name, given);
    return undefined;
  }

  #isOperator(name: string): boolean {
    return Object.hasOwn(this.module.session.network.operators, name);
  }

  #invocation(name: string, definition: Definition): Invocation {
    const known = this.#invocations.get(name);
    if (known !== undefined) return known;
    const path = this.path === "" ? name : `${this.path}:${name}`;
    const made = new Invocation(name, this.module.session.network, (given) =>
      this.#start(definition, path, given),
    );
    this.#invocations.set(name, made);
    return made;
  }
}

/** A process or workflow in a workflow: it can be called once, and then has `out`. */
class Invocation extends Unique {
  readonly type = "Process";
  readonly #name: string;
  readonly #network: Network;
  readonly #start: (given: readonly Value[]) => ChannelOut;
  #out: ChannelOut | undefined;

  constructor(name: string, network: Network, start: (given: readonly Value[]) => ChannelOut) {
    super();
    this.#name = name;
    this.#network = network;
    this.#start = start;
  }

  override text(): string {
    return this.#name;
  }

  override get(name: string): Value | undefined {
    if (name === "out" || name === "output")
      return (
        this.#out ??
        fail("IllegalStateException", `\`${this.#name}.out\` is used before ${this.#name} is called`)
      );
    if (name === "name") return this.#name;
    return undefined;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "getOut") return this.get("out");
    if (name !== "call" && name !== "run") {
      if (name === "or") return piped(this.invoke("call", []) ?? null, given[0] ?? null);
      if (name === "and") return new SideBySide([this, given[0] ?? null]);
      if (name === "recurse")
        return new Recursion((channels) => this.invoke("call", channels) ?? null, given, this.#network);
      return undefined;
    }
    if (this.#out !== undefined)
      fail(
        "IllegalStateException",
        `${this.#name} has been called already in this workflow: include it under another name to call it again`,
      );
    const values = name === "run" && Array.isArray(given[0]) ? given[0] : given;
    this.#out = this.#start(values);
    return this.#out;
  }
}

class SideBySide extends Unique {
  readonly type = "SideBySide";
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "and") return new SideBySide([...this.items, ...given]);
    if (name === "or") return piped(this.invoke("call", []) ?? null, given[0] ?? null);
    if (name !== "call") return undefined;
    const outs = this.items.map((each) => invoke(each, "call", given));
    return new ChannelOut(
      outs.flatMap((each) => (each instanceof ChannelOut ? each.items : [each])),
      new Map(),
    );
  }
}

/** An operator without its source: `ch | map { … }`. */
class OperatorCall extends Unique {
  readonly type = "Operator";
  readonly #name: string;
  readonly #given: readonly Value[];

  constructor(name: string, given: readonly Value[]) {
    super();
    this.#name = name;
    this.#given = given;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "and") return new SideBySide([this, ...given]);
    if (name !== "call") return undefined;
    const [source = null, ...more] = spreadOut(given);
    if (source instanceof Channel) return invoke(source, this.#name, [...more, ...this.#given]);
    return fail("IllegalArgumentException", `the operator ${this.#name} needs a channel`);
  }
}
