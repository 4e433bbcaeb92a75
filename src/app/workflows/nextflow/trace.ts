/** The trace file: a line for each task that ended, with the columns that Nextflow's users know. */
import { AppError } from "../../../kernel/index.ts";
import { durationText, memoryText, preciseClockText } from "./quantities.ts";
import { shortHash, type TaskRecord } from "./task-record.ts";

type Kind = "text" | "number" | "date" | "time" | "memory" | "percent";

interface Field {
  readonly kind: Kind;
  /** undefined: unknown. Dates and times in milliseconds, memory in bytes. */
  readonly of: (task: Readonly<TaskRecord>) => string | number | undefined;
}

const unknown = () => undefined;
const fact = (name: string) => (task: Readonly<TaskRecord>) => task.facts[name];

const fields: Readonly<Record<string, Field>> = {
  task_id: { kind: "text", of: ({ id }) => id },
  hash: { kind: "text", of: ({ hash }) => shortHash(hash) },
  native_id: { kind: "text", of: ({ nativeId }) => nativeId },
  process: { kind: "text", of: ({ process }) => process },
  module: { kind: "text", of: fact("module") },
  container: { kind: "text", of: fact("container") },
  tag: { kind: "text", of: ({ tag }) => tag },
  name: { kind: "text", of: ({ name }) => name },
  status: { kind: "text", of: ({ status }) => status },
  exit: { kind: "text", of: ({ exit }) => exit },
  submit: { kind: "date", of: ({ submittedAt }) => submittedAt },
  start: { kind: "date", of: ({ startedAt }) => startedAt },
  complete: { kind: "date", of: ({ endedAt }) => endedAt },
  duration: {
    kind: "time",
    of: ({ submittedAt, endedAt }) => (endedAt === undefined ? undefined : endedAt - submittedAt),
  },
  realtime: { kind: "time", of: ({ realtimeMs }) => realtimeMs },
  "%cpu": {
    kind: "percent",
    of: ({ cpuSeconds, realtimeMs }) =>
      cpuSeconds === undefined || realtimeMs === undefined || realtimeMs === 0
        ? undefined
        : (cpuSeconds * 100_000) / realtimeMs,
  },
  "%mem": { kind: "percent", of: unknown },
  rss: { kind: "memory", of: unknown },
  vmem: { kind: "memory", of: unknown },
  peak_rss: { kind: "memory", of: ({ peakRssBytes }) => peakRssBytes },
  peak_vmem: { kind: "memory", of: unknown },
  rchar: { kind: "memory", of: unknown },
  wchar: { kind: "memory", of: unknown },
  syscr: { kind: "number", of: unknown },
  syscw: { kind: "number", of: unknown },
  read_bytes: { kind: "memory", of: unknown },
  write_bytes: { kind: "memory", of: unknown },
  attempt: { kind: "number", of: ({ attempt }) => attempt },
  workdir: { kind: "text", of: ({ workdir }) => workdir },
  script: { kind: "text", of: unknown },
  scratch: { kind: "text", of: fact("scratch") },
  queue: { kind: "text", of: fact("queue") },
  cpus: { kind: "number", of: fact("cpus") },
  memory: { kind: "memory", of: fact("memory") },
  disk: { kind: "memory", of: fact("disk") },
  time: { kind: "time", of: fact("time") },
  env: { kind: "text", of: unknown },
  error_action: { kind: "text", of: unknown },
  vol_ctxt: { kind: "number", of: unknown },
  inv_ctxt: { kind: "number", of: unknown },
  hostname: { kind: "text", of: unknown },
  cpu_model: { kind: "text", of: unknown },
  accelerator: { kind: "number", of: unknown },
  accelerator_type: { kind: "text", of: unknown },
};

export const traceFieldNames: readonly string[] = Object.keys(fields);

export const defaultTraceFields: readonly string[] =
  "task_id hash native_id name status exit submit duration realtime %cpu peak_rss peak_vmem rchar wchar".split(
    " ",
  );

export interface TraceOptions {
  readonly fields: readonly string[];
  readonly separator: string;
  /** Numbers as they are, without units. */
  readonly raw: boolean;
}

/** @throws AppError CLI_USAGE for a field that there is not. */
export function traceText(
  tasks: readonly Readonly<TaskRecord>[],
  { fields: names, separator, raw }: TraceOptions,
): string {
  const lines = tasks
    .filter(({ status }) => status !== "RUNNING" && status !== "STORED")
    .map((task) => names.map((name) => traceField(task, name, raw)).join(separator));
  return [names.join(separator), ...lines].map((line) => `${line}\n`).join("");
}

export function traceField(task: Readonly<TaskRecord>, name: string, raw = false): string {
  const field = fields[name];
  if (field === undefined)
    throw new AppError(
      "CLI_USAGE",
      `Not a valid trace field name: '${name}'; there are ${traceFieldNames.join(", ")}`,
    );
  const value = field.of(task);
  if (value === undefined || value === "") return "-";
  if (typeof value === "string") return value.replace(/[\t\n\r]/g, " ");
  if (raw) return field.kind === "percent" ? value.toFixed(1) : String(Math.round(value));
  switch (field.kind) {
    case "date":
      return preciseClockText(value);
    case "time":
      return durationText(value);
    case "memory":
      return memoryText(value);
    case "percent":
      return `${value.toFixed(1)}%`;
    default:
      return String(value);
  }
}

/** As it is, for filters. */
export function traceValue(task: Readonly<TaskRecord>, name: string): string | number | undefined {
  return fields[name]?.of(task);
}
