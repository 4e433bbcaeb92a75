/** The files in `job/` of an attempt's directory: which task it became, and what the job has listed. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { onDisk, systemErrorCode } from "../../kernel/index.ts";

export interface TaskRecord {
  /** Of requests to create it whose answer never came, the last one first: any of them may have made a task. */
  readonly submissions: readonly string[];
  /** The service's id; undefined = no answer came. */
  readonly taskId: string | undefined;
  /** Name and value of the tag that its task is listed by. */
  readonly group: { readonly key: string; readonly value: string };
  /** Paths of the inputs' files. */
  readonly staged: readonly string[];
}

const place = (directory: string, name: string) => onDisk(`${directory}/job/${name}`);

export function writeRecord(directory: string, record: TaskRecord): void {
  writeJobFile(directory, "task.json", Buffer.from(JSON.stringify(record)));
}

export function writeJobFile(directory: string, name: string, bytes: Uint8Array): void {
  mkdirSync(onDisk(`${directory}/job`), { recursive: true });
  writeFileSync(place(directory, `${name}.new`), bytes, { flush: true });
  renameSync(place(directory, `${name}.new`), place(directory, name));
}

export function readRecord(directory: string): TaskRecord | undefined {
  const bytes = readJobFile(directory, "task.json");
  // Written by rename: what is there is whole.
  return bytes === undefined ? undefined : (JSON.parse(bytes.toString("utf8")) as TaskRecord);
}

export function readJobFile(directory: string, name: string): Buffer | undefined {
  try {
    return readFileSync(place(directory, name));
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return undefined;
    throw error;
  }
}
