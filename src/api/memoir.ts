/** Memoir as a library. The command line is a client of it. */
import {
  type App,
  type CatalogResult,
  type CheckResult,
  createApp,
  type DoctorResult,
  type Extensions,
  type FetchResult,
  type InfoResult,
  type InputsResult,
  type PredictionRequest,
  type RunRequest,
  type WorkflowRunResult,
  type Workflows,
} from "../app/index.ts";
import type { ReusePrediction, TimedEvent } from "../engine/index.ts";
import { AppError, type Ask, defined } from "../kernel/index.ts";
import type { PredictEvent, RunResult } from "../predict/index.ts";
import { type ActiveRun, startRun } from "./active-run.ts";
import { type PredictedRows, predictedRows } from "./predicted-rows.ts";
import { programOf, type RunOptions, requestOf, type WorkflowOptions } from "./workflow-options.ts";

export interface MemoirOptions extends Extensions {
  /** Where Memoir keeps everything. Default: `MEMOIR_HOME`, else `~/.memoir`. */
  readonly home?: string;
  /** Base of relative paths. Default: the working directory of the process. */
  readonly cwd?: string;
  /** Environment variables. Default: those of the process. Read once. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The process whose session is used where none is named. Default: the parent of this process. */
  readonly parentPid?: number;
}

/** Every function that may wait takes a signal. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** The options of a use case, with a signal in place of an Ask. */
type Use<Method> = Method extends (...given: [...infer Given, Ask]) => infer Result
  ? (...given: [...Given, options?: CallOptions]) => Result
  : Method;
type Uses<Group> = { readonly [Name in keyof Group]: Use<Group[Name]> };

export interface PredictOptions extends CallOptions {
  /** Default `compute`: look up locally, compute what is missing. */
  readonly mode?: NonNullable<PredictionRequest["mode"]>;
  /** `never` stops after the look-ups. */
  readonly computes?: "never";
  readonly match?: "exact" | "canonical";
  /** URL or folder of the local tier; default: `MEMOIR_LOCAL`, else below the home folder. */
  readonly local?: string;
  /** URI or folder of the cloud tier; default: `MEMOIR_CLOUD`, else below the home folder. */
  readonly cloud?: string;
  readonly batchSize?: number;
  readonly workers?: number;
  /** Time limit of one batch. */
  readonly timeoutMs?: number;
}

export interface Memoir extends AsyncDisposable {
  /** Runs a workflow: a file, a folder or a zip bundle with one, or an http(s) URL. */
  run(workflow: string, options?: RunOptions): ActiveRun<TimedEvent, WorkflowRunResult>;
  /** The same with a request as data; `run` creates such a request. */
  start(request: RunRequest, options?: CallOptions): ActiveRun<TimedEvent, WorkflowRunResult>;
  /** Reports what a run would reuse and compute, and why; runs nothing. */
  dryRun(workflow: string | RunRequest, options?: RunOptions): Promise<ReusePrediction>;
  /** Reports errors in a workflow, and in inputs for it. */
  check(workflow: string, options?: WorkflowOptions & { readonly inputs?: string }): Promise<CheckResult>;
  /** Returns the parameters of a workflow, and a template to fill in. */
  inputs(workflow: string, options?: WorkflowOptions & { readonly all?: boolean }): Promise<InputsResult>;
  /** Predicts for inputs one after the other, in their order; stored results are looked up. */
  predict(
    model: string,
    inputs: AsyncIterable<string> | Iterable<string>,
    options?: PredictOptions,
  ): PredictedRows;
  /** Predicts from file to file; an interrupted run resumes. */
  predictFile(request: PredictionRequest, options?: CallOptions): ActiveRun<PredictEvent, RunResult>;
  readonly runs: Uses<Workflows["runs"]>;
  readonly caches: Uses<Workflows["caches"]>;
  readonly models: {
    list(options?: CallOptions): Promise<CatalogResult>;
    info(model: string, options?: CallOptions): Promise<InfoResult>;
    fetch(request: Parameters<App["fetch"]>[0], options?: CallOptions): Promise<FetchResult>;
  };
  /** What is installed and reachable on this machine; the tiers and executors that the program brings included. */
  doctor(options?: CallOptions): Promise<DoctorResult>;
  /** Cancels everything in progress, and waits until it has ended. `await using` calls it. */
  close(): Promise<void>;
}

/** Reads the environment; opens and starts nothing. */
export async function openMemoir(options: MemoirOptions = {}): Promise<Memoir> {
  const { home, cwd = process.cwd(), env = process.env, parentPid = process.ppid, ...extensions } = options;
  const where = home === undefined ? env : { ...env, MEMOIR_HOME: home };
  return new OpenMemoir(createApp({ env: where, cwd, parentPid, extensions }));
}

class OpenMemoir implements Memoir {
  readonly #app: App;
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly runs: Memoir["runs"];
  readonly caches: Memoir["caches"];
  readonly models: Memoir["models"];

