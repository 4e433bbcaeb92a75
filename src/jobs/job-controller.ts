/**
 * Jobs from submit to expiry. A job's id is the digest of what was asked, so a repeated submit is the same job. Small
 * jobs are done before submit answers. A job that a stopped server left behind runs again at the next start and writes
 * the same files.
 */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { digestOf } from "../hash/index.ts";
import { RequestProblem } from "../http/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  defined,
  isAppError,
  messageOf,
  Semaphore,
  SingleFlight,
} from "../kernel/index.ts";
import { columnsDigest, type PredictionTier, rowToWire } from "../store/predictions/index.ts";
import { answerOf, mostInputsByColumns } from "./answers.ts";
import type {
  JobFile,
  JobName,
  JobRecord,
  JobRequest,
  JobStore,
  StoredJobFile,
  UploadName,
} from "./job-store.ts";
import { inputsOf, type UploadedInputs } from "./uploads.ts";

export interface JobControllerOptions {
  readonly store: JobStore;
  readonly tier: Pick<PredictionTier, "getMany" | "sample" | "scan" | "count">;
  /** A job with up to this many inputs or samples is done within submit. Default: `smallJob`. */
  readonly doneInSubmit?: number;
  readonly now: () => Date;
  readonly onBug?: (error: unknown) => void;
  /**
   * Where another process runs the jobs that are not done within submit. It may get a job more than once, and
   * calls `work` for it.
   */
  readonly handOver?: (job: JobName) => Promise<void>;
  /** What the process that runs a job can write in its time, as text. Default: any number. */
  readonly mostJobBytes?: number;
}

/** How long results and records are kept. */
export const keptForMs = 2 * 24 * 3_600_000;
/** A job with up to this many inputs or samples is done within submit. */
export const smallJob = 10_000;
const uploadsForMs = 24 * 3_600_000;
const jobsAtOnce = 2;
const sweepEveryMs = 3_600_000;
/** A file ends after this many rows, or this much text. */
const mostRowsOfFile = 100_000;
const mostTextOfFile = 64 << 20;

/** About what a row takes in a result, unpacked: its input and where it comes from, and each value. */
const rowBytes = 180;
const cellBytes = 20;

const zip = promisify(gzip);

