/**
 * An endpoint like Athena's for the unmodified client: statements run in DuckDB over the files of a folder that stands
 * for a bucket. Tables come only from the text of CREATE EXTERNAL TABLE, their folders from its projection. Files are
 * chosen by the statement's `"$path"` before they are read, and columns that a file does not have are null, as Athena does.
 */
import { randomUUID } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

export interface AthenaServer {
  readonly endpoint: string;
  /** Statements as they arrived, with their parameters. */
  readonly statements: readonly { readonly sql: string; readonly parameters: readonly string[] }[];
  /** Runs CREATE EXTERNAL TABLE, or DROP TABLE IF EXISTS, in the database. */
  define(statement: string): void;
  /** The folder that stands for `s3://bucket`; `refresh` brings it up to date before each statement. */
  mount(bucket: string, folder: string, refresh?: () => Promise<void>): void;
  /** Statements wait in their queue until this is called with false. */
  hold(isHeld: boolean): void;
  readonly stopped: readonly string[];
  /** How often the state of a statement was asked for. */
  polls(): number;
  close(): Promise<void>;
}

interface Table {
  readonly database: string;
  readonly name: string;
  readonly format: "parquet" | "text";
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly parameters: Readonly<Record<string, string>>;
}

interface Execution {
  state: "QUEUED" | "SUCCEEDED" | "FAILED" | "CANCELLED";
  reason?: string;
  names: readonly string[];
  rows: readonly (readonly (string | null)[])[];
  scanned: number;
}

const credentialPattern = /^AWS4-HMAC-SHA256 Credential=\S+\/athena\/aws4_request,/;

