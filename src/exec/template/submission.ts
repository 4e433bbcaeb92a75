/** The record of an attempt's submission to a scheduler, and the request to end its job. */
import { mkdirSync, writeFileSync } from "node:fs";
import { onDisk } from "../../kernel/index.ts";
import { jobPaths, readSubmissionLines, writeSubmissionLines } from "../core/index.ts";

export interface Submission {
  readonly token: string;
  /** undefined: the scheduler's answer was lost, or has not come yet. */
  readonly jobId: string | undefined;
}

export function writeSubmission(directory: string, { token, jobId }: Submission): void {
  writeSubmissionLines(directory, [token, jobId ?? ""]);
}

export function readSubmission(directory: string): Submission | undefined {
  const [token = "", jobId = ""] = readSubmissionLines(directory);
  return token === "" ? undefined : { token, jobId: jobId === "" ? undefined : jobId };
}

export function requestJobEnd(directory: string): void {
  const { folder, cancel } = jobPaths(directory);
  mkdirSync(onDisk(folder), { recursive: true });
  writeFileSync(onDisk(cancel), "");
}
