/**
 * Jobs in an object store: `jobs/<account>/<id>/` with the record and what was asked, `results/<account>/<id>/` with the
 * result files, `uploads/<account>/` with inputs. Rules of the store remove all of them after their time. A cancelled job has a mark next to the record,
 * so that the process that runs it cannot overwrite it.
 */
import type { Ask } from "../kernel/index.ts";
import type { ObjectStore } from "../store/objects/index.ts";
import {
  isJobName,
  isResultName,
  isUploadName,
  type JobName,
  type JobRecord,
  type JobRequest,
  type JobStore,
  type UploadName,
} from "./job-store.ts";

/** The name of a result file. @throws for names that no job has. */
export function resultName(job: JobName, name: string): string {
  if (!isJobName(job) || !isResultName(name)) throw new Error(`not a file of a job: ${name}`);
  return `results/${job.account}/${job.id}/${name}`;
}

/** The name of what a caller uploads. @throws for names that no upload has. */
export function uploadObject(upload: UploadName): string {
  if (!isUploadName(upload)) throw new Error("not the name of an upload");
  return `uploads/${upload.account}/${upload.sha256}.jsonl`;
}

export class JobObjects implements JobStore {
  readonly #objects: ObjectStore;
  readonly #ask: Ask;

  /** The store is open, and is closed by who opened it. */
  constructor(objects: ObjectStore, ask: Ask) {
    this.#objects = objects;
    this.#ask = ask;
  }

  async create(job: JobRecord, request: JobRequest): Promise<void> {
    await this.#put(job, "request.json", request);
    // Of two processes with the same job the first one creates it.
    await this.#objects.putNew(`${folderOf(job)}job.json`, bytesOf(job), this.#ask);
  }

  async write(job: JobRecord): Promise<void> {
    await this.#put(job, "job.json", job);
  }

  async read(name: JobName): Promise<JobRecord | undefined> {
    if (!isJobName(name)) return undefined;
    const job = (await this.#get(name, "job.json")) as JobRecord | undefined;
    if (job === undefined) return undefined;
    const mark = (await this.#get(name, "cancelled.json")) as { readonly endedAt: string } | undefined;
    return mark === undefined ? job : { ...job, state: "CANCELLED", files: [], endedAt: mark.endedAt };
  }

  async request(name: JobName): Promise<JobRequest | undefined> {
    if (!isJobName(name)) return undefined;
    return (await this.#get(name, "request.json")) as JobRequest | undefined;
  }

  async writeFile(job: JobName, name: string, bytes: Uint8Array): Promise<void> {
    await this.#objects.put(resultName(job, name), bytes, this.#ask);
  }

  async markCancelled(job: JobRecord): Promise<void> {
    await this.#put(job, "cancelled.json", { endedAt: new Date().toISOString() });
  }

  async uploadBytes(upload: UploadName): Promise<number | undefined> {
    return (await this.#objects.head(uploadObject(upload), this.#ask))?.sizeBytes;
  }

  readUpload(upload: UploadName): Promise<Uint8Array | undefined> {
    return this.#objects.read(uploadObject(upload), this.#ask);
  }

  async list(account = ""): Promise<readonly JobRecord[]> {
    const jobs: JobRecord[] = [];
    const prefix = account === "" ? "jobs/" : `jobs/${account}/`;
    for await (const { name } of this.#objects.list(prefix, this.#ask)) {
      const [, owner, id] = /^jobs\/(\d{12})\/([0-9a-f]{32})\/job\.json$/.exec(name) ?? [];
      if (owner === undefined || id === undefined) continue;
      const job = await this.read({ account: owner, id });
      if (job !== undefined) jobs.push(job);
    }
    return jobs;
  }

  async #put(job: JobName, file: string, value: unknown): Promise<void> {
    await this.#objects.put(`${folderOf(job)}${file}`, bytesOf(value), this.#ask);
  }

  /** What is not whole JSON was never acknowledged: it counts as missing. */
  async #get(job: JobName, file: string): Promise<unknown> {
    const bytes = await this.#objects.read(`${folderOf(job)}${file}`, this.#ask);
    if (bytes === undefined) return undefined;
    try {
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      return undefined;
    }
  }
}

function folderOf({ account, id }: JobName): string {
  return `jobs/${account}/${id}/`;
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
