/**
 * Predictions of files that were uploaded: one at a time, each in a separate folder with its input, its record and its
 * result. A job does not outlive its server; rows that it computed are in the caches, so that asking again is quick.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../../files/index.ts";
import { AppError, type Ask, checkAsk, isAppError, messageOf, pause, Semaphore } from "../../kernel/index.ts";
import type { RunCounts } from "../../predict/index.ts";
import type { Environment } from "../environment.ts";
import { writeOwn } from "../page/page-file.ts";
import { createSessions } from "../sessions.ts";

export interface PredictionJob {
  readonly id: string;
  readonly model: string;
  /** Of the file, as the caller named it. */
  readonly name: string;
  readonly state: "waiting" | "running" | "succeeded" | "failed" | "cancelled";
  readonly createdAt: string;
  readonly endedAt?: string;
  readonly reused: number;
  readonly computed: number;
  readonly failed: number;
  /** About how much of the input is answered, 0 to 1. */
  readonly share?: number;
  readonly warnings: readonly string[];
  /** Why it failed. */
  readonly code?: string;
  readonly message?: string;
}

const keptJobs = 100;
const idPattern = /^[0-9a-f]{32}$/;
const lookAgainMs = 200;

export class PredictionJobs {
  readonly #environment: Environment;
  readonly #folder: string;
  readonly #jobs = new Map<string, PredictionJob>();
  readonly #stops = new Map<string, AbortController>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #turns = new Semaphore(1);
  #loading: Promise<void> | undefined;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#folder = join(environment.home, "server", "predictions");
  }

  /** Newest first. */
  async list(model: string): Promise<readonly PredictionJob[]> {
    await this.#load();
    return [...this.#jobs.values()]
      .filter((job) => job.model === model)
      .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  }

  async find(model: string, id: string): Promise<PredictionJob> {
    await this.#load();
    const job = this.#jobs.get(id);
    if (job?.model === model) return job;
    throw new AppError("FILE_NOT_FOUND", `looking for the job ${id.slice(0, 64)} of ${model}: there is none`);
  }

  async submit(model: string, name: string, bytes: Uint8Array): Promise<PredictionJob> {
    await this.#load();
    const id = randomBytes(16).toString("hex");
    const job: PredictionJob = {
      ...{ id, model, name: name.slice(0, 200), state: "waiting", createdAt: new Date().toISOString() },
      ...{ reused: 0, computed: 0, failed: 0, warnings: [] },
    };
    await makeFolders(this.#folder);
    await mkdir(join(this.#folder, id), { mode: 0o700 });
    await writeFile(this.#inputOf(job), bytes, { flag: "wx", mode: 0o600 });
    await this.#write(job);
    const stop = new AbortController();
    this.#stops.set(id, stop);
    const work: Promise<void> = this.#turns
      .use(() => this.#run(job, { signal: stop.signal }))
      .finally(() => {
        this.#stops.delete(id);
        this.#underWay.delete(work);
      });
    this.#underWay.add(work);
    return job;
  }

  async cancel(model: string, id: string): Promise<PredictionJob> {
    const job = await this.find(model, id);
    this.#stops.get(id)?.abort(new AppError("RUN_INTERRUPTED", "the job was cancelled"));
    return job;
  }

  /** Its files and its record; rows that it computed stay in the caches. */
  async delete(model: string, id: string): Promise<PredictionJob> {
    const job = await this.find(model, id);
    if (!hasEnded(job))
      throw new AppError("RUN_STILL_RUNNING", `deleting the job ${id}: it is ${job.state}; cancel it first`);
    await rm(join(this.#folder, id), { recursive: true, force: true });
    this.#jobs.delete(id);
    return job;
  }

  /** The file with the result of a job that succeeded. */
  async result(model: string, id: string): Promise<{ readonly path: string; readonly bytes: number }> {
    const job = await this.find(model, id);
    const path = this.#outputOf(job);
    const found = job.state === "succeeded" ? await stat(path).catch(() => undefined) : undefined;
    if (found === undefined)
      throw new AppError("RUN_WITHOUT_OUTPUTS", `reading the result of the job ${id}: it is ${job.state}`);
    return { path, bytes: found.size };
  }

  /** The job as it changes, until it has ended. */
  async *follow(model: string, id: string, ask: Ask): AsyncGenerator<PredictionJob | undefined> {
    let last: PredictionJob | undefined;
    for (;;) {
      const job = await this.find(model, id);
      yield job === last ? undefined : job;
      last = job;
      if (hasEnded(job)) return;
      await pause(lookAgainMs, ask);
      checkAsk(ask, "following a job");
    }
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.values())
      stop.abort(new AppError("RUN_INTERRUPTED", "the server was stopped"));
    await Promise.allSettled([...this.#underWay]);
  }

  async #run(job: PredictionJob, ask: Ask): Promise<void> {
    const { id } = job;
    const warnings: string[] = [];
    let current: PredictionJob = { ...job, state: "running" };
    const show = (change: Partial<PredictionJob>) => {
      current = { ...current, ...change };
      this.#jobs.set(id, current);
    };
    try {
      if (ask.signal.aborted) throw ask.signal.reason;
      await this.#write(current);
      const { run } = await import("../predictions.ts");
      const { home } = this.#environment;
      const sessions = createSessions({ home, fromEnvironment: undefined, parentPid: 1 });
      const result = await run(
        {
          ...{ model: job.model, input: this.#inputOf(job), output: this.#outputOf(job) },
          statusColumn: "with",
        },
        { environment: this.#environment, sessions },
        (event) => {
          if (event.kind === "warning") {
            warnings.push(event.message);
            show({ warnings: [...warnings] });
          } else if (event.kind === "progress") {
            const { counts, bytesAnswered, bytesTotal } = event;
            const share =
              bytesTotal === undefined || bytesTotal === 0 ? undefined : bytesAnswered / bytesTotal;
            show({ ...countsOf(counts), ...(share === undefined ? {} : { share: Math.min(1, share) }) });
          }
        },
        ask,
      );
      const ended = { state: "succeeded", share: 1, endedAt: new Date().toISOString() } as const;
      await this.#write({ ...current, ...ended, ...countsOf(result.counts), warnings: result.warnings });
    } catch (error) {
      const isCancelled = ask.signal.aborted;
      const code = isAppError(error) ? error.code : "BUG";
      await this.#write({
        ...{ ...current, state: isCancelled ? "cancelled" : "failed", endedAt: new Date().toISOString() },
        ...(isCancelled ? {} : { code, message: messageOf(error) }),
      }).catch(() => undefined);
    }
  }

  /** In memory at once: what cannot be written down is at least shown. */
  async #write(job: PredictionJob): Promise<void> {
    this.#jobs.set(job.id, job);
    await writeOwn(join(this.#folder, job.id, "job.json"), `${JSON.stringify(job)}\n`);
  }

  #inputOf({ id, name }: PredictionJob): string {
    return join(this.#folder, id, /\.tsv$/i.test(name) ? "input.tsv" : "input.csv");
  }

  #outputOf({ id }: PredictionJob): string {
    return join(this.#folder, id, "result.csv");
  }

  #load(): Promise<void> {
    this.#loading ??= this.#read();
    return this.#loading;
  }

  async #read(): Promise<void> {
    const names = await readdir(this.#folder).catch((): string[] => []);
    const read: PredictionJob[] = [];
    for (const id of names.filter((name) => idPattern.test(name))) {
      const text = await readFile(join(this.#folder, id, "job.json"), "utf8").catch(() => undefined);
      if (text === undefined) continue;
      const job = JSON.parse(text) as PredictionJob;
      read.push(hasEnded(job) ? job : { ...job, state: "cancelled", message: "The server was stopped." });
    }
    read.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    for (const job of read.slice(0, keptJobs)) this.#jobs.set(job.id, job);
    for (const { id } of read.slice(keptJobs))
      await rm(join(this.#folder, id), { recursive: true, force: true });
  }
}

function hasEnded({ state }: PredictionJob): boolean {
  return state !== "waiting" && state !== "running";
}

function countsOf({ reusedLocal, reusedCloud, computed, failed }: RunCounts) {
  return { reused: reusedLocal + reusedCloud, computed, failed };
}
