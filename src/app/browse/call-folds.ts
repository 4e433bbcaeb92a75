/**
 * Rows of a run's calls, kept and brought up to date with what was written since: a page that is open asks again and
 * again, and folding a large run's events takes longer than answering.
 */
import { type CallRow, foldCall, type TimedEvent } from "../../engine/index.ts";
import { eventsFrom } from "./run-events.ts";

export interface CallFold {
  readonly rows: ReadonlyMap<string, CallRow>;
  /** Number of events that changed a row; each call knows its last one. */
  readonly changes: number;
  changedAt(call: string): number;
  /** What else pages need of each call. */
  readonly marks: ReadonlyMap<string, CallMarks>;
}

/** Times in milliseconds since 1970, and what was asked for. */
export interface CallMarks {
  readonly asked?: Asked;
  readonly identifiedAt?: number;
  readonly recordedAt?: number;
  readonly key?: string;
  /** Identities of the inputs by place, where the call was computed. */
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly entry?: string;
  readonly savedCpuSeconds?: number | null;
}

type Asked = Extract<TimedEvent, { kind: "call.asked" }>["resources"];

interface Kept {
  readonly rows: Map<string, CallRow>;
  readonly marks: Map<string, CallMarks>;
  readonly changed: Map<string, number>;
  changes: number;
  offset: number;
  /** Folds of one run follow each other. */
  last: Promise<void>;
}

const mostRuns = 8;

export class CallFolds {
  readonly #kept = new Map<string, Kept>();

  async of(directory: string): Promise<CallFold> {
    const kept = this.#kept.get(directory) ?? {
      ...{ rows: new Map(), marks: new Map(), changed: new Map(), changes: 0, offset: 0 },
      last: Promise.resolve(),
    };
    this.#kept.delete(directory);
    this.#kept.set(directory, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostRuns && oldest !== undefined) this.#kept.delete(oldest);
    const mine = kept.last.then(() => update(directory, kept));
    // One that fails is tried again by the next.
    kept.last = mine.catch(() => {});
    await mine;
    const { rows, marks, changed, changes } = kept;
    return { rows, marks, changes, changedAt: (call) => changed.get(call) ?? 0 };
  }
}

async function update(directory: string, kept: Kept): Promise<void> {
  for await (const { event, end } of eventsFrom(directory, kept.offset)) {
    kept.offset = end;
    if (foldCall(kept.rows, event) !== undefined && "call" in event)
      kept.changed.set(event.call ?? "", ++kept.changes);
    mark(kept.marks, event);
  }
}

function mark(marks: Map<string, CallMarks>, event: TimedEvent): void {
  const set = (call: string, more: CallMarks) => marks.set(call, { ...marks.get(call), ...more });
  switch (event.kind) {
    case "call.asked":
      if (event.resources !== undefined) set(event.call, { asked: event.resources });
      return;
    case "call.missed": {
      const inputs = event.components?.["inputs"];
      set(event.call, {
        identifiedAt: event.at,
        ...(event.key === undefined ? {} : { key: event.key }),
        ...(typeof inputs === "object" && inputs !== null && !Array.isArray(inputs)
          ? { inputs: inputs as Readonly<Record<string, unknown>> }
          : {}),
      });
      return;
    }
    case "call.reused": {
      const { key, entry, savedCpuSeconds } = event;
      set(event.call, { identifiedAt: event.at, key, entry, savedCpuSeconds });
      return;
    }
    case "call.recorded":
      set(event.call, { recordedAt: event.at, entry: event.entry });
      return;
    default:
      return;
  }
}