  constructor(app: App) {
    this.#app = app;
    const { runs, caches } = app.workflows;
    this.runs = {
      list: (options, given) => runs.list(options, this.#ask(given)),
      show: (options, given) => runs.show(options, this.#ask(given)),
      logs: (options, given) => runs.logs(options, this.#ask(given)),
      outputs: (options, given) => runs.outputs(options, this.#ask(given)),
      cancel: (options, given) => runs.cancel(options, this.#ask(given)),
      delete: (options, given) => runs.delete(options, this.#ask(given)),
      diff: (options, given) => runs.diff(options, this.#ask(given)),
      export: (options, given) => runs.export(options, this.#ask(given)),
    };
    this.caches = {
      list: (given) => caches.list(this.#ask(given)),
      update: (options, given) => caches.update(options, this.#ask(given)),
      create: (options, given) => caches.create(options, this.#ask(given)),
      show: (cache, given) => caches.show(cache, this.#ask(given)),
      delete: (options, given) => caches.delete(options, this.#ask(given)),
      entries: (options, given) => caches.entries(options, this.#ask(given)),
      du: (cache, given) => caches.du(cache, this.#ask(given)),
      prune: (options, given) => caches.prune(options, this.#ask(given)),
      pin: (options, given) => caches.pin(options, this.#ask(given)),
      invalidate: (options, given) => caches.invalidate(options, this.#ask(given)),
      verify: (cache, given) => caches.verify(cache, this.#ask(given)),
      rechecks: (options, given) => caches.rechecks(options, this.#ask(given)),
      explain: (options, given) => caches.explain(options, this.#ask(given)),
    };
    this.models = {
      list: (given) => app.catalog({}, this.#ask(given)),
      info: (model, given) => app.info({ model }, this.#ask(given)),
      fetch: (request, given) => app.fetch(request, this.#ask(given)),
    };
  }

  run(workflow: string, options: RunOptions = {}) {
    return this.start(requestOf(workflow, options), options);
  }

  start(request: RunRequest, options?: CallOptions) {
    const { workflows } = this.#app;
    return this.#started<TimedEvent, WorkflowRunResult>(
      async (onEvent, ask) => workflows.run(await workflows.order(request, ask), { onEvent }, ask),
      options,
    );
  }

  async dryRun(workflow: string | RunRequest, options: RunOptions = {}) {
    const { workflows } = this.#app;
    const request = typeof workflow === "string" ? requestOf(workflow, options) : workflow;
    const ask = this.#ask(options);
    return workflows.dryRun(await workflows.order(request, ask), ask);
  }

  async check(workflow: string, options: WorkflowOptions & { readonly inputs?: string } = {}) {
    const { inputs } = options;
    const asked = { ...programOf(workflow, options), ...defined({ inputs }) };
    return this.#app.workflows.check(asked, this.#ask(options));
  }

  async inputs(workflow: string, options: WorkflowOptions & { readonly all?: boolean } = {}) {
    const asked = { ...programOf(workflow, options), all: options.all === true } as const;
    return this.#app.workflows.inputs(asked, this.#ask(options));
  }

  predict(model: string, inputs: AsyncIterable<string> | Iterable<string>, options: PredictOptions = {}) {
    const { signal, ...settings } = options;
    const names = { input: "the given inputs", output: "the rows" };
    const request = { ...settings, ...names, model, inputs, statusColumn: "without" } as const;
    return predictedRows(
      (rows, emit, ask) => this.#tracked(this.#app.run({ ...request, rows }, emit, ask)),
      this.#ask(signal === undefined ? {} : { signal }).signal,
    );
  }

  predictFile(request: PredictionRequest, options?: CallOptions) {
    return this.#started<PredictEvent, RunResult>((emit, ask) => this.#app.run(request, emit, ask), options);
  }

  doctor(options?: CallOptions) {
    return this.#app.doctor({}, this.#ask(options));
  }

  async close(): Promise<void> {
    this.#closing.abort(new AppError("RUN_INTERRUPTED", "Memoir was closed"));
    await Promise.allSettled([...this.#underWay]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #started<Event, Result>(
    work: (emit: (event: Event) => void, ask: Ask) => Promise<Result>,
    options: CallOptions | undefined,
  ): ActiveRun<Event, Result> {
    const run = startRun(work, this.#ask(options).signal);
    this.#tracked(run.result);
    return run;
  }

  #tracked<T>(work: Promise<T>): Promise<T> {
    const settled: Promise<void> = work.then(
      () => {},
      () => {},
    );
    this.#underWay.add(settled);
    settled.then(() => this.#underWay.delete(settled));
    return work;
  }

  #ask({ signal }: CallOptions = {}): Ask {
    const closing = this.#closing.signal;
    return { signal: signal === undefined ? closing : AbortSignal.any([signal, closing]) };
  }
}
