/** What a job is, and where jobs are kept: in a folder of the server, or in an object store that several processes use. */
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
  /** SHA-256 of the inputs that were uploaded instead. */
  readonly upload?: string;
  readonly samples?: number;
  readonly seed?: string;
  /** How its answer is shaped: of no meaning here. */
  readonly orient?: string;
}

export interface JobName {
  readonly account: string;
  readonly id: string;
}

export interface UploadName {
  readonly account: string;
  /** Of the content, as it was announced. */
  readonly sha256: string;
}

export interface StoredJobFile {
  readonly path: string;
  readonly sizeBytes: number;
}

export interface JobStore {
  create(job: JobRecord, request: JobRequest): Promise<void>;
  write(job: JobRecord): Promise<void>;
  read(name: JobName): Promise<JobRecord | undefined>;
  request(name: JobName): Promise<JobRequest | undefined>;
  /** Replaces a file of this name with one of the same content. */
  writeFile(job: JobName, name: string, bytes: Uint8Array): Promise<void>;
  /** Of one account, or of all. */
  list(account?: string): Promise<readonly JobRecord[]>;
  /** undefined = there is no such file. Only where files are on this machine. */
  file?(job: JobName, name: string): Promise<StoredJobFile | undefined>;
  /** Only where nothing else removes what is too old. */
  remove?(name: JobName): Promise<void>;
  removeUploads?(before: Date): Promise<void>;
  /** undefined = nothing was uploaded under this name. */
  uploadBytes(upload: UploadName): Promise<number | undefined>;
  readUpload(upload: UploadName): Promise<Uint8Array | undefined>;
  /** Only where uploads come through this process. */
  writeUpload?(upload: UploadName, bytes: Uint8Array): Promise<void>;
  /** Only where another process may be running the job; it is `CANCELLED` for every reader from now on. */
  markCancelled?(job: JobRecord): Promise<void>;
}

const accountPattern = /^\d{12}$/;
const idPattern = /^[0-9a-f]{32}$/;
const filePattern = /^part-\d{5}\.((jsonl|once\.csv|twice\.csv)\.gz|first\.csv)$/;

/** Nothing from a request becomes part of a path or a key unchecked. */
export function isJobName({ account, id }: JobName): boolean {
  return accountPattern.test(account) && idPattern.test(id);
}

export function isUploadName({ account, sha256 }: UploadName): boolean {
  return accountPattern.test(account) && /^[0-9a-f]{64}$/.test(sha256);
}

export function isResultName(name: string): boolean {
  return filePattern.test(name);
}
