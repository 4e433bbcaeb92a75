/**
 * The schema, one step per released version; `user_version` says how many were taken. Steps are never edited, only
 * added. A record is kept whole as JSON; what is searched for is a generated column with an index.
 */
export const tables = {
  run_cache: ["status", "name"],
  workflow: ["status", "name"],
  workflow_version: ["status", "workflowId", "versionName"],
  run_group: ["name"],
  run: ["status", "name", "runGroupId", "batchId", "cacheId", "workflowId", "retentionMode"],
  task: ["status", "runId", "callPath"],
  batch: ["status", "name", "runGroupId"],
  batch_run: ["batchId", "submissionStatus", "runSettingId", "runId"],
  configuration: ["status", "name"],
} as const;

export type TableName = keyof typeof tables;

export const migrations: readonly string[] = [
  [
    ...Object.entries(tables).map(
      ([table, columns]) => `
        CREATE TABLE ${table} (
          seq INTEGER PRIMARY KEY AUTOINCREMENT,
          account TEXT NOT NULL,
          id TEXT NOT NULL,
          body TEXT NOT NULL,
          ${columns.map((column) => `${column} TEXT GENERATED ALWAYS AS (json_extract(body, '$.${column}')) VIRTUAL,`).join("\n          ")}
          UNIQUE (account, id)
        );
        ${columns.map((column) => `CREATE INDEX ${table}_${column} ON ${table} (${column});`).join("\n        ")}`,
    ),
    `CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
     CREATE TABLE answered (
       account TEXT NOT NULL, operation TEXT NOT NULL, request_id TEXT NOT NULL,
       request_digest TEXT NOT NULL, answer TEXT NOT NULL,
       PRIMARY KEY (account, operation, request_id)
     );
     CREATE TABLE log_line (
       seq INTEGER PRIMARY KEY AUTOINCREMENT,
       account TEXT NOT NULL, stream TEXT NOT NULL, at INTEGER NOT NULL, message TEXT NOT NULL
     );
     CREATE INDEX log_line_stream ON log_line (account, stream, seq);`,
  ].join("\n"),
  `CREATE TABLE log_stream (
     account TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, first_at INTEGER, last_at INTEGER,
     PRIMARY KEY (account, name)
   ) WITHOUT ROWID;
   CREATE INDEX log_stream_last ON log_stream (account, last_at);
   INSERT INTO log_stream (account, name, kind, first_at, last_at)
     SELECT account, stream, 'lines', min(at), max(at) FROM log_line GROUP BY account, stream;`,
  // How many runs of a batch are in each state is asked over and over, and there may be 100,000.
  `CREATE INDEX batch_run_states ON batch_run (account, batchId, submissionStatus);
   CREATE INDEX run_batch_states ON run (account, batchId, status);`,
];
