/** The shipped SQL by the grammars of the programs that run it: Trino for statements, Hive for tables. */

import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModelId } from "../../src/kernel/index.ts";
import {
  countStatement,
  inputsStatement,
  lookUpStatement,
  releasesStatement,
  scanStatement,
  uploadedLookUpStatement,
} from "../../src/store/predictions/athena/athena-sql.ts";
import { createInputsTableStatement, createTableStatement } from "../../src/store/predictions/index.ts";
import type { PredictionScope } from "../../src/task/index.ts";

interface Grammar {
  validate(sql: string): readonly { readonly message: string }[];
}

let trino: Grammar;
let hive: Grammar;
const folder = mkdtempSync(join(tmpdir(), "memoir-sql-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  // Its modules do not load in Node as they are published.
  const outfile = join(folder, "grammars.cjs");
  await build({
    stdin: {
      contents: 'export { TrinoSQL, HiveSQL } from "dt-sql-parser";',
      resolveDir: join(import.meta.dirname, ".."),
    },
    ...{ outfile, bundle: true, platform: "node", format: "cjs", logLevel: "error" },
  });
  const { TrinoSQL, HiveSQL } = createRequire(import.meta.url)(outfile);
  trino = new TrinoSQL();
  hive = new HiveSQL();
});

const scopes: readonly PredictionScope[] = [
  { modelId: "eos3b5e" as ModelId, release: "v1", columns: [{ name: "mol_weight", type: "float" }] },
  {
    modelId: 'it\'s "one"; DROP TABLE x' as ModelId,
    release: "v1/beta' OR '1'='1",
    columns: [
      { name: 'a "quoted" name', type: "string" },
      { name: "key", type: "integer" },
      { name: "select", type: "float" },
      { name: "größe µ", type: "float" },
    ],
  },
];
const key = "0123456789abcdef0123456789abcdef";

describe.each(scopes)("for the model $modelId", (scope) => {
  it("every statement is one that Trino understands", () => {
    const statements = [
      lookUpStatement("memoir", scope, [key]),
      lookUpStatement("memoir", scope, [key, key.replaceAll("0", "f")]),
      uploadedLookUpStatement("memoir", scope, "0f8fad5b-d9cb-469f-a165-70867728950e"),
      scanStatement("memoir", scope),
      inputsStatement("memoir", scope),
      countStatement("memoir", scope),
      releasesStatement("memoir", "eos3b5e_60cbce48e2d600bd", "60cbce48e2d600bd"),
    ];
    for (const { sql, parameters } of statements) {
      expect([sql, trino.validate(sql)]).toEqual([sql, []]);
      expect(sql.split("?")).toHaveLength(parameters.length + 1);
      // Engines differ in these.
      expect(sql).not.toMatch(/\b(md5|concat|tablesample|sha256)\b|\/ /i);
    }
  });

  it("no text of a user is a part of a statement, except the names of columns, in quotes", () => {
    for (const { sql } of [lookUpStatement("memoir", scope, [key]), scanStatement("memoir", scope)])
      expect(sql).not.toMatch(/DROP TABLE|OR '1'|beta/);
  });

  it("the statement of its table is one that Hive understands", () => {
    const options = { scope, database: "memoir", location: "s3://bucket/prefix", releases: [scope.release] };
    const statement = createTableStatement(options);
    expect([statement, hive.validate(statement)]).toEqual([statement, []]);
  });
});

it("the statement of the table of uploaded inputs is one that Hive understands", () => {
  const statement = createInputsTableStatement({ database: "memoir", location: "s3://bucket/prefix" });
  expect([statement, hive.validate(statement)]).toEqual([statement, []]);
});

it.each([
  "SELECT a FROM t WHERE WHERE b = 1",
  "SELECT a FROM t WHERE AND b = 1",
  "SELECT a FROM t WHERE b IN ('x',)",
  "SELECT a FROM t QUALIFY row_number() OVER (PARTITION BY a) = 1",
])("a fault is found: %s", (sql) => {
  expect(trino.validate(sql)).not.toEqual([]);
});
