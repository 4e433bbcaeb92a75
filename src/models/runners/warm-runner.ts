/**
 * Runs a model whose package offers a worker: a program that loads the model once and then answers batch after batch,
 * one JSON object in a line for each (docs/models.md describes the protocol). A worker that ends, that does not keep to
 * the protocol or that takes too long is started again for the next batch.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError, type Ask, checkAsk } from "../../kernel/index.ts";
import { type Conversation, startConversation } from "../../process/index.ts";
import type { Prediction } from "../../task/index.ts";
import { checkRowCount, placesOf, predictionOf } from "../answer-table.ts";
import type { Runner } from "../model.ts";
import { checkLfsPointers } from "../package/lfs-pointers.ts";
import { parseLenientJson } from "./lenient-json.ts";
import { cachesIn, lastLines, withPython } from "./script-environment.ts";
import type { ScriptRunnerOptions } from "./script-runner.ts";
import { inParallel } from "./split.ts";

/** Not `.sh`: ersilia-pack takes every such file for a way to run the model. */
const workerFile = join("model", "framework", "worker.bash");
const protocol = "memoir-lines";
const smallestPart = 250;
const mostLineBytes = 256 << 20;

export function hasWorker(folder: string): boolean {
  return existsSync(join(folder, workerFile));
}

interface Ready {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

export class WarmRunner implements Runner {
  readonly kind = "worker";
  readonly toolkit = undefined;
  readonly #options: ScriptRunnerOptions;
  /** Workers that wait for a batch. */
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  #opening: Promise<Ready> | undefined;

  constructor(options: ScriptRunnerOptions) {
    this.#options = options;
  }

  async open(ask: Ask): Promise<void> {
    await this.#ready(ask);
  }

  async predict(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]> {
    const { workers = 1 } = this.#options;
    return inParallel({ inputs, workers, smallestPart }, (part) => this.#predict(part, ask));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.close()));
    const ready = await this.#opening?.catch(() => undefined);
    this.#opening = undefined;
    if (ready !== undefined) await rm(ready.folder, { recursive: true, force: true });
  }

  async #ready(ask: Ask): Promise<Ready> {
    this.#opening ??= this.#open(ask);
    try {
      return await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  async #open(ask: Ask): Promise<Ready> {
    const { model, folder, env, tempDir, guard } = this.#options;
    await checkLfsPointers(folder, ask);
    await guard?.open(ask);
    const own = await mkdtemp(join(tempDir ?? tmpdir(), `memoir-model-${model.id}-`));
    return { folder: own, env: await withPython(env, own) };
  }

  async #predict(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]> {
    const ready = await this.#ready(ask);
    const worker = this.#idle.pop() ?? (await this.#start(ready));
    try {
      return this.#predictions(inputs, await worker.ask(inputs, ask));
    } finally {
      // One that was interrupted may still answer what nobody waits for any more.
      if (worker.isFit) this.#idle.push(worker);
      else {
        this.#all.delete(worker);
        await worker.close();
      }
    }
  }

  async #start({ folder, env }: Ready): Promise<Worker> {
    const { guard, model, timeoutMs } = this.#options;
    const cwd = await mkdtemp(join(folder, "worker-"));
    const framework = join(this.#options.folder, "model", "framework");
    const program = {
      command: "bash",
      args: [join(this.#options.folder, workerFile), framework],
      writable: cwd,
      own: this.#options.folder,
      visible: [folder],
    };
    const { command, args } = guard?.wrap(program) ?? program;
    const caches = guard?.isOn === true ? cachesIn(cwd) : {};
    const worker = new Worker({ modelId: model.id, timeoutMs });
    const request = { command, args, cwd, env: { ...caches, ...env, TMPDIR: cwd } };
    await worker.start(request);
    this.#all.add(worker);
    return worker;
  }

  #predictions(inputs: readonly string[], { columns, rows }: Answer): readonly Prediction[] {
    const { model } = this.#options;
    const from = `the answer of the worker of model ${model.id}`;
    const places = placesOf(model.columns, columns, from);
    checkRowCount(inputs.length, rows.length, from);
    return rows.map((row): Prediction => {
      if (row === null) return { kind: "failed", reason: "the model gave no row for this input" };
      if (row.length !== columns.length)
        throw new AppError(
          "MODEL_OUTPUT_MISMATCH",
          `reading ${from}: a row has ${row.length} values for ${columns.length} columns`,
        );
      return predictionOf(
        model.columns,
        places.map((place) => row[place]),
      );
    });
  }
}

interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[] | null)[];
}

type Reply =
  | { readonly kind: "hello" }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer }
  | { readonly kind: "error"; readonly id: number; readonly words: string }
  | { readonly kind: "other"; readonly line: string };

