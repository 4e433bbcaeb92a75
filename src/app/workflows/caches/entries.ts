/** `memoir cache entries`: what is in a cache, page by page. */
import { byCodeUnit } from "../../../hash/index.ts";
import { AppError, type Ask } from "../../../kernel/index.ts";
import { type Entry, listPins, storedBytes } from "../../../store/entries/index.ts";
import type { Environment } from "../../environment.ts";
import { rechecksOf } from "../../history/recheck-history.ts";
import { unstableTasks } from "../unstable-tasks.ts";
import { bytesOf, type EntryConditions, isWanted } from "./choose-entries.ts";
import { type CacheChoice, withCache } from "./use-cache.ts";

export interface EntriesOptions extends EntryConditions {
  readonly cache?: CacheChoice;
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

export interface EntryPage {
  readonly entries: readonly EntryRow[];
  /** Of all pages. */
  readonly total: number;
  readonly nextCursor?: string;
}

export interface EntryRow {
  readonly uuid: string;
  readonly key: string;
  readonly task: string;
  readonly call: string;
  readonly run: string;
  readonly workflow: string;
  readonly createdAt: string;
  /** Of its results. */
  readonly bytes: number;
  /** With its record and logs: what a budget and pruning count. */
  readonly storedBytes: number;
  readonly files: number;
  readonly seconds: number;
  readonly uri: string;
  readonly pinned: boolean;
  /** Its task gave other results when a run computed it again for comparison. */
  readonly differs?: boolean;
}

/** Newest first. */
export async function listEntries(
  options: EntriesOptions,
  environment: Environment,
  ask: Ask,
): Promise<EntryPage> {
  return withCache(options.cache, environment, ask, async (cache) => {
    const pins = await listPins(cache, ask);
    const rechecked = await rechecksOf(cache.record.location, environment);
    const differing = new Set(rechecked.filter(({ differs }) => differs > 0).map(({ task }) => task));
    for (const { task } of await unstableTasks(cache, ask)) differing.add(task);
    const stored = await storedBytes(cache, ask);
    const rows: EntryRow[] = [];
    for await (const entry of cache.entries.list(ask))
      if (isWanted(entry, options))
        rows.push({
          ...entryRow(entry, { pins, stored }),
          ...(differing.has(entry.taskName) ? { differs: true } : {}),
        });
    rows.sort((a, b) => byCodeUnit(placeOf(b), placeOf(a)));
    const after = options.cursor === undefined ? undefined : placeIn(options.cursor);
    const rest = after === undefined ? rows : rows.filter((row) => placeOf(row) < after);
    const shown = rest.slice(0, options.limit ?? rest.length);
    const last = shown.at(-1);
    const hasMore = last !== undefined && shown.length < rest.length;
    return {
      entries: shown,
      total: rows.length,
      ...(hasMore ? { nextCursor: Buffer.from(placeOf(last)).toString("base64url") } : {}),
    };
  });
}

/** In the order of time, and of their names where times are equal. */
function placeOf({ createdAt, uuid }: EntryRow): string {
  return `${createdAt} ${uuid}`;
}

/** Throws LEDGER_TOKEN_INVALID. */
function placeIn(cursor: string): string {
  const place = Buffer.from(cursor, "base64url").toString("utf8");
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z [\x21-\x7e]+$/.test(place)) return place;
  throw new AppError(
    "LEDGER_TOKEN_INVALID",
    "listing further entries: the cursor is not one that was handed out",
  );
}

function entryRow(
  entry: Entry,
  { pins, stored }: { readonly pins: ReadonlySet<string>; readonly stored: ReadonlyMap<string, number> },
): EntryRow {
  return {
    uuid: entry.uuid,
    key: entry.key,
    task: entry.taskName,
    call: entry.callPath,
    run: entry.runId,
    workflow: entry.workflow,
    createdAt: entry.createdAt.toISOString(),
    bytes: bytesOf(entry),
    storedBytes: stored.get(entry.uuid) ?? 0,
    files: entry.files.length,
    seconds: entry.cost.wallSeconds,
    uri: entry.uri,
    pinned: pins.has(entry.uuid),
  };
}
