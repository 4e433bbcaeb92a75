/**
 * The ledger: the durable record of runs, tasks and caches behind the server. Every change is on disk before the call
 * returns; several changes that belong together go into one `transaction`.
 */
import { dirname, join } from "node:path";
import { digestOf } from "../hash/index.ts";
import { Logs } from "./logs.ts";
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

export type Remembered =
  | { readonly kind: "new" }
  /** The same request was answered before. */
  | { readonly kind: "answered"; readonly answer: string }
  /** The id was used for another request. */
  | { readonly kind: "conflict" };

const firstId = 1_000_000;
const idsAtOnce = 64;

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
  readonly logs: Logs;
  readonly #sql: Sql;
  #nextId = 0;
  #idsEnd = 0;

  /** `folder`: where large log streams are kept. */
  constructor(sql: Sql, folder: string) {
    this.#sql = sql;
    this.logs = new Logs(sql, folder);
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

  close(): void {
    this.logs.flush();
    this.#sql.close();
  }
}

/** Opens or creates the ledger's file and the folder `logs` next to it; throws LEDGER_* AppErrors. */
export async function openLedger(file: string): Promise<Ledger> {
  return new Ledger(await openSql(file), join(dirname(file), "logs"));
}
