/**
 * The statements for Athena. Names come from digests and columns, and are quoted; keys are digests that were computed
 * here; every other text is a parameter. Hash functions, divisions and concatenations are left to Memoir, because
 * engines differ in them.
 */
import { invariant } from "../../../kernel/index.ts";
import type { PredictionScope } from "../../../task/index.ts";
import { fileColumns } from "../parquet/layout.ts";
import { columnsDigest } from "../scope.ts";
import { inputsTable } from "./athena-inputs.ts";
import { releaseValue, tableName } from "./athena-table.ts";

export interface Statement {
  readonly sql: string;
  /** One for each `?`, as SQL literals. */
  readonly parameters: readonly string[];
}

/** Keys of one statement: 35 bytes each, and a statement may have 262,144 bytes. */
export const mostKeys = 5_000;

/** The file that a row is in: the names of newer files are greater. */
const path = '"$path"';

/** Every stored row of these keys, those that a newer file replaces too. The last column is the file. */
export function lookUpStatement(
  database: string,
  scope: PredictionScope,
  keys: readonly string[],
): Statement {
  invariant(keys.length > 0 && keys.length <= mostKeys, `a look-up of ${keys.length} keys`);
  for (const key of keys) invariant(/^[0-9a-f]{32}$/.test(key), "a key is an MD5 digest");
  const list = keys.map((key) => `'${key}'`).join(", ");
  return from(
    database,
    scope,
    (table, where) =>
      `SELECT ${columnList(scope)}, ${path} FROM ${table} WHERE ${where} AND "key" IN (${list})`,
  );
}

/** The same for keys that were uploaded. A projection wants the folder in the text, not as a parameter. */
export function uploadedLookUpStatement(
  database: string,
  scope: PredictionScope,
  request: string,
): Statement {
  invariant(/^[0-9a-f-]{36}$/.test(request), "an upload's folder is a UUID");
  const keys = `SELECT "key" FROM ${identifier(database)}.${identifier(inputsTable)} WHERE "request" = '${request}'`;
  return from(
    database,
    scope,
    (table, where) =>
      `SELECT ${columnList(scope)}, ${path} FROM ${table} WHERE ${where} AND "key" IN (${keys})`,
  );
}

/** The newest row of every input, by key. */
export function scanStatement(database: string, scope: PredictionScope): Statement {
  const columns = columnList(scope);
  return from(
    database,
    scope,
    (table, where) =>
      `SELECT ${columns} FROM (SELECT ${columns}, row_number() OVER (PARTITION BY "key", "input" ORDER BY ${path} DESC) AS "$newest" FROM ${table} WHERE ${where}) WHERE "$newest" = 1 ORDER BY "key", "input"`,
  );
}

export function inputsStatement(database: string, scope: PredictionScope): Statement {
  return from(database, scope, (table, where) => `SELECT DISTINCT "input" FROM ${table} WHERE ${where}`);
}

export function countStatement(database: string, scope: PredictionScope): Statement {
  return from(
    database,
    scope,
    (table, where) => `SELECT count(*) FROM (SELECT DISTINCT "key", "input" FROM ${table} WHERE ${where})`,
  );
}

/** Rows of each release of a table. */
export function releasesStatement(database: string, table: string, digest: string): Statement {
  return {
    sql: `SELECT "release", count(*) FROM (SELECT DISTINCT "release", "key", "input" FROM ${identifier(database)}.${identifier(table)} WHERE ${path} LIKE '%-${digest}.parquet') GROUP BY "release"`,
    parameters: [],
  };
}

/** Files of other columns may be in the same folder: their names end in another digest. */
function from(
  database: string,
  scope: PredictionScope,
  sql: (table: string, where: string) => string,
): Statement {
  const table = `${identifier(database)}.${identifier(tableName(scope))}`;
  const where = `"release" = ? AND ${path} LIKE '%-${columnsDigest(scope.columns)}.parquet'`;
  return { sql: sql(table, where), parameters: [literal(releaseValue(scope.release))] };
}

function columnList(scope: PredictionScope): string {
  return fileColumns(scope)
    .map(({ name }) => identifier(name))
    .join(", ");
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
