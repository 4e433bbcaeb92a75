/**
 * Log streams by name. Short ones (runs, engines, caches, manifests) are rows of the database; what tasks say is kept in
 * files next to it, because it may be large.
 */
import { join } from "node:path";
import { LogFileWriter, readLogFile } from "./log-file.ts";
import {
  emptyPage,
  type LogLine,
  type LogPage,
  type LogWindow,
  type PlacedLine,
  pageBytes,
  sizeOf,
} from "./log-window.ts";
import type { Sql, SqlValue } from "./open-sql.ts";

export interface LogStream {
  readonly name: string;
  /** Epoch milliseconds; undefined while nothing was written. */
  readonly firstAt: number | undefined;
  readonly lastAt: number | undefined;
}

export interface StreamQuery {
  readonly prefix?: string;
  readonly order?: "name" | "last-written";
  readonly descending?: true;
  /** The stream after which (in that order) the list continues. */
  readonly after?: string;
  readonly limit: number;
}

type StreamKind = "lines" | "file";

interface Touched {
  readonly account: string;
  readonly name: string;
  readonly kind: StreamKind;
  readonly firstAt: number;
  lastAt: number;
}

const logDelayMs = 50;
const mostWaitingLines = 1000;

export class Logs {
  readonly #sql: Sql;
  readonly #folder: string;
  #waiting: [account: string, stream: string, at: number, message: string][] = [];
  #touched = new Map<string, Touched>();
  #timer: NodeJS.Timeout | undefined;
  #lastAt = 0;

  constructor(sql: Sql, folder: string) {
    this.#sql = sql;
    this.#folder = folder;
  }

  /**
   * Log lines are written together, a moment later: a killed process may lose the last of them, never a change of
   * state. Readers of these logs see every line.
   */
  append(account: string, stream: string, lines: readonly LogLine[]): void {
    for (const { at, message } of lines) {
      const time = this.#timeOf(at);
      this.#waiting.push([account, stream, time, message]);
      this.#touch(account, stream, "lines", time);
    }
    if (this.#waiting.length >= mostWaitingLines) this.flush();
  }

  /** A stream that may become large. It is there from now on, also while nothing was written to it. */
  openFile(account: string, stream: string): LogFileWriter {
    this.#sql.run(
      "INSERT INTO log_stream (account, name, kind) VALUES (?, ?, 'file') ON CONFLICT (account, name) DO NOTHING",
      [account, stream],
    );
    return new LogFileWriter(this.#pathOf(account, stream), () => {
      const at = this.#timeOf(Date.now());
      this.#touch(account, stream, "file", at);
      return at;
    });
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#waiting;
    const touched = [...this.#touched.values()];
    if (touched.length === 0) return;
    this.#waiting = [];
    this.#touched = new Map();
    this.#sql.transaction(() => {
      for (const line of lines)
        this.#sql.run("INSERT INTO log_line (account, stream, at, message) VALUES (?, ?, ?, ?)", line);
      for (const { account, name, kind, firstAt, lastAt } of touched)
        this.#sql.run(
          "INSERT INTO log_stream (account, name, kind, first_at, last_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (account, name) DO UPDATE SET first_at = coalesce(first_at, excluded.first_at), last_at = excluded.last_at",
          [account, name, kind, firstAt, lastAt],
        );
    });
  }

  /** undefined when there is no such stream. */
  async read(account: string, stream: string, window: LogWindow): Promise<LogPage | undefined> {
    this.flush();
    const [row] = this.#sql.all("SELECT kind FROM log_stream WHERE account = ? AND name = ?", [
      account,
      stream,
    ]);
    if (row === undefined) return undefined;
    return row["kind"] === "file"
      ? readLogFile(this.#pathOf(account, stream), window)
      : this.#readLines(account, stream, window);
  }

  /** Every line of a window, page by page, oldest first. */
  async *lines(account: string, stream: string, from = 0): AsyncGenerator<PlacedLine> {
    for (let place = from; ; ) {
      const page = await this.read(account, stream, { from: place, limit: 10_000 });
      if (page === undefined || page.lines.length === 0) return;
      yield* page.lines;
      place = page.next;
    }
  }

  streams(account: string, query: StreamQuery): readonly LogStream[] {
    this.flush();
    const { prefix = "", after, limit } = query;
    const conditions = ["account = ?"];
    const values: SqlValue[] = [account];
    if (prefix !== "") {
      conditions.push("name >= ? AND name < ?");
      // No character comes after this one.
      values.push(prefix, `${prefix}\u{10FFFF}`);
    }
    const [order, beyond] = query.descending ? (["DESC", "<"] as const) : (["ASC", ">"] as const);
    const byTime = query.order === "last-written";
    // Who asks by time does arithmetic with it; a stream to which nothing was written has none.
    if (byTime) conditions.push("last_at IS NOT NULL");
    if (after !== undefined) {
      const lastOf = "(SELECT coalesce(last_at, 0) FROM log_stream WHERE account = ? AND name = ?)";
      conditions.push(byTime ? `(coalesce(last_at, 0), name) ${beyond} (${lastOf}, ?)` : `name ${beyond} ?`);
      values.push(...(byTime ? [account, after, after] : [after]));
    }
    const columns = byTime ? `coalesce(last_at, 0) ${order}, name ${order}` : `name ${order}`;
    return this.#sql
      .all(
        `SELECT name, first_at, last_at FROM log_stream WHERE ${conditions.join(" AND ")} ORDER BY ${columns} LIMIT ?`,
        [...values, limit],
      )
      .map((row) => ({
        name: String(row["name"]),
        firstAt: timeOrNone(row["first_at"]),
        lastAt: timeOrNone(row["last_at"]),
      }));
  }

  #readLines(account: string, stream: string, window: LogWindow): LogPage {
    const { from = 0, before = Number.MAX_SAFE_INTEGER, limit } = window;
    const { since = 0, until = Number.MAX_SAFE_INTEGER } = window;
    const rows = this.#sql.all(
      `SELECT seq, at, message FROM log_line WHERE account = ? AND stream = ? AND seq >= ? AND seq < ? AND at >= ? AND at < ? ORDER BY seq ${window.newest ? "DESC" : "ASC"} LIMIT ?`,
      [account, stream, from, before, since, until, limit],
    );
    const lines: PlacedLine[] = [];
    let bytes = 0;
    for (const row of rows) {
      const start = Number(row["seq"]);
      const line = { at: Number(row["at"]), message: String(row["message"]), start, end: start + 1 };
      bytes += sizeOf(line);
      if (bytes > pageBytes && lines.length > 0) break;
      lines.push(line);
    }
    if (window.newest) lines.reverse();
    const [first, last] = [lines[0], lines.at(-1)];
    if (first === undefined || last === undefined) return emptyPage(window);
    return { lines, previous: first.start, next: last.end };
  }

  /** Names of streams are our own: their parts are words, ids and uuids. */
  #pathOf(account: string, stream: string): string {
    return join(this.#folder, account, `${stream}.log`);
  }

  /** Times never go back, whatever the machine's clock does: readers continue from the last time that they saw. */
  #timeOf(at: number): number {
    this.#lastAt = Math.max(this.#lastAt, at);
    return this.#lastAt;
  }

  #touch(account: string, name: string, kind: StreamKind, at: number): void {
    const key = `${account}\n${name}`;
    const known = this.#touched.get(key);
    if (known === undefined) this.#touched.set(key, { account, name, kind, firstAt: at, lastAt: at });
    else known.lastAt = at;
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.flush(), logDelayMs);
    this.#timer.unref();
  }
}

function timeOrNone(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
