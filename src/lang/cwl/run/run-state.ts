/** What all parts of one run share: the host, the evaluator, what has failed, and whether anything new may be started. */
import { type Ask, isAppError, Semaphore } from "../../../kernel/index.ts";
import type { TaskFailure } from "../../../task/index.ts";
import type { Host, RunFailure, ValueLimits } from "../../core/index.ts";
import type { Evaluator } from "../expr/evaluator.ts";
import type { CwlDocument } from "../model/document.ts";
import { CwlFailure } from "../plan/failure.ts";
import type { Files } from "../values/files.ts";

/** Calls that are prepared or with the engine at the same time: bounds memory, not parallelism. */
const mostCalls = 2000;

const usualLimits = { items: 10_000_000 };

export class CwlRunState {
  readonly host: Host;
  readonly ask: Ask;
  readonly evaluator: Evaluator;
  readonly document: CwlDocument;
  readonly files: Files;
  readonly limits: Pick<ValueLimits, "items">;
  readonly calls = new Semaphore(mostCalls);
  readonly failures: RunFailure[] = [];
  /** What tools changed in place: location before -> location now. */
  readonly updates = new Map<string, string>();
  readonly #controller = new AbortController();
  #stopped = false;
  #cancelled = false;
  #broken: { readonly error: unknown } | undefined;

  constructor(parts: {
    readonly host: Host;
    readonly ask: Ask;
    readonly evaluator: Evaluator;
    readonly document: CwlDocument;
    readonly files: Files;
    readonly limits?: ValueLimits | undefined;
  }) {
    this.limits = parts.limits ?? usualLimits;
    const { host, ask, evaluator, document, files } = parts;
    this.host = host;
    this.evaluator = evaluator;
    this.document = document;
    this.files = files;
    if (ask.signal.aborted) this.#controller.abort(ask.signal.reason);
    ask.signal.addEventListener("abort", () => this.#controller.abort(ask.signal.reason), {
      once: true,
      signal: this.#controller.signal,
    });
    this.ask = { ...ask, signal: this.#controller.signal };
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
    if (error instanceof CwlFailure) this.#fail({ kind: "evaluation", diagnostic: error.diagnostic });
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

  #fail(failure: RunFailure): void {
    this.failures.push(failure);
    if (this.host.failure === "fast") this.#stopped = true;
  }
}
