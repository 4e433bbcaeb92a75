/** The files in `job/` of an attempt's directory: the record of its submission, and what its job says of itself. */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { onDisk, systemErrorCode } from "../../kernel/index.ts";

export interface JobPaths {
  readonly folder: string;
  /** Two lines: the submission's token and, once the scheduler has answered, the job's id. */
  readonly submission: string;
  /** Shell text that becomes the task. */
  readonly run: string;
  /** Shell text for the end; only where something has to be tidied up. */
  readonly after: string;
  /** Made by the job that runs the attempt: there can be only one. */
  readonly claim: string;
  /** Made by Memoir: the job ends its task. */
  readonly cancel: string;
  /** Why the job published no exit code: `timed-out`, `outside`, `unstarted <code>`. */
  readonly end: string;
  readonly log: string;
}

export function jobPaths(directory: string): JobPaths {
  const at = (name: string) => `${directory}/job/${name}`;
  return {
    folder: `${directory}/job`,
    submission: at("submission"),
    run: at("run"),
    after: at("after"),
    claim: at("claim"),
    cancel: at("cancel"),
    end: at("end"),
    log: at("log"),
  };
}

export interface Submission {
  readonly token: string;
  /** undefined: the scheduler's answer was lost, or has not come yet. */
  readonly jobId: string | undefined;
}

export function writeSubmission(directory: string, { token, jobId }: Submission): void {
  const { folder, submission } = jobPaths(directory);
  mkdirSync(onDisk(folder), { recursive: true });
  writeFileSync(onDisk(`${submission}.new`), `${token}\n${jobId ?? ""}\n`, { flush: true });
  renameSync(onDisk(`${submission}.new`), onDisk(submission));
}

export function readSubmission(directory: string): Submission | undefined {
  const [token = "", jobId = ""] = readJobFile(jobPaths(directory).submission).split("\n");
  return token === "" ? undefined : { token, jobId: jobId === "" ? undefined : jobId };
}

/** A job has come to run the attempt. */
export function isClaimed(directory: string): boolean {
  return statSync(onDisk(jobPaths(directory).claim), { throwIfNoEntry: false }) !== undefined;
}

export function requestCancel(directory: string): void {
  const { folder, cancel } = jobPaths(directory);
  mkdirSync(onDisk(folder), { recursive: true });
  writeFileSync(onDisk(cancel), "");
}

const mostBytes = 64 << 10;

/** Its end, where it is long; empty when it is not there: a task owns its directory and may have put anything there. */
export function readJobFile(path: string): string {
  try {
    if (statSync(onDisk(path), { throwIfNoEntry: false })?.isFile() !== true) return "";
    return readFileSync(onDisk(path), "utf8").slice(-mostBytes);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "EACCES"].includes(systemErrorCode(error) ?? "")) return "";
    throw error;
  }
}
