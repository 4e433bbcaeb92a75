/**
 * A JavaScript engine in a worker thread. Jobs of one turn travel as one message. A job that takes too long or too much
 * memory ends the worker: that job answers a fault, the others are asked again in a new worker.
 */
import { setMaxListeners } from "node:events";
import { Worker } from "node:worker_threads";
import { type Ask, checkAsk } from "../../../kernel/index.ts";
import type { JsAnswer, JsEngine, JsJob, JsLimits } from "./js-engine.ts";

export interface WorkerProgram {
  /** CommonJS text of the worker. */
  readonly source: string;
  /** Given to it beside `progress`. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly limits: JsLimits;
}

interface Waiting {
  readonly job: JsJob;
  readonly answer: (answer: JsAnswer) => void;
}

export function createWorkerEngine(program: WorkerProgram): JsEngine {
  const engine = new WorkerEngine(program);
  return { run: (job, ask) => engine.run(job, ask), close: () => engine.close() };
}

class WorkerEngine {
  readonly #program: WorkerProgram;
  readonly #progress = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | undefined;
  readonly #asking = new Map<AbortSignal, { readonly all: Set<Waiting>; readonly onAbort: () => void }>();
  #queue: Waiting[] = [];
  #sent: Waiting[] = [];
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #seen = notBegun;
  /** Batches that this worker has answered. */
  #served = 0;
  #closed = false;

  constructor(program: WorkerProgram) {
    this.#program = program;
  }

  async run(job: JsJob, ask: Ask): Promise<JsAnswer> {
    checkAsk(ask, "evaluating an expression");
    if (this.#closed) return closedAnswer;
    const answer = await new Promise<JsAnswer>((resolve) => {
      const waiting: Waiting = {
        job,
        answer: (each) => {
          this.#leave(ask.signal, waiting);
          resolve(each);
        },
      };
      this.#enter(ask.signal, waiting);
      this.#queue.push(waiting);
      this.#schedule();
    });
    checkAsk(ask, "evaluating an expression");
    return answer;
  }

  /** One listener for all that wait with one signal: signals search their listeners one by one. */
  #enter(signal: AbortSignal, waiting: Waiting): void {
    const known = this.#asking.get(signal);
    if (known !== undefined) {
      known.all.add(waiting);
      return;
    }
    const all = new Set([waiting]);
    // An ask that ends does not stop the worker, which serves others, too; only the waiting ends.
    const onAbort = () => {
      for (const each of [...all]) each.answer(closedAnswer);
    };
    this.#asking.set(signal, { all, onAbort });
    setMaxListeners(0, signal); // many evaluators share one Ask
    signal.addEventListener("abort", onAbort, { once: true });
  }

  #leave(signal: AbortSignal, waiting: Waiting): void {
    const known = this.#asking.get(signal);
    known?.all.delete(waiting);
    if (known === undefined || known.all.size > 0) return;
    this.#asking.delete(signal);
    signal.removeEventListener("abort", known.onAbort);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    clearTimeout(this.#timer);
    for (const each of [...this.#sent, ...this.#queue]) each.answer(closedAnswer);
    this.#sent = [];
    this.#queue = [];
    await worker?.terminate();
  }

  #schedule(): void {
    if (this.#scheduled || this.#sent.length > 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#closed || this.#sent.length > 0 || this.#queue.length === 0) return;
    const worker = this.#worker ?? this.#start();
    this.#sent = this.#queue;
    this.#queue = [];
    Atomics.store(this.#progress, 0, notBegun);
    this.#seen = notBegun;
    const libraries = new Table<readonly string[]>((each) => each.join("\u0000"));
    const inputs = new Table<string>((each) => each);
    const jobs = this.#sent.map(({ job }) => ({
      form: job.form,
      code: job.code,
      self: job.self,
      runtime: job.runtime,
      library: libraries.placeOf(job.expressionLib),
      inputs: inputs.placeOf(job.inputs),
    }));
    worker.ref();
    worker.postMessage({ jobs, libraries: libraries.items, inputs: inputs.items });
    this.#watch();
  }