/** One process, which is asked one thing at a time. */
class Worker {
  readonly #options: { readonly modelId: string; readonly timeoutMs: number };
  #talk: Conversation | undefined;
  #reply: (reply: Reply | { readonly kind: "ended"; readonly words: string }) => void = () => {};
  #end: string | undefined;
  #said = "";
  #last = 0;
  #hasGreeted = false;
  /** Whether it answered the last request, with rows or with an error, and lives. */
  isFit = false;

  constructor(options: { readonly modelId: string; readonly timeoutMs: number }) {
    this.#options = options;
  }

  async start(request: {
    readonly command: string;
    readonly args: readonly string[];
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
  }): Promise<void> {
    this.#talk = await startConversation({
      ...request,
      mostLineBytes,
      onLine: (line) => {
        const reply = parseReply(line);
        if (reply.kind === "hello") this.#hasGreeted = true;
        // Libraries print on standard output, too.
        if (reply.kind === "other") this.#said = `${this.#said}${line}\n`.slice(-4096);
        else this.#reply(reply);
      },
      onEnd: ({ how, errors }) => {
        const words = lastLines(errors) || lastLines(this.#said);
        this.isFit = false;
        this.#end = `${how}${words === "" ? "" : `; it said: ${words}`}`;
        this.#reply({ kind: "ended", words: this.#end });
      },
    });
  }

  async ask(inputs: readonly string[], ask: Ask): Promise<Answer> {
    const doing = `asking the worker of model ${this.#options.modelId} for ${inputs.length} ${inputs.length === 1 ? "input" : "inputs"}`;
    const until = Date.now() + this.#options.timeoutMs;
    this.isFit = false;
    if (!this.#hasGreeted && (await this.#next({ until, doing }, ask)).kind !== "hello")
      throw new AppError("MODEL_RUN_FAILED", `${doing}: it answered before it said that it is ready`);
    const id = ++this.#last;
    const reply = this.#next({ until, doing }, ask);
    reply.catch(() => undefined);
    await this.#talk?.say(JSON.stringify({ id, inputs }));
    const said = await reply;
    if (said.kind !== "hello" && said.id !== id)
      throw new AppError("MODEL_OUTPUT_MISMATCH", `${doing}: it answered request ${said.id}, not ${id}`);
    this.isFit = said.kind !== "hello";
    switch (said.kind) {
      case "answer":
        return said.answer;
      case "error":
        throw new AppError("MODEL_RUN_FAILED", `${doing}: ${said.words}`);
      default:
        throw new AppError("MODEL_OUTPUT_MISMATCH", `${doing}: it greeted instead of answering`);
    }
  }

  async close(): Promise<void> {
    await this.#talk?.close();
  }

  #next(
    { until, doing }: { readonly until: number; readonly doing: string },
    ask: Ask,
  ): Promise<Exclude<Reply, { kind: "other" }>> {
    if (this.#end !== undefined)
      return Promise.reject(new AppError("MODEL_RUN_FAILED", `${doing}: it ended: ${this.#end}`));
    return new Promise((resolve, reject) => {
      const over = () => {
        clearTimeout(timer);
        ask.signal.removeEventListener("abort", stop);
        this.#reply = () => {};
      };
      const fail = (error: unknown) => {
        over();
        reject(error);
      };
      const stop = () => {
        try {
          checkAsk(ask, doing);
        } catch (error) {
          fail(error);
        }
      };
      const timer = setTimeout(
        () =>
          fail(new AppError("MODEL_RUN_TIMEOUT", `${doing}: no answer within ${this.#options.timeoutMs} ms`)),
        Math.max(0, until - Date.now()),
      );
      ask.signal.addEventListener("abort", stop, { once: true });
      this.#reply = (reply) => {
        if (reply.kind === "other") return;
        if (reply.kind === "ended")
          return fail(new AppError("MODEL_RUN_FAILED", `${doing}: it ended: ${reply.words}`));
        over();
        resolve(reply);
      };
      stop();
    });
  }
}

/** Pure. A line that is not of the protocol is `other`. */
function parseReply(line: string): Reply {
  const other = { kind: "other", line } as const;
  if (!line.startsWith("{")) return other;
  let value: unknown;
  try {
    value = parseLenientJson(line);
  } catch {
    return other;
  }
  const { protocol: name, version, id, error, columns, rows } = value as Readonly<Record<string, unknown>>;
  if (name === protocol && version === 1) return { kind: "hello" };
  if (typeof id !== "number") return other;
  if (typeof error === "string") return { kind: "error", id, words: error };
  const isTable =
    Array.isArray(columns) &&
    columns.every((column) => typeof column === "string") &&
    Array.isArray(rows) &&
    rows.every((row) => row === null || Array.isArray(row));
  return isTable ? { kind: "answer", id, answer: { columns, rows } } : other;
}
