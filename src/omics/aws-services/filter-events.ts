/**
 * FilterLogEvents: the events of many streams in the order of time. One request looks at a bounded part of the streams
 * and returns what it found and where it stopped; the next request continues there.
 */
import type { LogLine, Logs, LogWindow } from "../../ledger/index.ts";

/** A place in the order of all events: by time, then stream, then position. */
export interface EventPlace {
  readonly at: number;
  readonly stream: string;
  readonly position: number;
}

export interface FoundEvent extends LogLine, EventPlace {}

export interface FilterQuery {
  readonly account: string;
  readonly streams: readonly string[];
  readonly matches: (message: string) => boolean;
  readonly since: number;
  readonly until: number;
  readonly limit: number;
  readonly after: EventPlace | undefined;
}

export interface FilterAnswer {
  readonly events: readonly FoundEvent[];
  /** Where the next request continues; undefined = everything was seen. */
  readonly next: EventPlace | undefined;
}

const linesAtOnce = 1_000;
const mostBytes = 1024 * 1024;
/** Of all streams together, for one request; each stream is looked at once at least. */
const mostScanned = 200_000;

export async function filterEvents(logs: Logs, query: FilterQuery): Promise<FilterAnswer> {
  const { account, streams, matches, limit, after } = query;
  const scannedPerStream = Math.max(linesAtOnce, Math.floor(mostScanned / Math.max(1, streams.length)));
  let found: FoundEvent[] = [];
  let bytes = 0;
  /** Everything up to here was looked at. */
  let end: EventPlace | undefined;
  const endAt = (place: EventPlace) => {
    if (end === undefined || comparePlaces(place, end) < 0) end = place;
  };
  const cut = () => {
    found.sort(comparePlaces);
    const kept: FoundEvent[] = [];
    bytes = 0;
    for (const event of found) {
      if (end !== undefined && comparePlaces(event, end) > 0) break;
      const last = kept.at(-1);
      if (last !== undefined && (kept.length === limit || bytes + event.message.length > mostBytes)) {
        endAt(placeOf(last));
        break;
      }
      kept.push(event);
      bytes += event.message.length;
    }
    found = kept;
  };
  for (const stream of streams) {
    let scanned = 0;
    let matched = 0;
    for (let from = 0; ; ) {
      const page = await logs.read(account, stream, windowOf(query, stream, from));
      // Short streams are rows of the database, which are read at once.
      await new Promise((resolve) => setImmediate(resolve));
      if (page === undefined || page.lines.length === 0) break;
      let passedEnd = false;
      for (const line of page.lines) {
        const place = { at: line.at, stream, position: line.start };
        if (after !== undefined && comparePlaces(place, after) <= 0) continue;
        passedEnd = end !== undefined && comparePlaces(place, end) > 0;
        if (passedEnd) break;
        if (!matches(line.message)) continue;
        found.push({ ...place, message: line.message });
        bytes += line.message.length;
        matched++;
      }
      if (passedEnd) break;
      from = page.next;
      scanned += page.lines.length;
      const last = page.lines.at(-1);
      if (last !== undefined && (matched >= limit || bytes > 2 * mostBytes || scanned >= scannedPerStream)) {
        endAt({ at: last.at, stream, position: last.start });
        break;
      }
    }
    if (found.length > 2 * limit || bytes > mostBytes) cut();
  }
  cut();
  return { events: found, next: end };
}

/** Streams are asked from the last event's time on: the streams before it in the alphabet may have more of that time. */
function windowOf({ since, until, after }: FilterQuery, stream: string, from: number): LogWindow {
  const earliest = Math.max(since, after?.at ?? 0);
  const known = after?.stream === stream ? after.position : 0;
  return { from: Math.max(from, known), since: earliest, until, limit: linesAtOnce };
}

function placeOf({ at, stream, position }: EventPlace): EventPlace {
  return { at, stream, position };
}

function comparePlaces(a: EventPlace, b: EventPlace): number {
  if (a.at !== b.at) return a.at - b.at;
  if (a.stream !== b.stream) return a.stream < b.stream ? -1 : 1;
  return a.position - b.position;
}
