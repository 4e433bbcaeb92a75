/** The files in `job/` of an attempt's directory: the record of its submission, and what its job says of itself. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { onDisk, systemErrorCode } from "../../kernel/index.ts";

export interface JobPaths {
  readonly folder: string;
  /** Lines: the first one is what the job's script compares; the others are the executor's. Written before the scheduler is asked. */
  readonly submission: string;
  /** Shell text that becomes the task. */
  readonly run: string;
  /** Shell text for the end; only where something has to be tidied up. */
  readonly after: string;
  /** Shell text that sets the variables of a task in a container. */
  readonly env: string;
  /** There where the task runs in a container: no exit code of the program that runs it is the task's. */
  readonly contained: string;
  /** Why this node can never run the task. */
  readonly refused: string;
  /** Made by the job that runs the attempt: there can be only one. */
  readonly claim: string;
  /** Job id and node. */
  readonly began: string;
  /** Made by Memoir: a watched job ends its task. */
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
    env: at("env"),
    contained: at("contained"),
    refused: at("refused"),
    claim: at("claim"),
    began: at("began"),
    cancel: at("cancel"),
    end: at("end"),
    log: at("log"),
  };
}

export function writeSubmissionLines(directory: string, lines: readonly string[]): void {
  const { folder, submission } = jobPaths(directory);
  mkdirSync(onDisk(folder), { recursive: true });
  const path = onDisk(`${submission}.new`);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""), { flush: true });
  renameSync(path, onDisk(submission));
}

export function readSubmissionLines(directory: string): readonly string[] {
  return readJobFile(jobPaths(directory).submission).split("\n");
}

export function forgetSubmission(directory: string): void {
  rmSync(onDisk(jobPaths(directory).submission), { force: true });
}

/** Of a job that is watched. */
export function requestJobEnd(directory: string): void {
  const { folder, cancel } = jobPaths(directory);
  mkdirSync(onDisk(folder), { recursive: true });
  writeFileSync(onDisk(cancel), "");
}

/** A job has come to run the attempt. */
export function isClaimed(directory: string): boolean {
  return statSync(onDisk(jobPaths(directory).claim), { throwIfNoEntry: false }) !== undefined;
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
