/**
 * What a run records about itself in a cache: that it is alive, and which entries it uses. `prune` keeps what a live
 * run uses, and the dates of use decide what is least recently used. One small object per run,
 * `<cache uuid>/runs/<run id>.json`.
 *
 * A run names an entry here *before* it looks at the entry's manifest for the last time, and `prune` takes the manifest
 * away *before* it reads the leases for the last time. So whichever comes second sees the other: the run computes, or
 * `prune` puts the manifest back.
 */
import { randomUUID } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { type Ask, freshAsk, isAppError, mapAhead } from "../../kernel/index.ts";
import { isOwner, lifeOf, type Owner, thisOwner } from "../../process/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import { runLeaseName } from "./entry-layout.ts";

/** A lease that was not renewed for this long belongs to a run that died. */
const leaseLivesMs = 120_000;

/** How many entries to come are named in one write: twice as many each time, so that a small run names few in vain. */
const namesAhead = { first: 4, most: 256 };

export interface RunLeaseRecord {
  readonly runId: string;
  readonly startedAt: string;
  readonly renewedAt: string;
  /** Absent while the run continues. */
  readonly endedAt?: string;
  readonly owner?: Owner;
  /** Entries that the run reused or recorded. */
  readonly entries: readonly string[];
}

/** A lease as it was found. */
export interface RunLeaseFound extends RunLeaseRecord {
  /** Of the object. */
  readonly name: string;
  /** When it was last written, by the clock of the store: those of machines differ. */
  readonly modifiedAt: Date;
}

export interface RunLease {
  /**
   * Names an entry that the run is about to use or to record. Resolves when that is written, or could not be (which
   * was reported): what is taken away then is computed again. Many at the same time cost one write.
   */
  used(entryUuid: string): Promise<void>;
  /**
   * The name of a new entry, in the lease before anything of the entry is written. Names are written ahead, several at
   * once: the lease is one object, which each write sends as a whole. A name that is never used does no harm.
   */
  newUuid(): Promise<string>;
  /** Writes the last state and stops renewing. */
  close(): Promise<void>;
}

export interface RunLeaseOptions {
  readonly objects: ObjectStore;
  readonly cacheUuid: string;
  readonly runId: string;
  /** Default 20 s. */
  readonly renewEveryMs?: number;
  /** Called for every failed write; the run continues. */
  readonly onTrouble?: (error: unknown) => void;
}

export async function openRunLease(options: RunLeaseOptions, ask: Ask): Promise<RunLease> {
  const { objects, cacheUuid, runId } = options;
  const startedAt = new Date().toISOString();
  const entries = new Set<string>();
  const onTrouble = options.onTrouble ?? (() => undefined);
  const write = async (ended: boolean, writeAsk: Ask) => {
    const now = new Date().toISOString();
    const record: RunLeaseRecord = {
      runId,
      startedAt,
      renewedAt: now,
      ...(ended ? { endedAt: now } : {}),
      owner: thisOwner(),
      entries: [...entries],
    };
    await objects.put(runLeaseName(cacheUuid, runId), Buffer.from(JSON.stringify(record)), writeAsk);
  };
  await write(false, ask).catch((error) => {
    // A cache that may only be read has no leases; one that does not answer now may do so later.
    if (ask.signal.aborted || !isAppError(error, "STORE_UNREACHABLE")) throw error;
    onTrouble(error);
  });
  /** Whether the last state is written. */
  let writing: Promise<boolean> = Promise.resolve(true);
  let next: Promise<boolean> | undefined;
  /** What was named before this call is in the lease when it resolves. */
  const flush = () => {
    next ??= writing.then(async () => {
      await turn();
      next = undefined;
      writing = write(false, freshAsk()).then(
        () => true,
        (error) => {
          onTrouble(error);
          return false;
        },
      );
      return writing;
    });
    return next;
  };
  /** Names in the lease that no entry has yet. */
  let ahead: string[] = [];
  let naming: Promise<void> | undefined;
  let many = namesAhead.first;
  const nameMore = async () => {
    const names = Array.from({ length: many }, () => randomUUID());
    for (const name of names) entries.add(name);
    const isWritten = await flush();
    // What could not be written is tried again with the next name, which must not wait for it.
    ahead = isWritten ? names : names.slice(0, 1);
    for (const name of names.slice(ahead.length)) entries.delete(name);
    if (isWritten) many = Math.min(many * 2, namesAhead.most);
    naming = undefined;
  };
  const timer = setInterval(() => void flush(), options.renewEveryMs ?? 20_000);
  timer.unref();
  return {
    used: async (entryUuid) => {
      if (entries.has(entryUuid)) {
        // Named a moment ago, perhaps not yet written.
        await (next ?? writing);
        return;
      }
      entries.add(entryUuid);
      await flush();
    },
    newUuid: async () => {
      for (;;) {
        const name = ahead.pop();
        if (name !== undefined) return name;
        naming ??= nameMore();
        await naming;
      }
    },
    close: async () => {
      clearInterval(timer);
      await next;
      await writing;
      for (const name of ahead) entries.delete(name);
      await write(true, freshAsk()).catch(onTrouble);
    },
  };
}

/** Leases that are read ahead. */
const leasesAtOnce = 16;

/** Every lease of a cache; torn ones are left out. */
export async function* listRunLeases(
  objects: ObjectStore,
  cacheUuid: string,
  ask: Ask,
): AsyncIterable<RunLeaseFound> {
  const listed = objects.list(runLeaseName(cacheUuid, "").slice(0, -5), ask);
  const read = mapAhead(listed, leasesAtOnce, async (info) => ({
    ...info,
    bytes: await objects.read(info.name, ask),
  }));
  for await (const { name, modifiedAt, bytes } of read) {
    const record = bytes === undefined ? undefined : parseLease(bytes);
    if (record !== undefined) yield { ...record, name, modifiedAt };
  }
}

/**
 * `now`: by the clock of the store. A process on this machine that was only stopped, or that got no processor for long,
 * is alive whatever its lease says.
 */
export function isAlive(lease: RunLeaseFound, now: Date): boolean {
  if (lease.endedAt !== undefined) return false;
  if (lease.owner !== undefined && lifeOf(lease.owner) === "alive") return true;
  return now.getTime() - lease.modifiedAt.getTime() < leaseLivesMs;
}

function parseLease(bytes: Uint8Array): RunLeaseRecord | undefined {
  try {
    const { owner, ...record } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<RunLeaseRecord>;
    const whole =
      typeof record.runId === "string" &&
      typeof record.startedAt === "string" &&
      typeof record.renewedAt === "string" &&
      Array.isArray(record.entries);
    if (!whole) return undefined;
    return { ...(record as RunLeaseRecord), ...(isOwner(owner) ? { owner } : {}) };
  } catch {
    return undefined;
  }
}
