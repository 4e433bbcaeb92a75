/** Functions and closures as values. */
import { type Callable, Unique, type Value } from "./thing.ts";

/** Where names of a closure are looked for that it does not declare. */
export interface Delegate {
  /** undefined: it has none of this name. */
  lookup(name: string): Value | undefined;
  assign(name: string, value: Value): boolean;
  /** A function or method of this name; undefined: none. */
  method(name: string, given: readonly Value[]): Value | undefined;
}

export type Strategy = "owner first" | "delegate first" | "delegate only";

export abstract class Closure extends Unique implements Callable {
  readonly type = "Closure";
  override readonly kinds = ["Function", "Runnable", "groovy.lang.Closure"];
  delegate: Delegate | undefined;
  strategy: Strategy = "owner first";

  /** How many values it takes; of an implicit `it` 1. */
  abstract readonly arity: number;
  /** Names of its parameters where they are written. */
  abstract readonly parameterNames: readonly string[];

  abstract call(given: readonly Value[]): Value;

  /** The same code with another delegate. */
  abstract bound(delegate: Delegate, strategy: Strategy): Closure;

  /** `f >> g` calls `f` first, `f << g` calls `g` first. */
  override invoke(name: string, [other = null]: readonly Value[]): Value | undefined {
    if ((name !== "leftShift" && name !== "rightShift") || !(other instanceof Closure)) return undefined;
    const [first, second] = name === "rightShift" ? [this, other] : [other, this];
    return new NativeClosure(first.arity, (...values) => second.call([first.call(values)]));
  }
}

/** Written in TypeScript. */
export class NativeClosure extends Closure {
  readonly arity: number;
  readonly parameterNames: readonly string[] = [];
  readonly #run: (...given: readonly Value[]) => Value;

  constructor(arity: number, run: (...given: readonly Value[]) => Value) {
    super();
    this.arity = arity;
    this.#run = run;
  }

  call(given: readonly Value[]): Value {
    return this.#run(...given);
  }

  bound(): Closure {
    return this;
  }
}
