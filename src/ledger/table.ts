/** One kind of record: insert, get, change, list page by page in the order of creation. */
import { canonicalText, sha256 } from "../hash/index.ts";
import { AppError } from "../kernel/index.ts";
import { type TableName, tables } from "./migrations.ts";
import type { Sql } from "./open-sql.ts";
import type { OwnedRecord } from "./records.ts";

export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque; absent on the last page. */
  readonly nextToken?: string;
}

export interface PageRequest {
  readonly limit: number;
  readonly token?: string;
}

/** Columns that a table can be searched by, and the value each must have. */
export type Where = Readonly<Record<string, string | undefined>>;

const mostLately = 1_000;

/** Written by one process at a time; others may read the file meanwhile. */
export class Table<T extends OwnedRecord> {
  readonly #sql: Sql;
  readonly #name: TableName;
  readonly #columns: readonly string[];
  /** Records that were asked for lately, newest last: pollers ask for the same ones over and over. */
  readonly #lately = new Map<string, T>();

  constructor(sql: Sql, name: TableName) {
    this.#sql = sql;
    this.#name = name;
    this.#columns = tables[name];
    sql.onRollback(() => this.#lately.clear());
  }

  insert(record: T): void {
    this.#sql.run(`INSERT INTO ${this.#name} (account, id, body) VALUES (?, ?, ?)`, [
      record.account,
      record.id,
      JSON.stringify(record),
    ]);
  }

  get(account: string, id: string): T | undefined {
    const key = `${account}/${id}`;
    const known = this.#lately.get(key);
    if (known !== undefined) return known;
    const [row] = this.#sql.all(`SELECT body FROM ${this.#name} WHERE account = ? AND id = ?`, [account, id]);
    if (row === undefined) return undefined;
    const record = this.#read(row["body"]);
    const oldest = this.#lately.size < mostLately ? undefined : this.#lately.keys().next();
    if (oldest !== undefined && !oldest.done) this.#lately.delete(oldest.value);
    this.#lately.set(key, record);
    return record;
  }

  /** Replaces the record; throws when it is not there. */
  put(record: T): void {
    this.#lately.delete(`${record.account}/${record.id}`);
    const changed = this.#sql.run(`UPDATE ${this.#name} SET body = ? WHERE account = ? AND id = ?`, [
      JSON.stringify(record),
      record.account,
      record.id,
    ]);
    if (changed !== 1)
      throw new AppError("LEDGER_RECORD_MISSING", `changing ${this.#name} ${record.id}: no such record`);
  }

  remove(account: string, id: string): boolean {
    this.#lately.delete(`${account}/${id}`);
    return this.#sql.run(`DELETE FROM ${this.#name} WHERE account = ? AND id = ?`, [account, id]) === 1;
  }

  /** `account` undefined = of everybody, for the server's own work. */
  all(account: string | undefined, where: Where = {}): readonly T[] {
    const { text, values } = this.#where(account, where);
    return this.#sql
      .all(`SELECT body FROM ${this.#name} ${text} ORDER BY seq`, values)
      .map((row) => this.#read(row["body"]));
  }

  count(account: string | undefined, where: Where = {}): number {
    const { text, values } = this.#where(account, where);
    const [row] = this.#sql.all(`SELECT count(*) AS n FROM ${this.#name} ${text}`, values);
    return Number(row?.["n"] ?? 0);
  }

  /** The different values of a column, with whose they are. */
  values(column: string): readonly { readonly account: string; readonly value: string }[] {
    if (!this.#columns.includes(column))
      throw new Error(`invariant broken: ${this.#name} has no column ${column}`);
    return this.#sql
      .all(`SELECT DISTINCT account, ${column} AS value FROM ${this.#name} WHERE ${column} IS NOT NULL`, [])
      .map((row) => ({ account: String(row["account"]), value: String(row["value"]) }));
  }

  /** Newest first; `before`: only what was inserted before this one. */
  newest(
    account: string,
    { limit, before = Number.MAX_SAFE_INTEGER }: { readonly limit: number; readonly before?: number },
  ): readonly { readonly seq: number; readonly record: T }[] {
    return this.#sql
      .all(`SELECT seq, body FROM ${this.#name} WHERE account = ? AND seq < ? ORDER BY seq DESC LIMIT ?`, [
        account,
        before,
        limit,
      ])
      .map((row) => ({ seq: Number(row["seq"]), record: this.#read(row["body"]) }));
  }

  page(account: string, where: Where, request: PageRequest): Page<T> {
    const filters = Object.entries(where).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
    const listing = sha256(canonicalText([this.#name, ...filters])).slice(0, 12);
    const after = request.token === undefined ? 0 : parseToken(request.token, listing);
    const { text, values } = this.#where(account, where);
    const rows = this.#sql.all(
      `SELECT seq, body FROM ${this.#name} ${text} AND seq > ? ORDER BY seq LIMIT ?`,
      [...values, after, request.limit + 1],
    );
    const shown = rows.slice(0, request.limit);
    const last = shown.at(-1);
    return {
      items: shown.map((row) => this.#read(row["body"])),
      ...(rows.length > request.limit && last !== undefined
        ? { nextToken: tokenOf(Number(last["seq"]), listing) }
        : {}),
    };
  }

  #where(account: string | undefined, where: Where): { text: string; values: string[] } {
    const conditions = ["1 = 1"];
    const values: string[] = [];
    const add = (column: string, value: string) => {
      conditions.push(`${column} = ?`);
      values.push(value);
    };
    if (account !== undefined) add("account", account);
    for (const [column, value] of Object.entries(where)) {
      if (value === undefined) continue;
      if (!this.#columns.includes(column))
        throw new Error(`invariant broken: ${this.#name} has no column ${column}`);
      add(column, value);
    }
    return { text: `WHERE ${conditions.join(" AND ")}`, values };
  }

  #read(body: unknown): T {
    return JSON.parse(String(body)) as T;
  }
}

/**
 * Cursors are short, opaque, and refuse what we did not hand out for this listing: in another one, or with other filters,
 * a cursor would pass over records in silence.
 */
function tokenOf(seq: number, listing: string): string {
  return Buffer.from(`p${seq} ${listing}`).toString("base64url");
}

function parseToken(token: string, listing: string): number {
  const text = Buffer.from(token, "base64url").toString("latin1");
  const seq = /^p(\d{1,15}) [0-9a-f]+$/.exec(text)?.[1];
  if (seq === undefined || tokenOf(Number(seq), listing) !== token)
    throw new AppError(
      "LEDGER_TOKEN_INVALID",
      "listing a further page: the token is not one that was handed out for this listing",
    );
  return Number(seq);
}
