/** The SQL database under the ledger: a file in WAL mode, every transaction flushed before it is answered. */
import { dirname } from "node:path";
import { makeFoldersSync } from "../files/index.ts";
import { AppError, messageOf } from "../kernel/index.ts";
import { migrations } from "./migrations.ts";

export type SqlValue = string | number | null;

export interface Sql {
  /** Number of changed rows. */
  run(text: string, values: readonly SqlValue[]): number;
  all(text: string, values: readonly SqlValue[]): readonly Readonly<Record<string, unknown>>[];
  /** All of `work` or nothing; nested calls join the outer transaction. */
  transaction<T>(work: () => T): T;
  /** Called after a transaction was taken back: what was read in it never was. */
  onRollback(listener: () => void): void;
  close(): void;
}

export async function openSql(file: string): Promise<Sql> {
  const { default: Database } = await import("libsql");
  try {
    makeFoldersSync(dirname(file));
    const database = new Database(file, { timeout: 5_000 });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
    migrate(database, file);
    return sqlOver(database);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("LEDGER_NOT_USABLE", `opening the ledger ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

type Database = import("libsql").Database;

function migrate(database: Database, file: string): void {
  const version = versionOf(database);
  if (version > migrations.length)
    throw new AppError(
      "LEDGER_TOO_NEW",
      `opening the ledger ${file}: it has schema version ${version}, this Memoir knows up to ${migrations.length}`,
    );
  for (let step = version; step < migrations.length; step++) {
    database.exec(`BEGIN IMMEDIATE; ${migrations[step]}; PRAGMA user_version = ${step + 1}; COMMIT;`);
  }
}

function versionOf(database: Database): number {
  const row = database.prepare("PRAGMA user_version").get() as { user_version?: number } | undefined;
  return row?.user_version ?? 0;
}

function sqlOver(database: Database): Sql {
  const prepared = new Map<string, ReturnType<Database["prepare"]>>();
  const prepare = (text: string) => {
    const known = prepared.get(text) ?? database.prepare(text);
    prepared.set(text, known);
    return known;
  };
  let depth = 0;
  const listeners: (() => void)[] = [];
  return {
    onRollback: (listener) => void listeners.push(listener),
    run: (text, values) => prepare(text).run(...values).changes,
    all: (text, values) => prepare(text).all(...values) as Readonly<Record<string, unknown>>[],
    transaction: (work) => {
      if (depth > 0) return work();
      database.exec("BEGIN IMMEDIATE");
      depth++;
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        database.exec("ROLLBACK");
        for (const listener of listeners) listener();
        throw error;
      } finally {
        depth--;
      }
    },
    close: () => {
      prepared.clear();
      database.close();
    },
  };
}
