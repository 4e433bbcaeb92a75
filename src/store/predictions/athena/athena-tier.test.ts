import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AthenaServer, startAthena } from "../../../../test/servers/athena.ts";
import { AppError, freshAsk, isAppError, type ModelId } from "../../../kernel/index.ts";
import type { PredictionScope } from "../../../task/index.ts";
import { openObjectStore } from "../../objects/index.ts";
import type { TierEvent } from "../events.ts";
import { createParquetTier, type ParquetTier } from "../parquet/parquet-tier.ts";
import { scopeIdentity } from "../scope.ts";
import type { PredictionTier } from "../tier.ts";
import { collect, predictionTierContract, row, scopeOf } from "../tier-contract.ts";
import { createInputsTableStatement, inputsTable } from "./athena-inputs.ts";
import { createTableStatement, tableName } from "./athena-table.ts";
import { createAthenaTier } from "./athena-tier.ts";

const database = "lab";
const limitBytes = 20e9;
const credentials = { accessKeyId: "AKIDTEST", secretAccessKey: "secret" };
const ask = freshAsk();

let server: AthenaServer;
beforeAll(async () => {
  server = await startAthena([database], limitBytes);
});
afterAll(() => server.close());

let buckets = 0;

/** A bucket that one program writes, and whose owner keeps the tables up to date; others may only query. */
function place() {
  const folder = mkdtempSync(join(tmpdir(), "memoir-athena-"));
  const bucket = `bucket-${++buckets}`;
  server.mount(bucket, folder);
  const location = `s3://${bucket}/some/prefix`;
  const scopes = new Map<string, PredictionScope>();
  const defined = new Set<string>();
  return {
    folder,
    files: () =>
      createParquetTier({ store: openObjectStore(join(folder, "some/prefix")), compaction: "never" }),
    define: (scope: PredictionScope) => {
      scopes.set(scopeIdentity(scope), scope);
      const name = tableName(scope);
      const releases = [...scopes.values()]
        .filter((each) => tableName(each) === name)
        .map(({ release }) => release);
      server.define(`DROP TABLE IF EXISTS \`${database}\`.\`${name}\``);
      server.define(createTableStatement({ scope, database, location, releases }));
      defined.add(name);
    },
    query: (events: TierEvent[] = []) =>
      createAthenaTier({
        address: { database, workgroup: "people", output: "s3://results/x/", region: undefined },
        access: { endpoint: server.endpoint, credentials },
        onEvent: (event) => events.push(event),
        uploadsTo: (uri) => openObjectStore(uri.replace(`s3://${bucket}`, folder)),
      }),
    defineInputs: () => {
      server.define(createInputsTableStatement({ database, location }));
      defined.add(inputsTable);
    },
    dispose: async () => {
      for (const name of defined) server.define(`DROP TABLE IF EXISTS \`${database}\`.\`${name}\``);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Reads by statements; writes as the owner of the bucket does. */
class OwnedTier implements PredictionTier {
  readonly #query: PredictionTier;
  readonly #files: ParquetTier;
  readonly #define: (scope: PredictionScope) => void;
  readonly can = { canonicalIndex: false, write: true };

  constructor(query: PredictionTier, files: ParquetTier, define: (scope: PredictionScope) => void) {
    this.#query = query;
    this.#files = files;
    this.#define = define;
  }

  get name() {
    return this.#query.name;
  }
  async open(ask_: typeof ask) {
    await this.#files.open(ask_);
    await this.#query.open(ask_);
  }
  async close() {
    await this.#files.close();
    await this.#query.close();
  }
  getMany: PredictionTier["getMany"] = (...given) => this.#query.getMany(...given);
  scan: PredictionTier["scan"] = (...given) => this.#query.scan(...given);
  sample: PredictionTier["sample"] = (...given) => this.#query.sample(...given);
  count: PredictionTier["count"] = (...given) => this.#query.count(...given);
  listScopes: PredictionTier["listScopes"] = (...given) => this.#query.listScopes(...given);
  columnsOf: NonNullable<PredictionTier["columnsOf"]> = async (...given) => this.#query.columnsOf?.(...given);
  putMany: PredictionTier["putMany"] = async (scope, rows, ask_) => {
    const report = await this.#files.putMany(scope, rows, ask_);
    this.#define(scope);
    return report;
  };
  drop: PredictionTier["drop"] = (...given) => this.#files.drop(...given);
  dropListed: PredictionTier["dropListed"] = (...given) => this.#files.dropListed(...given);
}

predictionTierContract({
  name: "Athena over Parquet files",
  make: async () => {
    const { files, query, define, defineInputs, dispose } = place();
    defineInputs();
    return { connect: () => new OwnedTier(query(), files(), define), persistent: true, dispose };
  },
});

describe("an Athena tier", () => {
  let owned: ReturnType<typeof place>;
  let files: ParquetTier;
  let tier: PredictionTier;
  let events: TierEvent[];
  const scope = scopeOf();
  beforeEach(async () => {
    owned = place();
    files = owned.files();
    events = [];
    tier = owned.query(events);
    await files.open(ask);
    await tier.open(ask);
  });
  afterEach(async () => {
    server.hold(false);
    await tier.close();
    await files.close();
    await owned.dispose();
  });

  it("answers with the newest row where several files have an input, and counts it once", async () => {
    await files.putMany(scope, [row("CCO", 1, 1, "old"), row("CCC", 2, 2, "only")], ask);
    await files.putMany(scope, [row("CCO", 3, 3, "new")], ask);
    owned.define(scope);
    expect(
      readdirSync(join(owned.folder, "some/prefix/predictions/model_id=eos1abc/release=v1")),
    ).toHaveLength(2);
    expect((await tier.getMany(scope, ["CCO"], ask))[0]?.values).toEqual([3, 3, "new"]);
    expect(await tier.count(scope, ask)).toBe(2);
    expect((await collect(tier, scope, ask)).map(({ values }) => values[2]).toSorted()).toEqual([
      "new",
      "only",
    ]);
  });

  it("is not asked, and costs nothing, where there is no table or the table does not list the release", async () => {
    await files.putMany(scope, [row("CCO", 1, 1, "x")], ask);
    const before = server.statements.length;
    expect(await tier.getMany(scope, ["CCO"], ask)).toEqual([undefined]);
    owned.define(scopeOf({ release: "v2" }));
    expect(await tier.getMany(scope, ["CCO"], ask)).toEqual([undefined]);
    expect(await tier.count(scope, ask)).toBe(0);
    expect(server.statements.length).toBe(before);
  });

  it("says what a statement costs before the first one, and what all have cost when it is closed", async () => {
    await files.putMany(scope, [row("CCO", 1, 1, "x")], ask);
    owned.define(scope);
    expect(events).toEqual([]);
    await tier.getMany(scope, ["CCO"], ask);
    await tier.count(scope, ask);
    expect(events).toMatchObject([{ kind: "tier-query-priced", leastUsd: 5e-5, mostUsd: 0.1 }]);
    await tier.close();
    expect(events.slice(1)).toMatchObject([
      { kind: "tier-query-charged", statements: 2, scannedBytes: expect.any(Number), usd: 1e-4 },
    ]);
  });

  it("looks up thousands of inputs with few statements", async () => {
    const rows = Array.from({ length: 6_000 }, (_, at) => row(`input ${at}`, at, at, "x"));
    await files.putMany(scope, rows, ask);
    owned.define(scope);
    const before = server.statements.length;
    const answers = await tier.getMany(scope, [...rows.map(({ input }) => input), "nothing"], ask);
    expect(answers.slice(0, -1).map((answer) => answer?.values[1])).toEqual(
      rows.map(({ values }) => values[1]),
    );
    expect(answers.at(-1)).toBeUndefined();
    expect(server.statements.length - before).toBe(2);
  });

  it("looks up more inputs than a statement can name by a table of uploaded keys, and removes them", async () => {
    const rows = Array.from({ length: 12_000 }, (_, at) => row(`input ${at}`, at, at, "x"));
    await files.putMany(scope, rows, ask);
    await files.putMany(scope, [row("input 7", -7, -7, "newer")], ask);
    owned.define(scope);
    owned.defineInputs();
    const before = server.statements.length;
    const asked = [...rows.slice(1_000).map(({ input }) => input), "nothing", "input 7"];
    const answers = await tier.getMany(scope, asked, ask);
    expect(answers.map((answer) => answer?.values[1])).toEqual([
      ...rows.slice(1_000).map(({ values }) => values[1]),
      undefined,
      -7,
    ]);
    const sent = server.statements.slice(before);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.sql.length).toBeLessThan(1_000);
    const left = readdirSync(join(owned.folder, "some/prefix"), { recursive: true, encoding: "utf8" });
    expect(left.filter((name) => name.endsWith("keys.txt"))).toEqual([]);
  });

  it("names the keys in statements where uploading them is refused, or the table is somebody else's", async () => {
    const rows = Array.from({ length: 5_001 }, (_, at) => row(`input ${at}`, at, at, "x"));
    await files.putMany(scope, rows, ask);
    owned.define(scope);
    owned.defineInputs();
    await tier.close();
    const refused = new AppError("STORE_ACCESS_DENIED", "may not write");
    tier = createAthenaTier({
      address: { database, workgroup: "people", output: undefined, region: undefined },
      access: { endpoint: server.endpoint, credentials },
      uploadsTo: (uri) => ({
        ...openObjectStore(uri.replace(/^s3:\/\/[^/]+/, owned.folder)),
        ...{ uri, putNew: () => Promise.reject(refused), close: async () => {} },
      }),
    });
    await tier.open(ask);
    const inputs = rows.map(({ input }) => input);
    const before = server.statements.length;
    for (let time = 1; time <= 2; time++) {
      const answers = await tier.getMany(scope, inputs, ask);
      expect(answers.every((answer) => answer !== undefined)).toBe(true);
      expect(server.statements.length - before).toBe(2 * time);
    }
  });

  it("puts no id into a statement, and finds nothing for ids that are SQL", async () => {
    await files.putMany(scope, [row("CCO", 1, 1, "x")], ask);
    owned.define(scope);
    const before = server.statements.length;
    const attacks = [
      "v1' OR '1'='1",
      "v1'; DROP TABLE x; --",
      'v1" OR 1=1',
      "v1\\' OR 1=1 --",
      "$" + "{release}",
    ];
    for (const attack of attacks) {
      const release = scopeOf({ release: attack });
      owned.define(release);
      expect(await tier.getMany(release, ["CCO"], ask), attack).toEqual([undefined]);
      expect(await tier.count(release, ask), attack).toBe(0);
      const model = scopeOf({ modelId: attack as ModelId });
      owned.define(model);
      expect(await tier.getMany(model, ["CCO"], ask), attack).toEqual([undefined]);
      expect(await tier.getMany(scope, [attack], ask), attack).toEqual([undefined]);
    }
    for (const { sql } of server.statements.slice(before)) {
      expect(sql).not.toMatch(/DROP|OR '?1|;|--/);
      expect(sql).toMatch(/ FROM "lab"\."[a-z0-9_]+" /);
    }
    expect(await tier.count(scope, ask)).toBe(1);
  });

  it("columns whose names are SQL are names", async () => {
    const odd = scopeOf({
      columns: [
        { name: 'a" FROM x --', type: "float" },
        { name: "select", type: "string" },
      ],
    });
    await files.putMany(odd, [{ input: "CCO", values: [1.5, "x"] }], ask);
    owned.define(odd);
    expect((await tier.getMany(odd, ["CCO"], ask))[0]?.values).toEqual([1.5, "x"]);
  });

  it("stops a statement that nobody waits for any more", async () => {
    await files.putMany(scope, [row("CCO", 1, 1, "x")], ask);
    owned.define(scope);
    server.hold(true);
    const stop = new AbortController();
    const before = server.polls();
    const asking = tier.getMany(scope, ["CCO"], { signal: stop.signal }).then(
      () => undefined,
      (error: unknown) => error,
    );
    await expect.poll(() => server.polls()).toBeGreaterThan(before);
    const stops = server.stopped.length;
    stop.abort(new AppError("RUN_INTERRUPTED", "interrupted by a test"));
    expect(isAppError(await asking, "RUN_INTERRUPTED")).toBe(true);
    expect(server.stopped.length).toBe(stops + 1);
    server.hold(false);
    expect(await tier.count(scope, ask)).toBe(1);
  });

  it("never writes or drops", async () => {
    await expect(tier.putMany(scope, [row("CCO", 1, 1, "x")], ask)).rejects.toMatchObject({
      code: "STORE_TIER_REFUSED",
    });
    await expect(tier.drop(scope, ask)).rejects.toMatchObject({ code: "STORE_TIER_REFUSED" });
    expect(tier.can.write).toBe(false);
  });

  it("refuses a database or a workgroup that does not exist, and a server that does not answer", async () => {
    const open = (over: object, endpoint = server.endpoint) =>
      createAthenaTier({
        address: { database, workgroup: "people", output: undefined, region: undefined, ...over },
        access: { endpoint, credentials },
      }).open(ask);
    await expect(open({ database: "nothing" })).rejects.toMatchObject({ code: "STORE_QUERY_FAILED" });
    await expect(open({ workgroup: "nothing" })).rejects.toMatchObject({ code: "STORE_QUERY_FAILED" });
    await expect(open({}, "http://127.0.0.1:9")).rejects.toMatchObject({ code: "STORE_TIER_UNREACHABLE" });
  });
});
