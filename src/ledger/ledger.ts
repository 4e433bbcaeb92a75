/**
 * The ledger: the durable record of runs, tasks and caches behind the server. Every change is on disk before the call
 * returns; several changes that belong together go into one `transaction`.
 */
import { digestOf } from "../hash/index.ts";
import { openSql, type Sql } from "./open-sql.ts";
import type {
  BatchRecord,
  BatchRunRecord,
  ConfigurationRecord,
  RunCacheRecord,
  RunGroupRecord,
  RunRecord,
  TaskRecord,
  WorkflowRecord,
  WorkflowVersionRecord,
} from "./records.ts";
import { Table } from "./table.ts";

export interface LogLine {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly message: string;
}

export interface LogPage {
  readonly lines: readonly (LogLine & { readonly seq: number })[];
}

export type Remembered =
  | { readonly kind: "new" }
  /** The same request was answered before. */
  | { readonly kind: "answered"; readonly answer: string }
  /** The id was used for another request. */
  | { readonly kind: "conflict" };

const firstId = 1_000_000;
const idsAtOnce = 64;
const logDelayMs = 50;
const mostWaitingLines = 1000;

export class Ledger {
  readonly runCaches: Table<RunCacheRecord>;
  readonly workflows: Table<WorkflowRecord>;
  readonly workflowVersions: Table<WorkflowVersionRecord>;
  readonly runGroups: Table<RunGroupRecord>;
  readonly runs: Table<RunRecord>;
  readonly tasks: Table<TaskRecord>;
  readonly batches: Table<BatchRecord>;
  readonly batchRuns: Table<BatchRunRecord>;
  readonly configurations: Table<ConfigurationRecord>;
  readonly #sql: Sql;
  #nextId = 0;
  #idsEnd = 0;
  #waiting: [account: string, stream: string, at: number, message: string][] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
    // Ids that were set aside in a transaction that was taken back are not ours.
    sql.onRollback(() => {
      this.#idsEnd = this.#nextId;
    });
    this.runCaches = new Table(sql, "run_cache");
    this.workflows = new Table(sql, "workflow");
    this.workflowVersions = new Table(sql, "workflow_version");
    this.runGroups = new Table(sql, "run_group");
    this.runs = new Table(sql, "run");
    this.tasks = new Table(sql, "task");
    this.batches = new Table(sql, "batch");
    this.batchRuns = new Table(sql, "batch_run");
    this.configurations = new Table(sql, "configuration");
  }

  transaction<T>(work: () => T): T {
    return this.#sql.transaction(work);
  }

  /** A new id: seven decimal digits at first, never given twice. A restart leaves out what was set aside. */
  nextId(): string {
    if (this.#nextId >= this.#idsEnd) {
      // Set aside before the first is used, so that taking one of them costs no write.
      this.#idsEnd = this.transaction(() => {
        const add = `INSERT INTO counter (name, value) VALUES ('id', ${firstId + idsAtOnce}) ON CONFLICT (name) DO UPDATE SET value = value + ${idsAtOnce}`;
        this.#sql.run(add, []);
        const [row] = this.#sql.all("SELECT value FROM counter WHERE name = 'id'", []);
        return Number(row?.["value"]);
      });
      this.#nextId = this.#idsEnd - idsAtOnce;
    }
    this.#nextId++;
    return String(this.#nextId);
  }

  /** What is known of a request id; `request` is the whole decoded request. */
  recall(at: { account: string; operation: string; requestId: string }, request: string): Remembered {
    const [row] = this.#sql.all(
      "SELECT request_digest, answer FROM answered WHERE account = ? AND operation = ? AND request_id = ?",
      [at.account, at.operation, at.requestId],
    );
    if (row === undefined) return { kind: "new" };
    return row["request_digest"] === digestOf(request)
      ? { kind: "answered", answer: String(row["answer"]) }
      : { kind: "conflict" };
  }

  remember(
    at: { account: string; operation: string; requestId: string },
    request: string,
    answer: string,
  ): void {
    this.#sql.run(
      "INSERT INTO answered (account, operation, request_id, request_digest, answer) VALUES (?, ?, ?, ?, ?)",
      [at.account, at.operation, at.requestId, digestOf(request), answer],
    );
  }

  /**
   * Log lines are written together, a moment later: a killed process may lose the last of them, never a change of
   * state. Readers of this ledger see every line.
   */
  log(account: string, stream: string, lines: readonly LogLine[]): void {
    for (const { at, message } of lines) this.#waiting.push([account, stream, at, message]);
    if (this.#waiting.length >= mostWaitingLines) this.#flush();
    else if (this.#timer === undefined && this.#waiting.length > 0) {
      this.#timer = setTimeout(() => this.#flush(), logDelayMs);
      this.#timer.unref();
    }
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#waiting;
    if (lines.length === 0) return;
    this.#waiting = [];
    this.transaction(() => {
      for (const line of lines)
        this.#sql.run("INSERT INTO log_line (account, stream, at, message) VALUES (?, ?, ?, ?)", line);
    });
  }

  /** Lines after (or, backward, before) a sequence number, oldest first. */
  readLog(
    account: string,
    stream: string,
    window: {
      readonly after?: number;
      readonly before?: number;
      readonly limit: number;
      readonly newest?: true;
    },
  ): LogPage {
    this.#flush();
    const after = window.after ?? 0;
    const before = window.before ?? Number.MAX_SAFE_INTEGER;
    const order = window.newest ? "DESC" : "ASC";
    const rows = this.#sql.all(
      `SELECT seq, at, message FROM log_line WHERE account = ? AND stream = ? AND seq > ? AND seq < ? ORDER BY seq ${order} LIMIT ?`,
      [account, stream, after, before, window.limit],
    );
    const lines = rows.map((row) => ({
      seq: Number(row["seq"]),
      at: Number(row["at"]),
      message: String(row["message"]),
    }));
    return { lines: window.newest ? lines.reverse() : lines };
  }

  /** Names of streams that start with `prefix`, with the time of their first and last line. */
  logStreams(account: string, prefix: string): readonly { name: string; firstAt: number; lastAt: number }[] {
    this.#flush();
    return this.#sql
      .all(
        "SELECT stream, min(at) AS first_at, max(at) AS last_at FROM log_line WHERE account = ? AND substr(stream, 1, length(?)) = ? GROUP BY stream ORDER BY stream",
        [account, prefix, prefix],
      )
      .map((row) => ({
        name: String(row["stream"]),
        firstAt: Number(row["first_at"]),
        lastAt: Number(row["last_at"]),
      }));
  }

  close(): void {
    this.#flush();
    this.#sql.close();
  }
}

/** Opens or creates the ledger's file; throws LEDGER_* AppErrors. */
export async function openLedger(file: string): Promise<Ledger> {
  return new Ledger(await openSql(file));
}
