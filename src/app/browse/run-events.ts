/**
 * Events of a run from its `events.jsonl`, page by page or as they happen. A cursor is the engine's run and the byte
 * after the event; a run that a restarted server resumed continues in another file.
 */
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { TimedEvent } from "../../engine/index.ts";
import { AppError, type Ask, checkAsk, pause, systemErrorCode } from "../../kernel/index.ts";

export interface EventPlace {
  /** The engine's name of the run. */
  readonly run: string;
  readonly directory: string;
}

export interface EventSource {
  /** undefined = the run has not begun. */
  current(): Promise<EventPlace | undefined>;
  hasEnded(): Promise<boolean>;
}

export interface PlacedEvent {
  /** Continues after this event. */
  readonly cursor: string;
  readonly event: TimedEvent;
}

/** `idle`: nothing happened for a while. */
export type Followed = ({ readonly kind: "event" } & PlacedEvent) | { readonly kind: "idle" };

export interface EventPage {
  readonly events: readonly TimedEvent[];
  /** Continues here; absent when the run has ended and this is its last page. */
  readonly nextCursor?: string;
}

export async function eventPage(
  source: EventSource,
  options: { readonly cursor?: string; readonly limit: number },
): Promise<EventPage> {
  const ended = await source.hasEnded();
  const place = await source.current();
  if (place === undefined) return { events: [], ...(ended ? {} : { nextCursor: cursorOf("", 0) }) };
  const from = offsetIn(place, options.cursor);
  const found = await readFrom(place, from, options.limit);
  const last = found.at(-1)?.end ?? from;
  const isLast = ended && found.length < options.limit;
  return {
    events: found.map(({ event }) => event),
    ...(isLast ? {} : { nextCursor: cursorOf(place.run, last) }),
  };
}

/** How often a run that is continuing is looked at. */
const lookAgainMs = 250;
const eventsAtOnce = 500;

/** Ends when the run has ended and every event was handed out. */
export async function* followEvents(
  source: EventSource,
  after: string | undefined,
  ask: Ask,
): AsyncGenerator<Followed> {
  let cursor = after;
  // What is written between the look at the run and the look at its file belongs to it, too.
  for (let looksAfterEnd = 0; ; ) {
    const ended = await source.hasEnded();
    const place = await source.current();
    const found = place === undefined ? [] : await readFrom(place, offsetIn(place, cursor), eventsAtOnce);
    for (const { event, end } of found) {
      cursor = cursorOf(place?.run ?? "", end);
      yield { kind: "event", cursor, event };
    }
    if (found.length === eventsAtOnce) continue;
    if (ended && looksAfterEnd++ > 0) return;
    if (!ended) looksAfterEnd = 0;
    yield { kind: "idle" };
    await pause(lookAgainMs, ask);
    checkAsk(ask, "following the events of a run");
  }
}

function cursorOf(run: string, offset: number): string {
  return Buffer.from(JSON.stringify([run, offset])).toString("base64url");
}

/** Throws LEDGER_TOKEN_INVALID. A cursor of an earlier engine run begins at the start of this one. */
function offsetIn({ run }: EventPlace, cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const [at, offset] = parseCursor(cursor);
  return at === run ? offset : 0;
}

export function parseCursor(cursor: string): readonly [run: string, offset: number] {
  try {
    const value = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")) as unknown;
    const [run, offset] = Array.isArray(value) ? (value as readonly unknown[]) : [];
    if (typeof run === "string" && Number.isSafeInteger(offset) && Number(offset) >= 0)
      return [run, Number(offset)];
  } catch {
    // Reported below.
  }
  throw new AppError(
    "LEDGER_TOKEN_INVALID",
    "reading further events: the cursor is not one that was handed out",
  );
}

const firstReadBytes = 256 * 1024;
/** No event is larger; what is was not written by Memoir. */
const mostReadBytes = 64 * 1024 * 1024;

interface ReadEvent {
  readonly event: TimedEvent;
  /** The byte after it. */
  readonly end: number;
}

/** Everything from a byte on. */
export async function* eventsFrom(directory: string, from: number): AsyncGenerator<ReadEvent> {
  for (let at = from; ; ) {
    const found = await readFrom({ run: "", directory }, at, eventsAtOnce);
    yield* found;
    at = found.at(-1)?.end ?? at;
    if (found.length < eventsAtOnce) return;
  }
}

/** Whole lines from a byte on; a line that is being written is left for the next time. */
async function readFrom(
  { directory }: EventPlace,
  from: number,
  limit: number,
): Promise<readonly ReadEvent[]> {
  const file = await open(join(directory, "events.jsonl"), "r").catch((error) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return [];
  try {
    const found: ReadEvent[] = [];
    let at = from;
    for (let size = firstReadBytes; found.length < limit && size <= mostReadBytes; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(size), 0, size, at);
      const bytes = buffer.subarray(0, bytesRead);
      const end = bytes.lastIndexOf(0x0a);
      if (end < 0 && bytesRead < size) break;
      if (end < 0) {
        size *= 2;
        continue;
      }
      for (let start = 0; start <= end && found.length < limit; ) {
        const lineEnd = bytes.indexOf(0x0a, start);
        const event = parseLine(bytes.toString("utf8", start, lineEnd));
        start = lineEnd + 1;
        if (event !== undefined) found.push({ event, end: at + start });
      }
      at += end + 1;
    }
    return found;
  } finally {
    await file.close();
  }
}

function parseLine(line: string): TimedEvent | undefined {
  try {
    return JSON.parse(line) as TimedEvent;
  } catch {
    return undefined;
  }
}
