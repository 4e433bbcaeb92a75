/** Which entries of a cache a command is about. */
import { AppError, type Ask } from "../../../kernel/index.ts";
import type { Entry } from "../../../store/entries/index.ts";
import type { OpenCache } from "../cache-place.ts";
import type { CacheChoice } from "./use-cache.ts";

/** All of them must hold. */
export interface EntryConditions {
  readonly task?: string;
  readonly run?: string;
  readonly workflow?: string;
  /** Part of its task, call, workflow, run, uuid or key, in either case. */
  readonly search?: string;
  readonly olderThanMs?: number;
  readonly newerThanMs?: number;
  readonly largerThanBytes?: number;
}

export interface EntryChoice {
  readonly cache?: CacheChoice;
  /** Uuid or key of an entry, or the beginning of either. */
  readonly entry?: string;
  readonly task?: string;
  readonly run?: string;
}

export interface EntriesTouched {
  readonly entries: readonly { readonly uuid: string; readonly task: string; readonly call: string }[];
}

export async function entriesNamed(
  cache: OpenCache,
  options: { readonly entry?: string; readonly task?: string; readonly run?: string },
  ask: Ask,
): Promise<readonly Entry[]> {
  if (options.entry !== undefined && options.entry.length < shortestName)
    throw new AppError(
      "CLI_USAGE",
      `looking for the entry ${options.entry}: give at least ${shortestName} characters`,
    );
  const found: Entry[] = [];
  for await (const entry of cache.entries.list(ask)) {
    const isNamed =
      options.entry === undefined ||
      entry.uuid.startsWith(options.entry) ||
      entry.key.startsWith(options.entry);
    if (isNamed && isWanted(entry, { ...options })) found.push(entry);
  }
  if (found.length > 0) return found;
  const asked = [options.entry, options.task, options.run].filter((word) => word !== undefined).join(", ");
  throw new AppError(
    "CACHE_ENTRY_NOT_FOUND",
    `looking for ${asked} in ${cache.entries.uri}: nothing is recorded`,
  );
}

export function requireName(doing: string, options: EntryChoice): void {
  if (options.entry === undefined && options.task === undefined && options.run === undefined)
    throw new AppError("CLI_USAGE", `${doing}: name an entry, --task or --run`);
}

export function touched(found: readonly Entry[]): EntriesTouched {
  return { entries: found.map(({ uuid, taskName, callPath }) => ({ uuid, task: taskName, call: callPath })) };
}

const shortestName = 6;

export function isWanted(entry: Entry, options: EntryConditions): boolean {
  const age = Date.now() - entry.createdAt.getTime();
  return (
    (options.task === undefined || entry.taskName === options.task) &&
    (options.run === undefined || entry.runId === options.run || entry.runId.endsWith(options.run)) &&
    (options.workflow === undefined || entry.workflow === options.workflow) &&
    (options.search === undefined || wordsOf(entry).includes(options.search.toLowerCase())) &&
    (options.olderThanMs === undefined || age > options.olderThanMs) &&
    (options.newerThanMs === undefined || age < options.newerThanMs) &&
    (options.largerThanBytes === undefined || bytesOf(entry) > options.largerThanBytes)
  );
}

function wordsOf({ taskName, callPath, workflow, runId, uuid, key }: Entry): string {
  return [taskName, callPath, workflow, runId, uuid, key].join(" ").toLowerCase();
}

export function bytesOf(entry: Entry): number {
  return entry.files.reduce((sum, file) => sum + file.sizeBytes, 0);
}
