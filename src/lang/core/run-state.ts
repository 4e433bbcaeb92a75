/** What all parts of one run share: the host, what has failed, and whether anything new may be started. */
import { type Ask, type Diagnostic, isAppError, Semaphore } from "../../kernel/index.ts";
import type { TaskFailure } from "../../task/index.ts";
import type { RunFailure } from "./front-end.ts";
import type { Host } from "./host.ts";

/** Calls that are prepared or with the engine at the same time: bounds memory, not parallelism. */
const mostCalls = 2000;

export abstract class RunState {
  readonly host: Host;
  /** The caller's, ended also when the run broke. */
  readonly ask: Ask;
  readonly calls = new Semaphore(mostCalls);
  readonly failures: RunFailure[] = [];
  readonly #controller = new AbortController();
  readonly #unfollow: () => void;
  #stopped = false;
  #cancelled = false;
  #broken: { readonly error: unknown } | undefined;

  constructor(host: Host, ask: Ask) {
    this.host = host;
    const follow = () => this.#controller.abort(ask.signal.reason);
    if (ask.signal.aborted) follow();
    else ask.signal.addEventListener("abort", follow, { once: true });
    this.#unfollow = () => ask.signal.removeEventListener("abort", follow);
    this.ask = { ...ask, signal: this.#controller.signal };
  }

  /** The diagnostic of what was thrown, if the user's document is wrong. */
  protected abstract diagnosticOf(error: unknown): Diagnostic | undefined;

  /** Lets go of the caller's Ask, which may outlive the run. */
  close(): void {
    this.#unfollow();
  }

  /** Nothing new is started any more. */
  get stopped(): boolean {
    return this.#stopped || this.ask.signal.aborted;
  }

  get cancelled(): boolean {
    return this.#cancelled || this.ask.signal.aborted;
  }

  taskFailed(path: string, failure: TaskFailure): void {
    this.#fail({ kind: "task", path, failure });
  }

  callCancelled(): void {
    this.#cancelled = true;
    this.#stopped = true;
  }

  /** Sorts what was thrown: the user's document failed, or we did, and then the run ends at once. */
  threw(error: unknown): void {
    const diagnostic = this.diagnosticOf(error);
    if (diagnostic !== undefined) this.#fail({ kind: "evaluation", diagnostic });
    else if (isAppError(error, "RUN_INTERRUPTED")) this.callCancelled();
    else {
      this.#broken ??= { error };
      this.#stopped = true;
      this.#controller.abort(error);
    }
  }

  /** Throws what broke the run, if anything did. */
  rethrow(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  protected stop(): void {
    this.#stopped = true;
  }

  #fail(failure: RunFailure): void {
    this.failures.push(failure);
    if (this.host.failure === "fast") this.#stopped = true;
  }
}
