/**
 * The chemistry toolkit in worker threads: the main thread stays free for signals and progress, a molecule that makes
 * the toolkit hang or crash costs one thread and one row, and large batches use several cores.
 */
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { AppError, type Ask, checkAsk, messageOf } from "../../kernel/index.ts";
import { descriptorTable } from "./descriptor-table.ts";
import { toolkitWorkerText } from "./toolkit-worker.ts";

export type ToolkitTask = "molecular-weight" | "descriptors" | "canonical" | "drawing" | "fingerprint";

export type ToolkitAnswer =
  | { readonly kind: "numbers"; readonly numbers: readonly (number | null)[] }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "failed"; readonly reason: string };

export interface ToolkitPoolOptions {
  /** Most threads at the same time. */
  readonly threads: number;
  /** Milliseconds one job of at most 64 molecules may take; then its molecules are tried one by one. Default 30000. */
  readonly jobTimeoutMs?: number;
}

const jobSize = 64;
/** Starting a thread costs as much as computing some hundred molecules. */
const inputsPerThread = 1_000;
const defaultJobTimeoutMs = 30_000;

export class ToolkitPool {
  readonly #threads: number;
  readonly #jobTimeoutMs: number;
  readonly #idle: Thread[] = [];
  #version: string | undefined;

  constructor(options: ToolkitPoolOptions) {
    this.#threads = Math.max(1, options.threads);
    this.#jobTimeoutMs = options.jobTimeoutMs ?? defaultJobTimeoutMs;
  }

  /** `rdkit-wasm 2026.09.1`; undefined before `open`. */
  get toolkit(): string | undefined {
    return this.#version === undefined ? undefined : `rdkit-wasm ${this.#version}`;
  }

  /** Starts the first thread. Throws MODEL_TOOLKIT_FAILED when the toolkit cannot be loaded. */
  async open(ask: Ask): Promise<void> {
    if (this.#version !== undefined) return;
    this.#idle.push(await this.#start(ask));
  }

  /** One answer per input, in the inputs' order. */
  async run(task: ToolkitTask, inputs: readonly string[], ask: Ask): Promise<readonly ToolkitAnswer[]> {
    const answers = new Array<ToolkitAnswer>(inputs.length);
    const starts: number[] = [];
    for (let start = 0; start < inputs.length; start += jobSize) starts.push(start);
    const lanes = Math.min(this.#threads, Math.max(1, Math.floor(inputs.length / inputsPerThread)));
    let next = 0;
    const lane = async () => {
      for (let start = starts[next++]; start !== undefined; start = starts[next++]) {
        const part = await this.#job(task, inputs.slice(start, start + jobSize), ask);
        for (const [i, answer] of part.entries()) answers[start + i] = answer;
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return answers;
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((thread) => thread.end()));
  }

  async #job(task: ToolkitTask, inputs: readonly string[], ask: Ask): Promise<readonly ToolkitAnswer[]> {
    const reply = await this.#send(task, inputs, ask);
    if (reply.kind === "answers") return reply.answers;
    if (inputs.length === 1)
      return [{ kind: "failed", reason: `the built-in toolkit gave no answer: ${reply.why}` }];
    const single: ToolkitAnswer[] = [];
    for (const input of inputs) single.push(...(await this.#job(task, [input], ask)));
    return single;
  }

  async #send(task: ToolkitTask, inputs: readonly string[], ask: Ask): Promise<Reply> {
    checkAsk(ask, "computing descriptors");
    const thread = this.#idle.pop() ?? (await this.#start(ask));
    const reply = await thread.ask({ task, inputs, timeoutMs: this.#jobTimeoutMs }, ask);
    if (reply.kind === "answers") this.#idle.push(thread);
    else await thread.end();
    checkAsk(ask, "computing descriptors");
    return reply;
  }

  async #start(ask: Ask): Promise<Thread> {
    const thread = new Thread();
    try {
      this.#version = await thread.ready(ask);
      return thread;
    } catch (error) {
      await thread.end();
      checkAsk(ask, "loading the chemistry toolkit");
      throw new AppError("MODEL_TOOLKIT_FAILED", `loading @rdkit/rdkit: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

type Reply =
  | { readonly kind: "answers"; readonly answers: readonly ToolkitAnswer[] }
  | { readonly kind: "lost"; readonly why: string };

type Message = { readonly ready: string } | { readonly answers: readonly ToolkitAnswer[] };

/** One worker thread, used by one job at a time. It keeps the process alive only while something waits for it. */
class Thread {
  readonly #worker: Worker;

  constructor() {
    const toolkitPath = createRequire(import.meta.url).resolve("@rdkit/rdkit");
    this.#worker = new Worker(toolkitWorkerText, {
      eval: true,
      name: "memoir-toolkit",
      env: {},
      workerData: { toolkitPath, descriptorKeys: descriptorTable.map((row) => row.key) },
    });
    this.#worker.on("error", () => {}); // reported to the caller, see #message
    this.#worker.unref();
  }

  async ready(ask: Ask): Promise<string> {
    const message = await this.#message(ask, 60_000);
    if (typeof message === "string") throw new Error(message);
    return "ready" in message ? message.ready : "";
  }

  async ask(
    job: { readonly task: ToolkitTask; readonly inputs: readonly string[]; readonly timeoutMs: number },
    ask: Ask,
  ): Promise<Reply> {
    const answered = this.#message(ask, job.timeoutMs);
    this.#worker.postMessage({ task: job.task, inputs: job.inputs });
    const message = await answered;
    if (typeof message === "string") return { kind: "lost", why: message };
    return { kind: "answers", answers: "answers" in message ? message.answers : [] };
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  /** The next message, or the words that say why there will be none. */
  #message(ask: Ask, timeoutMs: number): Promise<Message | string> {
    const worker = this.#worker;
    worker.ref();
    return new Promise((resolve) => {
      const finish = (result: Message | string) => {
        clearTimeout(timer);
        worker.off("message", finish).off("error", onError).off("exit", onExit);
        ask.signal.removeEventListener("abort", onAbort);
        worker.unref();
        resolve(result);
      };
      const onError = (error: Error) => finish(messageOf(error));
      const onExit = () => finish("its thread ended");
      const onAbort = () => finish("interrupted");
      const timer = setTimeout(() => finish(`nothing within ${timeoutMs} ms`), timeoutMs);
      worker.once("message", finish).once("error", onError).once("exit", onExit);
      ask.signal.addEventListener("abort", onAbort, { once: true });
      if (ask.signal.aborted) onAbort();
    });
  }
}
