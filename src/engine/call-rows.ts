/** A run's calls as rows, folded from its events: what `runs show`, the server and the web page show. */
import { type CallKey, defined } from "../kernel/index.ts";
import type { TaskFailure } from "../task/index.ts";
import type { TimedEvent, UsageFacts } from "./events.ts";

export type CallState = "waiting" | "running" | "reused" | "computed" | "stored" | "failed" | "cancelled";

export interface CallRow {
  readonly call: string;
  readonly task: string;
  readonly state: CallState;
  /** Milliseconds since 1970. Reused calls have no start. */
  readonly askedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly key?: CallKey;
  /** Of the last attempt. */
  readonly directory?: string;
  readonly attempts: number;
  readonly usage?: UsageFacts;
  readonly image?: string;
  readonly imageDigest?: string;
  /** URI of the entry that it was reused from or recorded as. */
  readonly entry?: string;
  readonly fromRun?: string;
  readonly savedSeconds?: number;
  readonly failure?: TaskFailure;
  readonly missed?: string;
}

/** In the order in which the calls were asked for. */
export function callRows(events: readonly TimedEvent[]): readonly CallRow[] {
  const rows = new Map<string, CallRow>();
  for (const event of events) foldCall(rows, event);
  return [...rows.values()];
}

/** Applies one more event; answers the row that it changed. */
export function foldCall(rows: Map<string, CallRow>, event: TimedEvent): CallRow | undefined {
  if (!("call" in event) || event.call === undefined) return undefined;
  const row = rows.get(event.call) ?? newRow(event.call, event);
  const next = applied(row, event);
  if (next !== undefined) rows.set(event.call, next);
  return next;
}

function newRow(call: string, event: TimedEvent): CallRow {
  const task = "task" in event ? event.task : call;
  return { call, task, state: "waiting", askedAt: event.at, attempts: 0 };
}

function applied(row: CallRow, event: TimedEvent): CallRow | undefined {
  switch (event.kind) {
    case "call.asked":
      return row;
    case "call.missed":
      return {
        ...row,
        missed: event.reason.kind === "no-entry" ? "nothing was recorded under its key" : event.reason.words,
        ...defined({ key: event.key }),
      };
    case "call.started":
      return {
        ...row,
        state: "running",
        startedAt: row.startedAt ?? event.at,
        attempts: event.attempt,
        directory: event.directory,
        ...defined({ image: event.image, imageDigest: event.imageDigest }),
      };
    case "call.reused": {
      const { key, entry, fromRun, savedSeconds } = event;
      return { ...row, state: "reused", endedAt: event.at, key, entry, fromRun, savedSeconds };
    }
    case "call.computed": {
      const { directory, usage } = event;
      return { ...row, state: "computed", endedAt: event.at, directory, usage };
    }
    case "call.stored":
      return { ...row, state: "stored", endedAt: event.at };
    case "call.recorded":
      return { ...row, entry: event.entry };
    case "call.failed":
      return {
        ...row,
        state: "failed",
        endedAt: event.at,
        failure: event.failure,
        ...defined({ directory: event.failure.directory }),
      };
    case "call.cancelled":
      return { ...row, state: "cancelled", endedAt: event.at };
    default:
      return undefined;
  }
}