  /** Fires when one job takes its whole time; a batch that goes on is watched further. */
  #watch(): void {
    this.#timer = setTimeout(() => {
      const at = Atomics.load(this.#progress, 0);
      if (at !== this.#seen) {
        this.#seen = at;
        this.#watch();
        return;
      }
      const { timeMs } = this.#program.limits;
      this.#giveUp({ kind: "fault", code: "time", message: `it did not end within ${timeMs} ms` });
    }, this.#program.limits.timeMs);
  }

  #start(): Worker {
    const { heapMiB } = this.#program.limits;
    const worker = new Worker(this.#program.source, {
      eval: true,
      workerData: { ...this.#program.data, progress: this.#progress.buffer },
      resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
      env: {},
      execArgv: [],
      stdin: false,
      stdout: true,
      stderr: true,
    });
    worker.on("message", (replies: readonly string[]) => this.#answered(replies));
    worker.on("error", (error: Error & { code?: string }) => {
      if (worker !== this.#worker) return;
      const memory = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      this.#giveUp({
        kind: "fault",
        code: memory ? "memory" : "exception",
        message: memory
          ? `it needs more than ${heapMiB} MiB of memory`
          : `the engine ended: ${error.message}`,
      });
    });
    this.#worker = worker;
    this.#served = 0;
    return worker;
  }

  #answered(replies: readonly string[]): void {
    clearTimeout(this.#timer);
    this.#served++;
    const sent = this.#sent;
    this.#sent = [];
    this.#worker?.unref();
    for (const [index, waiting] of sent.entries()) waiting.answer(answerOf(replies[index] ?? "eno answer"));
    if (this.#queue.length > 0) this.#schedule();
  }

  /**
   * The job that the worker is at gets the answer; everything else is asked again. A worker that did not begin is still
   * busy with what an earlier job left running, or cannot start at all.
   */
  #giveUp(answer: JsAnswer): void {
    clearTimeout(this.#timer);
    const at = Atomics.load(this.#progress, 0);
    const sent = this.#sent;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#sent = [];
    const blamed = at === notBegun && this.#served === 0 ? sent : sent.filter((_, index) => index === at);
    this.#queue = [...sent.filter((each) => !blamed.includes(each)), ...this.#queue];
    void worker?.terminate();
    for (const each of blamed) each.answer(answer);
    if (this.#queue.length > 0) this.#schedule();
  }
}

/** Things that many jobs have in common, each once. */
class Table<T> {
  readonly items: T[] = [];
  readonly #places = new Map<string, number>();
  readonly #keyOf: (item: T) => string;

  constructor(keyOf: (item: T) => string) {
    this.#keyOf = keyOf;
  }

  placeOf(item: T): number {
    const key = this.#keyOf(item);
    const known = this.#places.get(key) ?? this.items.push(item) - 1;
    this.#places.set(key, known);
    return known;
  }
}

const notBegun = -1;

const closedAnswer: JsAnswer = { kind: "fault", code: "closed", message: "the engine was closed" };

/** See `prelude` for the letters. */
function answerOf(reply: string): JsAnswer {
  const rest = reply.slice(1);
  switch (reply[0]) {
    case "v":
      return { kind: "json", json: rest };
    case "i": {
      const end = rest.indexOf("\n");
      return { kind: "json", json: rest.slice(end + 1), impure: rest.slice(0, end) };
    }
    case "s":
      return { kind: "fault", code: "syntax", message: rest };
    case "l":
      return { kind: "fault", code: "syntax", message: `expressionLib: ${rest}` };
    case "t":
      return { kind: "fault", code: "time", message: `it did not end in time (${rest})` };
    case "m":
      return { kind: "fault", code: "memory", message: `it needs too much memory (${rest})` };
    default:
      return { kind: "fault", code: "exception", message: rest };
  }
}
