/**
 * What a run tells a cache about itself: that it is alive, and which entries it reuses. `prune` leaves alone what a
 * live run uses, and the dates of use decide what is least recently used. One small object per run,
 * `<cache uuid>/runs/<run id>.json`, written at most every few seconds.
 */
import { type Ask, freshAsk } from "../../kernel/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import { runLeaseName } from "./entry-layout.ts";

/** A lease that was not renewed for this long belongs to a run that died. */
export const leaseLivesMs = 120_000;

export interface RunLeaseRecord {
  readonly runId: string;
  readonly startedAt: string;
  readonly renewedAt: string;
  /** Absent while the run goes on. */
  readonly endedAt?: string;
  /** Entries that the run reused or recorded. */
  readonly entries: readonly string[];
}

export interface RunLease {
  /** Notes that the run reuses, or has recorded, this entry. Cheap: written with the next renewal. */
  used(entryUuid: string): void;
  /** Writes the last state and stops renewing. */
  close(): Promise<void>;
}

export interface RunLeaseOptions {
  readonly objects: ObjectStore;
  readonly cacheUuid: string;
  readonly runId: string;
  /** Default 20 s. */
  readonly renewEveryMs?: number;
  /** Told of every failed renewal; the run goes on. */
  readonly onTrouble?: (error: unknown) => void;
}

export async function openRunLease(options: RunLeaseOptions, ask: Ask): Promise<RunLease> {
  const { objects, cacheUuid, runId } = options;
  const startedAt = new Date().toISOString();
  const entries = new Set<string>();
  const write = async (ended: boolean, writeAsk: Ask) => {
    const now = new Date().toISOString();
    const record: RunLeaseRecord = {
      runId,
      startedAt,
      renewedAt: now,
      ...(ended ? { endedAt: now } : {}),
      entries: [...entries],
    };
    await objects.put(runLeaseName(cacheUuid, runId), Buffer.from(JSON.stringify(record)), writeAsk);
  };
  const onTrouble = options.onTrouble ?? (() => undefined);
  await write(false, ask);
  let writing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    writing = writing.then(() => write(false, freshAsk())).catch(onTrouble);
  }, options.renewEveryMs ?? 20_000);
  timer.unref();
  return {
    used: (entryUuid) => {
      entries.add(entryUuid);
    },
    close: async () => {
      clearInterval(timer);
      await writing;
      await write(true, freshAsk()).catch(onTrouble);
    },
  };
}

/** Every lease of a cache; torn ones are left out. */
export async function* listRunLeases(
  objects: ObjectStore,
  cacheUuid: string,
  ask: Ask,
): AsyncIterable<RunLeaseRecord> {
  for await (const info of objects.list(runLeaseName(cacheUuid, "").replace(/\.json$/, ""), ask)) {
    const bytes = await objects.read(info.name, ask);
    const record = bytes === undefined ? undefined : parseLease(bytes);
    if (record !== undefined) yield record;
  }
}

export function isAlive(lease: RunLeaseRecord, now: Date): boolean {
  return lease.endedAt === undefined && now.getTime() - Date.parse(lease.renewedAt) < leaseLivesMs;
}

function parseLease(bytes: Uint8Array): RunLeaseRecord | undefined {
  try {
    const record = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<RunLeaseRecord>;
    const whole =
      typeof record.runId === "string" &&
      typeof record.startedAt === "string" &&
      typeof record.renewedAt === "string" &&
      Array.isArray(record.entries);
    return whole ? (record as RunLeaseRecord) : undefined;
  } catch {
    return undefined;
  }
}
