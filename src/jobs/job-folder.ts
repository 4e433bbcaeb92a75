/**
 * Jobs on disk: `<account>/<id>/` with `job.json` (the record), `request.json` (what was asked) and the result files.
 * Each is written under another name first, so that what is there is whole.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../files/index.ts";
import { systemErrorCode } from "../kernel/index.ts";
import {
  isJobName,
  isResultName,
  isUploadName,
  type JobName,
  type JobRecord,
  type JobRequest,
  type JobStore,
  type StoredJobFile,
  type UploadName,
} from "./job-store.ts";

const accountPattern = /^\d{12}$/;

/** Inputs that were uploaded for jobs, also by Ersilia's clients. */
export function uploadFolder(jobsFolder: string): string {
  return join(jobsFolder, "uploads");
}

export class JobFolder implements JobStore {
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
    if (!isJobName(name)) return undefined;
    return (await readJson(join(this.#of(name), "job.json"))) as JobRecord | undefined;
  }

  async request(name: JobName): Promise<JobRequest | undefined> {
    return (await readJson(join(this.#of(name), "request.json"))) as JobRequest | undefined;
  }

  async writeFile(job: JobName, name: string, bytes: Uint8Array): Promise<void> {
    await this.#write(job, name, bytes);
  }

  /** undefined = there is no such file. */
  async file(job: JobName, name: string): Promise<StoredJobFile | undefined> {
    if (!isJobName(job) || !isResultName(name)) return undefined;
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

  async uploadBytes(upload: UploadName): Promise<number | undefined> {
    return (await stat(this.#uploadPath(upload)).catch(absent))?.size;
  }

  async readUpload(upload: UploadName): Promise<Uint8Array | undefined> {
    return readFile(this.#uploadPath(upload)).catch(absent);
  }

  async writeUpload(upload: UploadName, bytes: Uint8Array): Promise<void> {
    const path = this.#uploadPath(upload);
    await makeFolders(uploadFolder(this.#folder), { mode: 0o700 });
    const temp = `${path}.${randomUUID()}.new`;
    await writeFile(temp, bytes, { mode: 0o600, flush: true });
    await rename(temp, path);
  }

  #uploadPath(upload: UploadName): string {
    if (!isUploadName(upload)) throw new Error("not the name of an upload");
    return join(uploadFolder(this.#folder), `${upload.account}.${upload.sha256}.jsonl`);
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
