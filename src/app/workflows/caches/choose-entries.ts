/** Which entries of a cache a command is about. */
import { AppError, type Ask } from "../../../kernel/index.ts";
import type { Entry } from "../../../store/entries/index.ts";
import type { OpenCache } from "../cache-place.ts";

/** All of them must hold. */
export interface EntryConditions {
  readonly task?: string;
  readonly run?: string;
  readonly workflow?: string;
  readonly olderThanMs?: number;
  readonly newerThanMs?: number;
  readonly largerThanBytes?: number;
}

export interface EntryChoice {
  readonly cache?: string;
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
  wish: { readonly entry?: string; readonly task?: string; readonly run?: string },
  ask: Ask,
): Promise<readonly Entry[]> {
  if (wish.entry !== undefined && wish.entry.length < shortestName)
    throw new AppError(
      "CLI_USAGE",
      `looking for the entry ${wish.entry}: give at least ${shortestName} characters`,
    );
  const found: Entry[] = [];
  for await (const entry of cache.entries.list(ask)) {
    const isNamed =
      wish.entry === undefined || entry.uuid.startsWith(wish.entry) || entry.key.startsWith(wish.entry);
    if (isNamed && isWanted(entry, { ...wish })) found.push(entry);
  }
  if (found.length > 0) return found;
  const asked = [wish.entry, wish.task, wish.run].filter((word) => word !== undefined).join(", ");
  throw new AppError(
    "CACHE_ENTRY_NOT_FOUND",
    `looking for ${asked} in ${cache.entries.uri}: nothing is recorded`,
  );
}

export function requireName(doing: string, wish: EntryChoice): void {
  if (wish.entry === undefined && wish.task === undefined && wish.run === undefined)
    throw new AppError("CLI_USAGE", `${doing}: name an entry, --task or --run`);
}

export function touched(found: readonly Entry[]): EntriesTouched {
  return { entries: found.map(({ uuid, taskName, callPath }) => ({ uuid, task: taskName, call: callPath })) };
}

const shortestName = 6;

export function isWanted(entry: Entry, wish: EntryConditions): boolean {
  const age = Date.now() - entry.createdAt.getTime();
  return (
    (wish.task === undefined || entry.taskName === wish.task) &&
    (wish.run === undefined || entry.runId === wish.run || entry.runId.endsWith(wish.run)) &&
    (wish.workflow === undefined || entry.workflow === wish.workflow) &&
    (wish.olderThanMs === undefined || age > wish.olderThanMs) &&
    (wish.newerThanMs === undefined || age < wish.newerThanMs) &&
    (wish.largerThanBytes === undefined || bytesOf(entry) > wish.largerThanBytes)
  );
}

export function bytesOf(entry: Entry): number {
  return entry.files.reduce((sum, file) => sum + file.sizeBytes, 0);
}
