/** The record of an attempt's submission to Slurm. */
import { readSubmissionLines, writeSubmissionLines } from "../core/index.ts";

/** Where a job is found in Slurm. */
export interface Submission {
  readonly name: string;
  /** undefined for a job on its own. */
  readonly element: number | undefined;
  /** File of Slurm's own words, which may belong to another attempt's folder. */
  readonly log: string;
}

export function writeSubmission(directory: string, { name, element, log }: Submission): void {
  writeSubmissionLines(directory, [name, String(element ?? ""), log]);
}

export function readSubmission(directory: string): Submission | undefined {
  const [name = "", element = "", ...log] = readSubmissionLines(directory);
  if (name === "") return undefined;
  const number = /^\d+$/.test(element) ? Number(element) : undefined;
  return { name, element: number, log: log.join("\n").trimEnd() };
}
