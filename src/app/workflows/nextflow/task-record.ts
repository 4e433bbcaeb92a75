/** A task as Nextflow's users see it; written to the index of its run for `log`, and shown in trace and reports. */

export type TaskStatus = "RUNNING" | "COMPLETED" | "FAILED" | "CACHED" | "ABORTED" | "STORED";

export interface TaskRecord {
  /** Counts from 1, in the order in which tasks were made. */
  readonly id: number;
  /** 32 hexadecimal digits, of which the folder below the work folder has its name. */
  hash: string;
  /** `ALIGN (sample1)` */
  readonly name: string;
  readonly process: string;
  readonly tag?: string;
  readonly attempt: number;
  status: TaskStatus;
  exit?: number;
  readonly submittedAt: number;
  startedAt?: number;
  endedAt?: number;
  workdir?: string;
  /** What the task asked for: cpus, memory in bytes, time in milliseconds, container. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** The program performs it itself. */
  readonly own?: true;
  realtimeMs?: number;
  cpuSeconds?: number;
  peakRssBytes?: number;
  nativeId?: string;
}

/** `ab/cdef12` */
export function shortHash(hash: string): string {
  return hash === "" ? "-" : `${hash.slice(0, 2)}/${hash.slice(2, 8)}`;
}
