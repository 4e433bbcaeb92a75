/** What part of a log stream is asked for, and what is answered: the same for streams in the database and in files. */

export interface LogLine {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly message: string;
}

/** A line with its place in its stream: `end` is where the next one starts or would start. */
export interface PlacedLine extends LogLine {
  readonly start: number;
  readonly end: number;
}

export interface LogWindow {
  /** Lines from this position on. */
  readonly from?: number;
  /** Lines before this position. */
  readonly before?: number;
  /** Lines of this time or later ones; epoch milliseconds. */
  readonly since?: number;
  /** Lines of earlier times than this. */
  readonly until?: number;
  /** Most lines; a page also ends at 1 MiB. */
  readonly limit: number;
  /** The last lines of the window instead of its first ones. */
  readonly newest?: true;
}

export interface LogPage {
  /** Oldest first. */
  readonly lines: readonly PlacedLine[];
  /** Where what follows the page starts: for `from`. Without lines, where the question stood. */
  readonly next: number;
  /** Where the page starts: for `before`. */
  readonly previous: number;
}

/** As much as one page holds, counted as CloudWatch Logs does. */
export const pageBytes = 1024 * 1024;
const lineOverhead = 26;

export function sizeOf(line: LogLine): number {
  return Buffer.byteLength(line.message) + lineOverhead;
}

export function emptyPage({ from, before }: LogWindow): LogPage {
  const place = from ?? before ?? 0;
  return { lines: [], next: place, previous: place };
}
