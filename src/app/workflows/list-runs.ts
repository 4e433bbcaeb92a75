/** Runs as rows, newest first and page by page, from one place or from several merged by time. */
import { join } from "node:path";
import { type CallCounts, readRunJson, type ShownState, shownState } from "../../engine/index.ts";
import { AppError, type Ask, checkAsk, defined } from "../../kernel/index.ts";
import type { runOrders } from "./run-lists.ts";
import { type FoundRun, namesOfRuns } from "./runs-folder.ts";

interface AnyRunRow {
  readonly id: string;
  readonly workflow: string;
  readonly endedAt?: string;
  readonly calls?: CallCounts;
  /** Seconds of computing that reuse saved. */
  readonly savedSeconds?: number;
}

/** A run of the command line, in a local folder of runs. */
export interface RunRow extends AnyRunRow {
  readonly origin: "home";
  readonly state: ShownState;
  readonly startedAt: string;
  readonly directory: string;
  /** Its folder was moved or deleted: this is what was known of it. */
  readonly gone?: boolean;
}

/** A run of the HealthOmics server. */
export interface ServerRunRow extends AnyRunRow {
  readonly origin: "server";
  readonly name?: string;
  readonly state: ShownState | "pending";
  readonly createdAt: string;
  readonly startedAt?: string;
  /** Why it failed, or what it waits for. */
  readonly message?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export type ListedRun = RunRow | ServerRunRow;

export interface RunSource {
  /** Newest first; only what comes after this position. */
  rows(after: string | undefined): AsyncIterable<PlacedRow>;
}

interface PlacedRow {
  readonly position: string;
  /** ISO 8601; what sources are merged by. */
  readonly at: string;
  /** Absent where another source has it: nobody looks further in this one than the page needs. */
  readonly row?: ListedRun;
}

export interface ListRunsOptions {
  /** Default: all. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
  readonly state?: ListedRun["state"];
  readonly workflow?: string;
  /** Part of its id, name or workflow, in either case. */
  readonly search?: string;
  /** ISO 8601: only those that began then or later. */
  readonly since?: string;
  /** ISO 8601: only those that began before. */
  readonly until?: string;
  /** `KEY` or `KEY=VALUE`: only runs of the server with this tag. */
  readonly tag?: string;
  /** Default: newest first. */
  readonly sort?: (typeof runOrders)[number];
}

export interface RunPage {
  readonly runs: readonly ListedRun[];
  /** There are more. */
  readonly nextCursor?: string;
}

/** Throws LEDGER_TOKEN_INVALID for a cursor that was not handed out. */
export async function listRunPage(
  sources: Readonly<Record<string, RunSource>>,
  options: ListRunsOptions,
  ask: Ask,
): Promise<RunPage> {
  if (options.sort !== undefined && options.sort !== "newest") return sortedPage(sources, options, ask);
  const positions = positionsOf(options.cursor, Object.keys(sources));
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  const runs: ListedRun[] = [];
  let nextCursor: string | undefined;
  const search = options.search?.toLowerCase();
  for await (const { source, position, at, row } of merged(sources, positions)) {
    checkAsk(ask, "listing runs");
    if (options.since !== undefined && at < options.since) break;
    const isWanted =
      row !== undefined &&
      (options.state === undefined || row.state === options.state) &&
      (options.workflow === undefined || row.workflow === options.workflow) &&
      (options.until === undefined || at < options.until) &&
      (options.tag === undefined || hasTag(row, options.tag)) &&
      (search === undefined || wordsOf(row).includes(search));
    if (isWanted && runs.length === limit) {
      nextCursor = cursorOf(positions);
      break;
    }
    positions[source] = position;
    if (isWanted) runs.push(row);
  }
  return { runs, ...defined({ nextCursor }) };
}

/** All that fit, in another order: a position is a number, since there is no time to continue from. */
async function sortedPage(
  sources: Readonly<Record<string, RunSource>>,
  { sort = "newest", cursor, limit = Number.POSITIVE_INFINITY, ...filters }: ListRunsOptions,
  ask: Ask,
): Promise<RunPage> {
  const from = sortedPosition(cursor);
  const { runs } = await listRunPage(sources, filters, ask);
  const sorted = sort === "oldest" ? runs.toReversed() : runs.toSorted(orders[sort]);
  const shown = sorted.slice(from, from + limit);
  const next = from + shown.length;
  return { runs: shown, ...(next < sorted.length ? { nextCursor: `sorted-${next}` } : {}) };
}

const orders: Readonly<
  Record<Exclude<(typeof runOrders)[number], "oldest">, (a: ListedRun, b: ListedRun) => number>
> = {
  newest: () => 0,
  workflow: (a, b) => (a.workflow < b.workflow ? -1 : a.workflow > b.workflow ? 1 : 0),
  duration: (a, b) => secondsOf(b) - secondsOf(a),
  saved: (a, b) => (b.savedSeconds ?? 0) - (a.savedSeconds ?? 0),
};

/** A run that has not ended is as long as it has run until now. */
function secondsOf({ startedAt, endedAt }: ListedRun): number {
  if (startedAt === undefined) return 0;
  return (endedAt === undefined ? Date.now() : Date.parse(endedAt)) - Date.parse(startedAt);
}

function sortedPosition(cursor: string | undefined): number {
  const [, text] = /^sorted-(\d{1,9})$/.exec(cursor ?? "sorted-0") ?? [];
  if (text !== undefined) return Number(text);
  throw wrongCursor();
}

function hasTag(row: ListedRun, tag: string): boolean {
  const tags = row.origin === "server" ? (row.tags ?? {}) : {};
  const [, key = tag, value] = /^([^=]*)(?:=([\s\S]*))?$/.exec(tag) ?? [];
  return Object.hasOwn(tags, key) && (value === undefined || tags[key] === value);
}

function wordsOf(row: ListedRun): string {
  return [row.id, row.workflow, row.origin === "server" ? row.name : undefined].join(" ").toLowerCase();
}

async function* merged(
  sources: Readonly<Record<string, RunSource>>,
  positions: Readonly<Record<string, string>>,
): AsyncGenerator<PlacedRow & { readonly source: string }> {
  const heads = new Map<string, { readonly rest: AsyncIterator<PlacedRow>; readonly head: PlacedRow }>();
  const advance = async (source: string, rest: AsyncIterator<PlacedRow>) => {
    const next = await rest.next();
    if (next.done === true) heads.delete(source);
    else heads.set(source, { rest, head: next.value });
  };
  for (const [name, source] of Object.entries(sources))
    await advance(name, source.rows(positions[name])[Symbol.asyncIterator]());
  try {
    for (;;) {
      const [newest] = [...heads].sort(([, a], [, b]) =>
        a.head.at < b.head.at ? 1 : a.head.at > b.head.at ? -1 : 0,
      );
      if (newest === undefined) return;
      const [source, { head, rest }] = newest;
      yield { ...head, source };
      await advance(source, rest);
    }
  } finally {
    for (const { rest } of heads.values()) await rest.return?.();
  }
}

function cursorOf(positions: Readonly<Record<string, string>>): string {
  return Buffer.from(JSON.stringify(positions)).toString("base64url");
}

function positionsOf(cursor: string | undefined, names: readonly string[]): Record<string, string> {
  if (cursor === undefined) return {};
  try {
    const value = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")) as unknown;
    const entries = Object.entries(value as object);
    if (entries.length > 0 && entries.every(([name, at]) => names.includes(name) && typeof at === "string"))
      return Object.fromEntries(entries);
  } catch {
    // Reported below.
  }
  throw wrongCursor();
}

function wrongCursor(): AppError {
  return new AppError(
    "LEDGER_TOKEN_INVALID",
    "listing a further page: the cursor is not one that was handed out",
  );
}

/** Runs of the command line below a folder. Their names begin with their time. */
export function homeRuns(folder: string): RunSource {
  return {
    async *rows(after) {
      const names = (await namesOfRuns(folder)).filter((name) => /^[0-9A-Za-z]/.test(name));
      for (const name of names.sort().reverse()) {
        if (after !== undefined && name >= after) continue;
        const directory = join(folder, name);
        const record = await readRunJson(directory);
        if (record !== undefined)
          yield { position: name, at: record.startedAt, row: rowOf({ record, directory }) };
      }
    },
  };
}

export function rowOf({ record, directory }: FoundRun): RunRow {
  const { id, workflow, startedAt, endedAt, calls, savedSeconds } = record;
  return {
    id,
    origin: "home",
    workflow,
    state: shownState(record),
    startedAt,
    ...defined({ endedAt, calls, savedSeconds }),
    directory,
  };
}