export async function startAthena(databases: readonly string[], limitBytes: number): Promise<AthenaServer> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const duck = await instance.connect();
  await duck.run("CREATE SCHEMA lake");
  const tables = new Map<string, Table>();
  const buckets = new Map<string, string>();
  const executions = new Map<string, Execution>();
  const statements: { sql: string; parameters: readonly string[] }[] = [];
  const refreshing: (() => Promise<void>)[] = [];
  const stopped: string[] = [];
  const waiting: (() => void)[] = [];
  let isHeld = false;
  let polls = 0;
  /** One statement after the other: they share the views. */
  let last: Promise<unknown> = Promise.resolve();

  const execute = async (execution: Execution, sql: string, parameters: readonly string[]) => {
    if (isHeld) await new Promise<void>((done) => waiting.push(done));
    if (execution.state === "CANCELLED") return;
    try {
      for (const refresh of refreshing) await refresh();
      Object.assign(execution, await runStatement(duck, { sql, parameters, tables, buckets }), {
        state: "SUCCEEDED",
      });
    } catch (error) {
      Object.assign(execution, { state: "FAILED", reason: String(error) });
    }
  };

  const answers: Readonly<Record<string, (body: Body) => object>> = {
    GetWorkGroup: ({ WorkGroup }) => {
      if (WorkGroup !== "primary" && WorkGroup !== "people")
        throw new Refused("InvalidRequestException", `WorkGroup ${String(WorkGroup)} is not found.`);
      return { WorkGroup: { Name: WorkGroup, Configuration: { BytesScannedCutoffPerQuery: limitBytes } } };
    },
    ListTableMetadata: ({ DatabaseName, Expression, MaxResults = 50, NextToken }) => {
      if (!databases.includes(String(DatabaseName)))
        throw new Refused("MetadataException", `Database ${String(DatabaseName)} not found.`);
      const pattern = new RegExp(`^(${String(Expression ?? ".*")})$`);
      const all = [...tables.values()].filter(
        ({ database, name }) => database === DatabaseName && pattern.test(name),
      );
      const at = Number(NextToken ?? 0);
      const end = at + Math.min(Number(MaxResults), 2);
      return {
        TableMetadataList: all
          .slice(at, end)
          .map(({ name, parameters }) => ({ Name: name, Parameters: parameters })),
        ...(end < all.length ? { NextToken: String(end) } : {}),
      };
    },
    StartQueryExecution: ({ QueryString, ExecutionParameters = [] }) => {
      const [sql, parameters] = [String(QueryString), ExecutionParameters as readonly string[]];
      if (Buffer.byteLength(sql) > 262_144)
        throw new Refused("InvalidRequestException", "the statement has more than 262,144 bytes");
      statements.push({ sql, parameters });
      const id = randomUUID();
      const execution: Execution = { state: "QUEUED", names: [], rows: [], scanned: 0 };
      executions.set(id, execution);
      last = last.then(() => execute(execution, sql, parameters));
      return { QueryExecutionId: id };
    },
    GetQueryExecution: ({ QueryExecutionId: id }) => {
      polls++;
      const { state, reason, scanned } = executionOf(id);
      return {
        QueryExecution: {
          ...{ QueryExecutionId: id, Statistics: { DataScannedInBytes: scanned } },
          Status: { State: state, StateChangeReason: reason },
        },
      };
    },
    GetQueryResults: ({ QueryExecutionId: id, MaxResults = 1000, NextToken }) => {
      const { names, rows } = executionOf(id);
      const all = [names, ...rows];
      const at = Number(NextToken ?? 0);
      const end = at + Number(MaxResults);
      const cell = (text: string | null) => (text === null ? {} : { VarCharValue: text });
      return {
        ResultSet: { Rows: all.slice(at, end).map((row) => ({ Data: row.map(cell) })) },
        ...(end < all.length ? { NextToken: String(end) } : {}),
      };
    },
    StopQueryExecution: ({ QueryExecutionId: id }) => {
      executionOf(id).state = "CANCELLED";
      stopped.push(String(id));
      return {};
    },
  };

  function executionOf(id: unknown): Execution {
    const execution = executions.get(String(id));
    if (execution === undefined) throw new Refused("InvalidRequestException", "no such statement");
    return execution;
  }

  const server = createServer(async (request, response) => {
    const type = "application/x-amz-json-1.1";
    try {
      const operation = String(request.headers["x-amz-target"]).replace(/^AmazonAthena\./, "");
      const body = JSON.parse(await textOf(request)) as Body;
      if (!credentialPattern.test(String(request.headers.authorization)))
        throw new Refused("UnrecognizedClientException", "the request is not signed for athena");
      const answer = answers[operation];
      if (answer === undefined) throw new Refused("UnknownOperationException", operation);
      const text = JSON.stringify(answer(body));
      response.writeHead(200, { "content-type": type }).end(text);
    } catch (error) {
      const name = error instanceof Refused ? error.name : "InternalServerException";
      const text = JSON.stringify({ __type: name, message: String(error) });
      response.writeHead(error instanceof Refused ? 400 : 500, { "content-type": type }).end(text);
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    statements,
    stopped,
    polls: () => polls,
    define: (statement) => {
      const dropped = /^DROP TABLE IF EXISTS `(\w+)`\.`(\w+)`$/.exec(statement);
      if (dropped !== null) return void tables.delete(`${dropped[1]}.${dropped[2]}`);
      const table = parseTable(statement);
      const key = `${table.database}.${table.name}`;
      if (!tables.has(key)) tables.set(key, table);
    },
    mount: (bucket, folder, refresh) => {
      buckets.set(bucket, folder);
      if (refresh !== undefined) refreshing.push(refresh);
    },
    hold: (value) => {
      isHeld = value;
      if (!value) for (const go of waiting.splice(0)) go();
    },
    close: async () => {
      isHeld = false;
      for (const go of waiting.splice(0)) go();
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
      await last;
      duck.closeSync();
      instance.closeSync();
    },
  };
}

type Body = Readonly<Record<string, unknown>>;

class Refused extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

/** CREATE EXTERNAL TABLE of Hive, as far as Memoir writes it; anything else is an error. */
function parseTable(statement: string): Table {
  const found =
    /^CREATE EXTERNAL TABLE IF NOT EXISTS `(\w+)`\.`(\w+)` \(\n([\s\S]+?)\n\)\nPARTITIONED BY \(`(?:release` string\)\nSTORED AS (PARQUET)|request` string\)\nROW FORMAT DELIMITED\nSTORED AS (TEXTFILE))\nLOCATION '[^']+'\nTBLPROPERTIES \(\n([\s\S]+)\n\)$/.exec(
      statement,
    );
  if (found === null) throw new Error(`not a table: ${statement}`);
  const [, database = "", name = "", columns = "", parquet, , parameters = ""] = found;
  return {
    ...{ database, name, format: parquet === undefined ? "text" : "parquet" },
    columns: columns.split(",\n").map((line) => {
      const [, column = "", type = ""] = /^ {2}`([^`]+)` (double|bigint|string)$/.exec(line) ?? [];
      if (column === "") throw new Error(`not a column: ${line}`);
      return { name: column, type: { double: "DOUBLE", bigint: "BIGINT", string: "VARCHAR" }[type] ?? "" };
    }),
    parameters: Object.fromEntries(
      parameters.split(",\n").map((line) => {
        const [, key = "", value = ""] = /^ {2}'([^']+)' = '((?:[^'\\]|\\.)*)'$/.exec(line) ?? [];
        if (key === "") throw new Error(`not a property: ${line}`);
        return [key, value.replace(/\\(.)/g, "$1")];
      }),
    ),
  };
}

async function runStatement(
  duck: DuckDBConnection,
  {
    sql,
    parameters,
    tables,
    buckets,
  }: {
    readonly sql: string;
    readonly parameters: readonly string[];
    readonly tables: ReadonlyMap<string, Table>;
    readonly buckets: ReadonlyMap<string, string>;
  },
): Promise<Pick<Execution, "names" | "rows" | "scanned">> {
  let scanned = 0;
  let views = 0;
  let rewritten = sql;
  for (const [whole = "", database, name] of sql.matchAll(/"(\w+)"\."(\w+)"/g)) {
    const table = tables.get(`${database}.${name}`);
    if (table === undefined) throw new Error(`TABLE_NOT_FOUND: ${whole}`);
    const view = `lake.source${views++}`;
    const source =
      table.format === "text"
        ? textSource({ table, sql, buckets })
        : await parquetSource(duck, { table, sql, buckets });
    await duck.run(`CREATE OR REPLACE VIEW ${view} AS ${source.select}`);
    rewritten = rewritten.replace(whole, view);
    scanned += source.sizeBytes;
  }
  if (views === 0) throw new Error("the statement names no table");
  const prepared = await duck.prepare(rewritten);
  for (const [at, parameter] of parameters.entries()) {
    // Athena puts a parameter into the statement as a literal.
    const [, value] = /^'((?:[^']|'')*)'$/.exec(parameter) ?? [];
    if (value === undefined) throw new Error(`not a literal: ${parameter}`);
    prepared.bindVarchar(at + 1, value.replaceAll("''", "'"));
  }
  const result = await prepared.runAndReadAll();
  return {
    names: result.columnNames(),
    rows: result.getRowsJS().map((row) => row.map(shown)),
    scanned,
  };
}

