/** The files in `job/` of an attempt's directory: the record of its submission, and what its job says of itself. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { onDisk, systemErrorCode } from "../../kernel/index.ts";

export interface JobPaths {
  readonly folder: string;
  /** Two lines: the job's name and, in an array, the element's number. Written before Slurm is asked. */
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
    end: at("end"),
    log: at("log"),
  };
}

/** Where a job is found in Slurm. */
export interface Submission {
  readonly name: string;
  /** undefined for a job on its own. */
  readonly element: number | undefined;
  /** File of Slurm's own words, which may belong to another attempt's folder. */
  readonly log: string;
}

export function writeSubmission(directory: string, { name, element, log }: Submission): void {
  const { folder, submission } = jobPaths(directory);
  mkdirSync(onDisk(folder), { recursive: true });
  const path = `${submission}.new`;
  writeFileSync(onDisk(path), `${name}\n${element ?? ""}\n${log}\n`, { flush: true });
  renameSync(onDisk(path), onDisk(submission));
}

export function forgetSubmission(directory: string): void {
  rmSync(onDisk(jobPaths(directory).submission), { force: true });
}

export function readSubmission(directory: string): Submission | undefined {
  const [name = "", element = "", ...log] = readJobFile(jobPaths(directory).submission).split("\n");
  if (name === "") return undefined;
  const number = /^\d+$/.test(element) ? Number(element) : undefined;
  return { name, element: number, log: log.join("\n").trimEnd() };
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
