/** Opens the cache of a run: now, or during the run if it cannot be opened yet. */
import { randomUUID } from "node:crypto";
import {
  type CallLeases,
  folderLeases,
  LateLeases,
  LateStore,
  objectLeases,
  type RunCacheParts,
  tidyLeases,
} from "../../engine/index.ts";
import { type AppError, type Ask, defined, isAppError } from "../../kernel/index.ts";
import {
  type EntryNames,
  type KnownContents,
  openRunLease,
  pinEntry,
  type RunLease,
} from "../../store/entries/index.ts";
import type { Environment } from "../environment.ts";
import { renewMark } from "./cache-mark.ts";
import { type OpenCache, openCache, uriBeforeOpening } from "./cache-place.ts";
import type { CacheRecord } from "./cache-registry.ts";
import type { CacheOrder } from "./run-order.ts";
import { unstableTasks } from "./unstable-tasks.ts";

type RecordOrder = Extract<CacheOrder, { kind: "record" }>;

/** Marks the run as alive in a cache, so that pruning keeps what the run uses. */
export interface LeaseSlot {
  current: RunLease | undefined;
}

export interface LateCache {
  readonly record: CacheRecord;
  /** What is known of the address of its entries. */
  readonly uri: string;
  open(ask: Ask): Promise<OpenCache>;
}

/**
 * A cache that cannot be opened costs reuse, not the run; one that does not exist is the user's mistake. What may pass,
 * such as a server that does not answer, is tried again during the run.
 */
export async function openRunCache(
  order: CacheOrder,
  environment: Environment,
  { contents, names }: { readonly contents: KnownContents; readonly names: EntryNames | undefined },
  ask: Ask,
): Promise<{ readonly cache?: OpenCache; readonly late?: LateCache; readonly trouble?: string }> {
  if (order.kind === "none") return {};
  const { record } = order;
  const several = "take the last used";
  const options = { contents, several, ...defined({ names }) } as const;
  const open = (openAsk: Ask) => openCache(record, environment, options, openAsk);
  try {
    const cache = await open(ask);
    return { cache, ...defined({ trouble: cache.note }) };
  } catch (error) {
    if (!isAppError(error) || error.row.kind === "usage" || error.row.kind === "interrupted") throw error;
    const trouble = `${error.message}. ${error.hint}`;
    if (!mayPass(error)) return { trouble };
    const uri = await uriBeforeOpening(record, environment);
    return {
      late: { record, uri, open },
      trouble: `${trouble} Calls are computed meanwhile, and opening it is tried again.`,
    };
  }
}

/** Refusals of a file system that are of a moment. */
const passing = new Set([
  ...["EIO", "ESTALE", "ETIMEDOUT", "ENOTCONN", "EHOSTDOWN", "ENETDOWN"],
  ...["EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EBUSY", "EINTR"],
]);

function mayPass(error: AppError): boolean {
  return error.row.retry === "later" || passing.has(String(error.facts["system"]));
}

export function cacheParts(
  order: RecordOrder,
  cache: OpenCache,
  runId: string,
  lease: LeaseSlot,
  unstable: ReadonlySet<string> | undefined,
): RunCacheParts {
  return {
    ...policyParts(order),
    ...(unstable === undefined ? {} : { isExcluded: (task: string) => unstable.has(task) }),
    store: cache.entries,
    ...defined({ location: cache.sharedAt }),
    leases: leasesOf(cache, runId),
    ...namesOf(lease),
    pin: (uuid, ask) => pinEntry(cache, uuid, ask),
  };
}

function namesOf(lease: LeaseSlot): Required<Pick<RunCacheParts, "claim" | "newUuid">> {
  return {
    claim: async (uuid) => lease.current?.used(uuid),
    newUuid: async () => (await lease.current?.newUuid()) ?? randomUUID(),
  };
}

function leasesOf({ leases, objects, cacheUuid }: OpenCache, runId: string): CallLeases {
  return leases === undefined
    ? objectLeases(objects, `${cacheUuid}/leases/`, runId)
    : folderLeases(leases, runId);
}

export function lateParts(
  order: RecordOrder,
  late: LateCache,
  run: {
    readonly runId: string;
    readonly lease: LeaseSlot;
    readonly log: (words: string) => void;
  },
): RunCacheParts {
  const leases = new LateLeases();
  let unstable: ReadonlySet<string> | undefined;
  const open = async (ask: Ask) => {
    const cache = await late.open(ask);
    unstable = await excludedTasks(order, cache, ask);
    leases.use(leasesOf(cache, run.runId));
    if (cache.note !== undefined) run.log(cache.note);
    // Before anything is found or recorded, so that pruning keeps it.
    run.lease.current = await startLease(cache, run.runId, ask);
    const close = async () => {
      await run.lease.current?.close();
      if (cache.leases !== undefined) await tidyLeases(cache.leases);
      await cache.close();
    };
    return { store: cache.entries, close };
  };
  return {
    ...policyParts(order),
    isExcluded: (task) => unstable?.has(task) === true,
    store: new LateStore({ uri: late.uri, open }),
    opensLater: true,
    leases,
    ...namesOf(run.lease),
  };
}

/** undefined = none are excluded. */
export async function excludedTasks(
  order: RecordOrder,
  cache: OpenCache,
  ask: Ask,
): Promise<ReadonlySet<string> | undefined> {
  const { excludeUnstable = order.record.policies.excludeUnstable } = order;
  if (excludeUnstable !== true) return undefined;
  return new Set((await unstableTasks(cache, ask)).map(({ task }) => task));
}

function policyParts(
  order: RecordOrder,
): Pick<RunCacheParts, "behavior" | "hostTasks" | "resources" | "recordAt" | "name"> {
  const { record } = order;
  const { behavior, policies } = record;
  return {
    behavior: order.behavior ?? behavior,
    hostTasks: order.hostTasks === true || policies.hostTasks,
    resources: policies.resources,
    recordAt: policies.writeThrough ? "task-end" : "run-end",
    ...(record.kind === "named" ? { name: record.name } : {}),
  };
}

export async function startLease(
  cache: OpenCache | undefined,
  runId: string,
  ask: Ask,
): Promise<RunLease | undefined> {
  if (cache === undefined) return undefined;
  // A cache that may only be read keeps the mark that it has.
  if (cache.note === undefined) await renewMark(cache.objects, cache.cacheUuid, ask).catch(() => {});
  try {
    return await openRunLease({ objects: cache.objects, cacheUuid: cache.cacheUuid, runId }, ask);
  } catch {
    // A cache that may only be read is not pruned by us either.
    return undefined;
  }
}
