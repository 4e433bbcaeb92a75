/**
 * The graph of channels while it runs: work that waits to be done, one piece after the other, and tasks that are out. It
 * ends when there is neither.
 */
import { breathe } from "../../../kernel/index.ts";
import type { TimeLimit } from "../eval/time-limit.ts";
import type { Outside } from "../stdlib/outside.ts";
import type { Value } from "../values/thing.ts";
import type { ChannelNetwork, Operators } from "./channel.ts";
import { Fifo } from "./fifo.ts";

type Work = () => void;

/** Work that somebody waits for. */
interface Owed {
  readonly run: Work;
  readonly reject: (error: unknown) => void;
}

export class Network implements ChannelNetwork {
  readonly outside: Outside;
  readonly operators: Operators;
  readonly #limit: TimeLimit;
  /** Joins and other operators that refuse what they otherwise ignore. */
  strict = false;
  /** Patterns of tags that `dump` shows; empty: all. */
  dumped: readonly string[] | undefined;
  /** Sets a variable of the workflow that is being built: `set` and `tap`. */
  assign: (name: string, value: Value) => void = () => undefined;
  readonly #queue = new Fifo<Work>();
  readonly #owed = new Fifo<Owed>();
  /** Of those, the one that is being done. */
  #current: Owed | undefined;
  #out = 0;
  #wake: (() => void) | undefined;
  #failed: { readonly error: unknown } | undefined;
  #stopped = false;
  readonly #atEnd: (() => boolean)[] = [];
  readonly #ends: (() => void)[] = [];

  constructor(outside: Outside, operators: Operators, limit: TimeLimit) {
    this.#limit = limit;
    this.outside = outside;
    this.operators = operators;
  }

  /** Does it when the network runs, after what was posted before. */
  post(work: Work): void {
    this.#queue.push(work);
    this.#wake?.();
  }

  /**
   * Does it when the network runs, also where it was stopped, and answers what it answers. It shares a limit on time with
   * what else there is to do: setting one starts a thread, which takes longer than most work does.
   */
  perform<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#owed.push({ run: () => resolve(work()), reject });
      this.#wake?.();
    });
  }

  /** The channel of all items that processes send to a topic; `make` makes it where it is asked for first. */
  topic: (name: string) => Value = () => null;

  /** Counts something that is under way elsewhere and will post its result. */
  begin(): void {
    this.#out++;
  }

  finish(): void {
    this.#out--;
    this.#wake?.();
  }

  /** Asked when nothing is left: closes what waits for the end of all; true: something was done. */
  whenQuiet(work: () => boolean): void {
    this.#atEnd.push(work);
  }

  /** Called when no further work is done. */
  whenStopped(end: () => void): void {
    this.#ends.push(end);
    if (this.stopped) end();
  }

  /** The run is cancelled: what never ends fails. Tasks report that they were cancelled by themselves. */
  cancel(error: unknown): void {
    if (this.#ends.length > 0) this.fail(error);
  }

  /** Called with the first failure. */
  onFailure: (error: unknown) => void = () => undefined;

  fail(error: unknown): void {
    if (this.#failed === undefined) {
      this.#failed = { error };
      this.onFailure(error);
      for (const end of this.#ends) end();
    }
    this.#wake?.();
  }

  /** No further work is done; tasks that are out are waited for. */
  stop(): void {
    this.#stopped = true;
    for (const end of this.#ends) end();
    this.#wake?.();
  }

  get stopped(): boolean {
    return this.#stopped || this.#failed !== undefined;
  }

  /** Runs to the end. Throws the first failure, once nothing is out any more. */
  async run(): Promise<void> {
    for (;;) {
      while (this.#hasWork()) {
        try {
          this.#limit(() => this.#some());
        } catch (error) {
          if (this.#current === undefined) this.fail(error);
          else this.#current.reject(error);
        }
        this.#current = undefined;
        if (this.#hasWork()) await breathe();
      }
      if (this.#out > 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
        // What else this turn of the event loop brings shares the limit on time.
        await new Promise<void>((resolve) => setImmediate(resolve));
        continue;
      }
      if (this.#failed !== undefined) throw this.#failed.error;
      if (this.#stopped) return;
      let again = false;
      for (const work of this.#atEnd) if (this.#limit(work)) again = true;
      if (!again && this.#queue.size === 0) return;
    }
  }

  #hasWork(): boolean {
    return this.#owed.size > 0 || (this.#queue.size > 0 && !this.stopped);
  }

  /** Does what there is to do, until something else should have its turn. */
  #some(): void {
    const end = performance.now() + 20;
    do {
      this.#current = this.#owed.shift();
      if (this.#current === undefined) this.#queue.shift()?.();
      else this.#perform(this.#current);
      this.#current = undefined;
    } while (this.#hasWork() && performance.now() < end);
  }

  #perform({ run, reject }: Owed): void {
    try {
      run();
    } catch (error) {
      reject(error);
    }
  }
}