export class JobController {
  readonly #options: JobControllerOptions;
  readonly #store: JobStore;
  readonly #turns = new Semaphore(jobsAtOnce);
  readonly #running = new Map<string, { readonly stop: AbortController; readonly done: Promise<void> }>();
  /** The same job submitted twice at the same time is one. */
  readonly #submits = new SingleFlight<JobRecord>();
  #sweeping: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: JobControllerOptions) {
    this.#options = options;
    this.#store = options.store;
  }

  /** Continues what a stopped server left behind, and removes what is too old from now on. */
  async resume(): Promise<void> {
    const sweep = () => this.#sweep().catch((error: unknown) => this.#options.onBug?.(error));
    await sweep();
    if (this.#isClosed) return;
    this.#sweeping ??= setInterval(() => void sweep(), sweepEveryMs).unref();
    for (const job of await this.#store.list())
      if (job.state === "PENDING" || job.state === "RUNNING") void this.#start(job);
  }

  /** Jobs under way stay as they are on disk. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweeping);
    const running = [...this.#running.values()];
    for (const { stop } of running) stop.abort(new AppError("RUN_INTERRUPTED", "the server stops"));
    await Promise.all(running.map(({ done }) => done));
  }

  /** @throws RequestProblem for a job that cannot end in the time that its process has. */
  async submit(
    account: string,
    { requestId, ...request }: JobRequest & { readonly requestId: string },
    ask: Ask,
  ): Promise<JobRecord> {
    const { scope, inputs, ...how } = request;
    const identity = {
      ...{ account, requestId, model: scope.modelId, release: scope.release, ...how },
      columns: columnsDigest(scope.columns),
      ...(inputs === undefined ? {} : { inputs: [...inputs] }),
    };
    const id = digestOf(identity).slice(0, 32);
    return this.#submits.run(keyOf({ account, id }), () => this.#submit({ account, id }, request, ask));
  }

  async #submit({ account, id }: JobName, request: JobRequest, ask: Ask): Promise<JobRecord> {
    const known = await this.find({ account, id });
    if (known !== undefined) {
      // The process that created it may have died before it handed it over.
      if (known.state === "PENDING") await this.#options.handOver?.({ account, id });
      return known;
    }
    const { scope, inputs } = request;
    await this.#requireInTime(request, ask);
    const now = this.#options.now();
    const job: JobRecord = {
      ...{ id, account, state: "PENDING", files: [] },
      ...{ model: scope.modelId, release: scope.release, fetch: request.fetch },
      createdAt: now.toISOString(),
      expiresAt: new Date(now.getTime() + keptForMs).toISOString(),
    };
    await this.#store.create(job, request);
    const { handOver, doneInSubmit = smallJob } = this.#options;
    const isSmall = (inputs?.length ?? request.samples ?? Number.POSITIVE_INFINITY) <= doneInSubmit;
    if (!isSmall && handOver !== undefined) {
      await handOver({ account, id });
      return job;
    }
    const ended = this.#start(job);
    if (isSmall) await ended;
    return (await this.#store.read(job)) ?? job;
  }

  /** Only all rows of a model have no other limit. Counting them reads the ends of the files. */
  async #requireInTime({ scope, fetch }: JobRequest, ask: Ask): Promise<void> {
    const { mostJobBytes, tier } = this.#options;
    if (mostJobBytes === undefined || fetch !== "all") return;
    const most = Math.floor(mostJobBytes / (rowBytes + cellBytes * scope.columns.length));
    const rows = await tier.count(scope, ask);
    if (rows <= most) return;
    throw new RequestProblem({
      ...{ status: 413, code: "JOB_TOO_LARGE" },
      detail: `${scope.modelId} has ${rows} rows; a job here ends in time with up to ${most} of them: read the files directly with memoir dump --cloud`,
    });
  }

  /** Runs a job that was handed over. One that has ended, or was removed, stays as it is; interrupted work throws. */
  async work(name: JobName, ask: Ask): Promise<JobRecord | undefined> {
    const job = await this.find(name);
    if (job === undefined || hasEnded(job)) return job;
    await this.#run(job, ask);
    checkAsk(ask, "running a job");
    return this.find(name);
  }

  /** undefined also after its time, removed or not. */
  async find(name: JobName): Promise<JobRecord | undefined> {
    const job = await this.#store.read(name);
    return job === undefined || this.#isOver(job) ? undefined : job;
  }

  async list(account: string): Promise<readonly JobRecord[]> {
    const jobs = (await this.#store.list(account)).filter((job) => !this.#isOver(job));
    return jobs.toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  }

  /** A job that has ended stays as it is. */
  async cancel(name: JobName): Promise<JobRecord | undefined> {
    const job = await this.find(name);
    const running = this.#running.get(keyOf(name));
    if (job !== undefined && running === undefined && this.#store.markCancelled !== undefined) {
      if (!hasEnded(job)) await this.#store.markCancelled(job);
      return this.find(name);
    }
    if (job === undefined || running === undefined) return job;
    running.stop.abort(
      new AppError("RUN_INTERRUPTED", "the job was cancelled", { facts: { cancelled: true } }),
    );
    await running.done;
    return this.find(name);
  }

  /** Cancels and removes every job of the account; returns how many there were. */
  async reset(account: string): Promise<number> {
    const jobs = await this.#store.list(account);
    for (const job of jobs) {
      await this.cancel(job);
      await this.#store.remove?.(job);
    }
    return jobs.length;
  }

  async file(job: JobName, name: string): Promise<StoredJobFile | undefined> {
    return (await this.find(job)) === undefined ? undefined : this.#store.file?.(job, name);
  }

  async hasUpload(upload: UploadName): Promise<boolean> {
    return (await this.#store.uploadBytes(upload)) !== undefined;
  }

  /** Only where uploads come through this process. */
  async writeUpload(upload: UploadName, bytes: Uint8Array): Promise<void> {
    await this.#store.writeUpload?.(upload, bytes);
  }

  request(job: JobName): Promise<JobRequest | undefined> {
    return this.#store.request(job);
  }

  /** Another form of a result file, kept with it. */
  writeFile(job: JobName, name: string, bytes: Uint8Array): Promise<void> {
    return this.#store.writeFile(job, name, bytes);
  }

  #start(job: JobRecord): Promise<void> {
    const key = keyOf(job);
    const known = this.#running.get(key);
    if (known !== undefined) return known.done;
    const stop = new AbortController();
    const done = this.#turns
      .use(() => this.#run(job, { signal: stop.signal }))
      .catch((error: unknown) => this.#options.onBug?.(error))
      .finally(() => this.#running.delete(key));
    this.#running.set(key, { stop, done });
    return done;
  }

  async #run(job: JobRecord, ask: Ask): Promise<void> {
    const end = async (more: Partial<JobRecord>) => {
      await this.#store.write({ ...job, endedAt: this.#options.now().toISOString(), ...more });
    };
    try {
      checkAsk(ask, "running a job");
      const request = await this.#store.request(job);
      if (request === undefined)
        return await end({ state: "FAILED", error: "the request of the job is damaged" });
      await this.#store.write({ ...job, state: "RUNNING" });
      const uploaded = request.upload === undefined ? undefined : await this.#uploaded(job, request.upload);
      if (uploaded?.kind === "wrong") return await end({ state: "FAILED", error: uploaded.words });
      const files: JobFile[] = [];
      const asked = { ...request, ...defined({ inputs: uploaded?.inputs }) };
      for await (const lines of inFiles(this.#lines(asked, ask))) {
        checkAsk(ask, "running a job");
        if (await this.#isCancelled(job)) return;
        const bytes = await zip(lines.join(""));
        const name = `part-${String(files.length).padStart(5, "0")}.jsonl.gz`;
        await this.#store.writeFile(job, name, bytes);
        files.push({ name, rows: lines.length, sizeBytes: bytes.length });
      }
      checkAsk(ask, "running a job");
      await end({ state: "SUCCEEDED", files });
    } catch (error) {
      if (ask.signal.aborted) {
        const reason: unknown = ask.signal.reason;
        const isCancelled = isAppError(reason) && reason.facts["cancelled"] === true;
        return isCancelled ? await end({ state: "CANCELLED" }) : undefined;
      }
      // Messages name local paths, which only the server's log may contain.
      await end({ state: "FAILED", error: isAppError(error) ? error.code : "BUG" });
      if (isAppError(error) && error.code !== "RUN_INTERRUPTED") return;
      throw new Error(`job ${job.id}: ${messageOf(error)}`, { cause: error });
    }
  }

  async #uploaded({ account }: JobName, sha256: string): Promise<UploadedInputs> {
    const bytes = await this.#store.readUpload({ account, sha256 });
    return bytes === undefined ? { kind: "wrong", words: "the upload was removed" } : inputsOf(bytes, sha256);
  }

  /** By another process. */
  async #isCancelled(job: JobRecord): Promise<boolean> {
    if (this.#store.markCancelled === undefined) return false;
    return (await this.#store.read(job))?.state === "CANCELLED";
  }

  async *#lines(request: JobRequest, ask: Ask): AsyncGenerator<readonly string[]> {
    const { scope, fetch, inputs = [], samples = 0, seed = "" } = request;
    const { tier } = this.#options;
    const line = (value: unknown) => `${JSON.stringify(value)}\n`;
    switch (fetch) {
      case "filter":
        for (let at = 0; at < inputs.length; at += mostInputsByColumns) {
          const asked = inputs.slice(at, at + mostInputsByColumns);
          const rows = await tier.getMany(scope, asked, ask);
          yield asked.map((input, i) => line(answerOf(input, rows[i])));
        }
        return;
      case "sample":
        yield (await tier.sample(scope, { count: samples, seed }, ask)).map((row) => line(rowToWire(row)));
        return;
      default:
        for await (const rows of tier.scan(scope, ask)) yield rows.map((row) => line(rowToWire(row)));
    }
  }

  async #sweep(): Promise<void> {
    for (const job of await this.#store.list())
      if (this.#isOver(job) && !this.#running.has(keyOf(job))) await this.#store.remove?.(job);
    await this.#store.removeUploads?.(new Date(this.#options.now().getTime() - uploadsForMs));
  }

  #isOver({ expiresAt }: JobRecord): boolean {
    return Date.parse(expiresAt) <= this.#options.now().getTime();
  }
}

function hasEnded({ state }: JobRecord): boolean {
  return state !== "PENDING" && state !== "RUNNING";
}

function keyOf({ account, id }: JobName): string {
  return `${account}/${id}`;
}

/** At least one file, so that a result is never nothing. */
async function* inFiles(batches: AsyncIterable<readonly string[]>): AsyncGenerator<readonly string[]> {
  let lines: string[] = [];
  let text = 0;
  let files = 0;
  for await (const batch of batches)
    for (const line of batch) {
      lines.push(line);
      text += line.length;
      if (lines.length < mostRowsOfFile && text < mostTextOfFile) continue;
      yield lines;
      files++;
      lines = [];
      text = 0;
    }
  if (lines.length > 0 || files === 0) yield lines;
}
