/**
 * Jobs on disk: `<account>/<id>/` with `job.json` (the record), `request.json` (what was asked) and the result files.
 * Each is written under another name first, so that what is there is whole.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../files/index.ts";
import { systemErrorCode } from "../kernel/index.ts";
import type { PredictionScope } from "../task/index.ts";

export type JobState = "PENDING" | "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELLED";

export interface JobFile {
  readonly name: string;
  readonly rows: number;
  readonly sizeBytes: number;
}

export interface JobRecord {
  readonly id: string;
  readonly account: string;
  readonly state: JobState;
  readonly model: string;
  readonly release: string;
  readonly fetch: JobRequest["fetch"];
  readonly createdAt: string;
  /** The record and its files are removed after it. */
  readonly expiresAt: string;
  readonly endedAt?: string;
  readonly error?: string;
  readonly files: readonly JobFile[];
}

/** `all`: every stored row. `sample`: some of them. `filter`: an answer for each input, in their order. */
export interface JobRequest {
  readonly scope: PredictionScope;
  readonly fetch: "all" | "sample" | "filter";
  readonly inputs?: readonly string[];
  readonly samples?: number;
  readonly seed?: string;
  /** How its answer is shaped: of no meaning here. */
  readonly orient?: string;
}

export interface JobName {
  readonly account: string;
  readonly id: string;
}

const accountPattern = /^\d{12}$/;
const idPattern = /^[0-9a-f]{32}$/;
const filePattern = /^part-\d{5}\.((jsonl|once\.csv|twice\.csv)\.gz|first\.csv)$/;

/** Inputs that were uploaded for jobs of Ersilia's clients. */
export function uploadFolder(jobsFolder: string): string {
  return join(jobsFolder, "uploads");
}

export class JobFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async create(job: JobRecord, request: JobRequest): Promise<void> {
    await makeFolders(this.#of(job), { mode: 0o700 });
    await this.#write(job, "request.json", JSON.stringify(request));
    await this.write(job);
  }

  async write(job: JobRecord): Promise<void> {
    await this.#write(job, "job.json", JSON.stringify(job));
  }

  async read(name: JobName): Promise<JobRecord | undefined> {
    if (!isName(name)) return undefined;
    return (await readJson(join(this.#of(name), "job.json"))) as JobRecord | undefined;
  }

  async request(name: JobName): Promise<JobRequest | undefined> {
    return (await readJson(join(this.#of(name), "request.json"))) as JobRequest | undefined;
  }

  async writeFile(job: JobName, name: string, bytes: Uint8Array): Promise<void> {
    await this.#write(job, name, bytes);
  }

  /** undefined = there is no such file. */
  async file(
    job: JobName,
    name: string,
  ): Promise<{ readonly path: string; readonly sizeBytes: number } | undefined> {
    if (!isName(job) || !filePattern.test(name)) return undefined;
    const path = join(this.#of(job), name);
    const found = await stat(path).catch(absent);
    return found === undefined ? undefined : { path, sizeBytes: found.size };
  }

  async remove(name: JobName): Promise<void> {
    await rm(this.#of(name), { recursive: true, force: true });
  }

  async removeUploads(before: Date): Promise<void> {
    const folder = uploadFolder(this.#folder);
    for (const name of await namesIn(folder)) {
      const path = join(folder, name);
      const found = await stat(path).catch(absent);
      if (found !== undefined && found.mtimeMs < before.getTime()) await rm(path, { force: true });
    }
  }

  /** Of one account, or of all. */
  async list(account?: string): Promise<readonly JobRecord[]> {
    const accounts = account === undefined ? await namesIn(this.#folder) : [account];
    const jobs: JobRecord[] = [];
    for (const each of accounts.filter((name) => accountPattern.test(name)))
      for (const id of await namesIn(join(this.#folder, each))) {
        const job = await this.read({ account: each, id });
        if (job !== undefined) jobs.push(job);
      }
    return jobs;
  }

  async #write(name: JobName, file: string, content: string | Uint8Array): Promise<void> {
    const folder = this.#of(name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // Two requests may write the same file at the same time.
    const temp = join(folder, `.${file}.${randomUUID()}.new`);
    await writeFile(temp, content, { mode: 0o600, flush: true });
    await rename(temp, join(folder, file));
  }

  #of({ account, id }: JobName): string {
    return join(this.#folder, account, id);
  }
}

/** Nothing from a request becomes part of a path unchecked. */
function isName({ account, id }: JobName): boolean {
  return accountPattern.test(account) && idPattern.test(id);
}

function absent(error: unknown): undefined {
  if (systemErrorCode(error) === "ENOENT") return undefined;
  throw error;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(absent)) ?? [];
}

/** A file that is not whole JSON was never acknowledged: it counts as missing. */
async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch(absent);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