interface Source {
  readonly select: string;
  readonly sizeBytes: number;
}

async function parquetSource(duck: DuckDBConnection, { table, sql, buckets }: TableRead): Promise<Source> {
  const like = /"\$path" LIKE '%([^']+)'/.exec(sql)?.[1] ?? "";
  const files = filesOf(table, releasesOf(table), buckets).filter(
    ({ uri }) => uri.endsWith(".parquet") && uri.endsWith(like),
  );
  const parts: string[] = [];
  for (const { path, uri, value: release } of files) {
    const schema = await duck.runAndReadAll(`SELECT name FROM parquet_schema(${text(path)})`);
    const present = new Set(schema.getRowsJS().map(([column]) => String(column).toLowerCase()));
    const columns = table.columns.map(({ name: column, type }) => {
      const quoted = `"${column.replaceAll('"', '""')}"`;
      return present.has(column.toLowerCase())
        ? `CAST(${quoted} AS ${type}) AS ${quoted}`
        : `CAST(NULL AS ${type}) AS ${quoted}`;
    });
    parts.push(
      `SELECT ${columns.join(", ")}, ${text(release)} AS "release", ${text(uri)} AS "$path" FROM read_parquet(${text(path)})`,
    );
  }
  if (parts.length === 0) {
    const columns = table.columns.map(({ name: column, type }) => `CAST(NULL AS ${type}) AS "${column}"`);
    parts.push(`SELECT ${columns.join(", ")}, '' AS "release", '' AS "$path" WHERE false`);
  }
  return { select: parts.join(" UNION ALL "), sizeBytes: sizeOf(files) };
}

/** Lines of one column. The values of an injected partition come from the statement, which has to name one. */
function textSource({ table, sql, buckets }: TableRead): Source {
  const named = /"request" = '([^']+)'/.exec(sql)?.[1];
  if (table.parameters["projection.request.type"] !== "injected" || named === undefined)
    throw new Error("CONSTRAINT_VIOLATION: the injected column request needs a static equality condition");
  const [column = { name: "", type: "" }, ...more] = table.columns;
  if (more.length > 0) throw new Error("lines have one column");
  const files = filesOf(table, [named], buckets);
  const selects = files.map(
    ({ path }) =>
      `SELECT "${column.name}", ${text(named)} AS "request" FROM read_csv(${text(path)}, header = false, auto_detect = false, columns = {${text(column.name)}: 'VARCHAR'})`,
  );
  const none = `SELECT CAST(NULL AS VARCHAR) AS "${column.name}", '' AS "request" WHERE false`;
  return { select: selects.length === 0 ? none : selects.join(" UNION ALL "), sizeBytes: sizeOf(files) };
}

interface TableRead {
  readonly table: Table;
  readonly sql: string;
  readonly buckets: ReadonlyMap<string, string>;
}

function sizeOf(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function releasesOf({ parameters }: Table): readonly string[] {
  return (parameters["projection.release.values"] ?? "").split(",").filter((value) => value !== "");
}

/** Of the folders that the projection computes. */
function filesOf({ parameters }: Table, values: readonly string[], buckets: ReadonlyMap<string, string>) {
  const template = parameters["storage.location.template"] ?? "";
  return values.flatMap((value) => {
    const location = template.replace(/\$\{\w+\}/, value);
    const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]+)\/(.*)$/.exec(location) ?? [];
    const root = buckets.get(bucket);
    if (root === undefined) throw new Error(`no bucket ${bucket}`);
    let names: readonly string[] = [];
    try {
      names = readdirSync(join(root, prefix));
    } catch {
      return [];
    }
    return names.map((name) => {
      const path = join(root, prefix, name);
      return { path, uri: location + name, value, sizeBytes: statSync(path).size };
    });
  });
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** Floats as Java writes them. */
function shown(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  const plain = size === 0 || (size >= 1e-3 && size < 1e7);
  const digits = plain ? String(value) : value.toExponential().replace("e+", "E").replace("e", "E");
  return digits.includes(".") ? digits : digits.replace(/^(-?\d+)/, "$1.0");
}
