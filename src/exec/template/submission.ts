/** The record of an attempt's submission to a scheduler. */
import { readSubmissionLines, writeSubmissionLines } from "../core/index.ts";

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
