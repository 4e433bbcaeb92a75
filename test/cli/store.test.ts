/** `memoir store`: projects of stored predictions, and Isaura's projects read and extended in place. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limitMs } from "../limit.mjs";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { Sandbox } from "./memoir.ts";

const killShim = fileURLToPath(new URL("../faults/kill-shim.cjs", import.meta.url));

let box: Sandbox;
let duck: DuckDBConnection;
beforeAll(async () => {
  box = await Sandbox.create();
  duck = await (await DuckDBInstance.create(":memory:")).connect();
  await box.write("results.csv", "key,input,mol_weight\na,CCO,46.069\nb,CCC,44.1\nc,bad,\n");
});
afterAll(() => {
  duck.closeSync();
  box.remove();
});

const model = ["-m", "eos3b5e"];

interface Moved {
  readonly read: number;
  readonly stored: number;
  readonly alreadyThere: number;
  readonly files?: readonly string[];
}
interface Catalog {
  readonly rows: readonly { readonly project: string; readonly access?: string; readonly rows: number }[];
}

const held = async () =>
  (await box.json<Catalog>("store", "catalog")).rows.map(({ project, access, rows }) => [
    project,
    access,
    rows,
  ]);

describe("a project", () => {
  it("keeps what write stores, private unless it is published, and read finds it in the order of the inputs", async () => {
    const written = await box.json<Moved & { skipped: number }>(
      ...["store", "write", "-i", "results.csv", ...model, "-pn", "screening"],
    );
    expect(written).toMatchObject({ read: 3, stored: 2, skipped: 1 });
    expect(await held()).toEqual([["screening", "private", 2]]);
    await box.inputs("in.csv", ["CCC", "N", "CCO", "CCC"]);
    const line = ["store", "read", "-i", "in.csv", ...model, "-pn", "screening"];
    expect((await box.run(...line, "-o", "found.csv")).out).toContain("found 3 of 4 rows");
    expect(await box.rows("found.csv")).toEqual(["CCC,44.1", "N,\\N", "CCO,46.069", "CCC,44.1"]);
    await box.json(...line, "-o", "none.csv", "--access", "public");
    expect(await box.rows("none.csv")).toEqual(["CCC,\\N", "N,\\N", "CCO,\\N", "CCC,\\N"]);
  });

  it("is a cache like any other below the cloud cache", async () => {
    const cloud = join(box.home, "cloud", "screening", "private");
    const line = ["run", "--model", "eos3b5e", "--cloud-cache-only", "-i", "in.csv", "-o", "-"];
    expect((await box.run(...line, "--cloud", cloud)).out).toContain(",CCO,46.069\n");
  });

  it("is copied once, moved file by file, inspected, pushed to, pulled from and removed", async () => {
    const copy = ["store", "copy", ...model, "-pn", "screening", "--to", "second"];
    expect(await box.json<Moved>(...copy)).toMatchObject({ read: 2, stored: 2 });
    expect(await box.json<Moved>(...copy)).toMatchObject({ read: 2, stored: 0, alreadyThere: 2 });
    const moved = await box.json<{ files: number }>(
      ...["store", "move", ...model, "-pn", "second", "--access", "private"],
      ...["--to", "second", "--to-access", "public"],
    );
    expect(moved.files).toBe(1);
    await box.write("named.csv", "id,structure\n1,CCC\n2,N\n");
    const second = ["-i", "named.csv", ...model, "-pn", "second", "--column", "structure"];
    await box.json("store", "read", ...second, "-o", "named-out.csv");
    expect(await box.rows("named-out.csv")).toEqual(["CCC,44.1", "N,\\N"]);
    expect(await box.json("store", "inspect", ...second)).toMatchObject({ available: 1 });
    expect(
      await box.json<Moved>("store", "pull", ...second, "--local", box.path("named-local")),
    ).toMatchObject({ read: 1, stored: 1 });
    expect(await held()).toEqual([
      ["screening", "private", 2],
      ["second", "public", 2],
    ]);
    await box.write("own.csv", "input,mol_weight\nCCCC,58.1\n");
    await box.json("predictions", "import", "eos3b5e", "own.csv");
    expect(await box.json<Moved>("store", "push", ...model, "-pn", "second")).toMatchObject({ stored: 1 });
    await box.inputs("ask.csv", ["CCO", "CCCC", "N"]);
    const inspected = await box.json<{ available: number; first: { stored: string }[] }>(
      ...["store", "inspect", ...model, "-pn", "second", "-i", "ask.csv", "-o", "list.csv"],
    );
    expect(inspected.available).toBe(2);
    expect(inspected.first.map(({ stored }) => stored)).toEqual(["public", "private", "no"]);
    expect((await box.read("list.csv")).split("\n")[1]).toBe("47029b0a89b677c61d67c3a1b1071f07,CCO,public");
    const all = await box.json<{ rows: number }>("store", "inspect", ...model, "-pn", "second");
    expect(all.rows).toBe(3);
    const pulled = await box.json<Moved>("store", "pull", ...model, "-pn", "second", "-i", "ask.csv");
    expect(pulled).toMatchObject({ read: 2, stored: 1, alreadyThere: 1 });
    expect(await box.json("store", "stats", "-o", "statistics")).toMatchObject({
      projects: 2,
      models: 1,
      rows: 5,
    });
    expect(JSON.parse(await box.read("statistics/stats.json"))).toMatchObject({ rows: 5 });
    const remove = ["store", "remove", ...model, "-pn", "second"];
    expect((await box.run(...remove)).out).toContain("would delete 3 rows");
    expect(await box.json(...remove, "--yes")).toMatchObject({ rows: 3, deleted: true });
    expect(await held()).toEqual([["screening", "private", 2]]);
  });

  it(
    "is killed while it is moved: every row is in one of its places, and the same command again ends the move",
    async () => {
      const own = await Sandbox.create();
      try {
        const cloud = join(own.home, "cloud");
        const names = ["CCO", "CCC"];
        // A file for each, as two commands write them.
        for (const [at, name] of names.entries()) {
          await own.write("one.csv", `input,mol_weight\n${name},${at + 1}\n`);
          await own.json("store", "write", "-i", "one.csv", ...model, "-pn", "old");
        }
        await own.inputs("ask.csv", names);
        const values = async (project: string) => {
          await own.json("store", "read", "-i", "ask.csv", ...model, "-pn", project, "-o", "read.csv");
          return (await own.rows("read.csv")).map((row) => row.split(",")[1]);
        };
        const move = ["store", "move", ...model, "-pn", "old", "--to", "new"];
        const kills = [
          // Before the copy has its name; the copy is there and nothing is removed; the second is copied.
          { kill: { name: "rename", below: join(cloud, "new") }, moved: [] },
          { kill: { name: "unlink", below: join(cloud, "old") }, moved: [1] },
          { kill: { name: "unlink", below: join(cloud, "old"), occurrence: 2 }, moved: [1, 2] },
        ];
        for (const { kill, moved } of kills) {
          const killed = await own
            .with({
              // A killed program leaves its temporary files.
              TMPDIR: own.folder,
              NODE_OPTIONS: `--require=${killShim}`,
              MEMOIR_KILL: JSON.stringify({ occurrence: 1, ...kill }),
            })
            .run(...move);
          expect(killed.signal).toBe("SIGKILL");
          const [before, after] = [await values("old"), await values("new")];
          expect(names.map((_, at) => [before[at], after[at]].find((cell) => cell !== "\\N"))).toEqual([
            "1.0",
            "2.0",
          ]);
          expect(after.filter((cell) => cell !== "\\N")).toHaveLength(moved.length);
        }
        expect(await own.json(...move)).toMatchObject({ files: 1 });
        expect([await values("old"), await values("new")]).toEqual([
          ["\\N", "\\N"],
          ["1.0", "2.0"],
        ]);
      } finally {
        own.remove();
      }
    },
    3 * limitMs,
  );

  it.each([
    ["read -i in.csv -o o.csv -m eos0000 -pn screening", 3, "looking for model eos0000"],
    ["read -i absent.csv -o o.csv -m eos3b5e -pn screening", 3, "absent.csv"],
    ["write -i in.csv -m eos3b5e -pn screening", 3, "mol_weight"],
    ["write -m eos3b5e -pn screening", 2, "--input is missing"],
    ["catalog -pn predictions", 2, 'cannot use "predictions" as a project'],
    ["catalog -pn ../x", 2, 'cannot use "../x" as a project'],
    ["read -i in.csv -o o.csv -m eos3b5e --access public", 2, "--access goes with --project"],
    ["copy -m eos3b5e -pn screening", 2, "name where to copy to"],
    ["copy -m eos3b5e -pn screening --to screening", 2, "both read and written"],
    ["move -m eos3b5e -pn screening --access private --to screening", 2, "is where the rows are"],
    ["remove -m eos3b5e --yes", 2, "name the --project"],
    ["read -i in.csv -o o.csv -m eos3b5e -pn screening -nn", 2, "similar molecule"],
    ["catalog --isaura ./nowhere", 3, "nowhere"],
    ["catalog --cloud redis://x", 2, "STORE_URI_INVALID"],
  ])("store %s ends with its message", async (line, code, words) => {
    await box.inputs("in.csv", ["CCC", "N", "CCO", "CCC"]);
    const ended = await box.run("store", ...line.split(" "));
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toContain(words);
  });
});

describe("a project of Isaura's", () => {
  let project: string;
  const file = async (name: string, query: string) => {
    const path = join(project, name);
    mkdirSync(join(path, ".."), { recursive: true });
    await duck.run(`COPY (${query}) TO '${path}' (FORMAT parquet)`);
  };
  const everything = () =>
    readdirSync(project, { recursive: true, encoding: "utf8" })
      .toSorted()
      .map((name) => [
        name,
        /\.(parquet|pkl|json)$/.test(name) ? readFileSync(join(project, name), "hex") : "",
      ]);

  beforeAll(async () => {
    project = box.path("isaura-public");
    const data = "eos3b5e/v2/tranches/data";
    await file(`${data}/chunk_1.parquet`, "SELECT 'k1' AS key, 'CCO' AS input, 46.069::DOUBLE AS mol_weight");
    // All columns as texts, as the client of Ersilia writes them, and a failed row.
    await file(
      `${data}/chunk_2.parquet`,
      "SELECT * FROM (VALUES ('k2','CCC','44.1'), ('k3','bad','nan')) t(key, input, mol_weight)",
    );
    await file(
      "eos3b5e/v2/tranches/row=0/col=1/part-0.parquet",
      "SELECT 'k4' AS key, 'CCN' AS smiles, 45.08::DOUBLE AS mol_weight",
    );
    await file(
      "eos3b5e/v1/tranches/data/chunk_1.parquet",
      "SELECT 'k1' AS key, 'CCO' AS input, 1.0::DOUBLE AS mol_weight",
    );
    await file(
      "eos9zzz/v1/tranches/data/chunk_1.parquet",
      "SELECT 'k1' AS key, 'CCO' AS input, 7::BIGINT AS hits, 'x,y' AS label",
    );
    // A pickle that would make a file, and an index that is wrong: neither is ever read.
    writeFileSync(
      join(project, "eos3b5e/v2/tranches/bloom.pkl"),
      `cos\nsystem\n(S'touch ${project}/owned'\ntR.`,
    );
    writeFileSync(join(project, "eos3b5e/v2/tranches/index.json"), '{"CCO": [0, 0]}');
  });

  it("is read in place: the newest version, chunks and trees, and nothing of it changes", async () => {
    const before = everything();
    await box.inputs("wanted.csv", ["CCN", "CCO", "bad", "CCC", "N"]);
    const line = ["store", "read", ...model, "-i", "wanted.csv", "--isaura", project];
    await box.json(...line, "-o", "got.csv");
    expect(await box.rows("got.csv")).toEqual(["CCN,45.08", "CCO,46.069", "bad,\\N", "CCC,44.1", "N,\\N"]);
    await box.json(...line, "-v", "v1", "-o", "old.csv");
    expect((await box.rows("old.csv"))[1]).toBe("CCO,1.0");
    expect(everything()).toEqual(before);
    expect(await box.json("store", "catalog", "--isaura", project)).toMatchObject({
      rows: [
        { model: "eos3b5e", release: "v1", rows: 1, files: 1 },
        { model: "eos3b5e", release: "v2", rows: 4, files: 3 },
        { model: "eos9zzz", release: "v1", rows: 1, files: 1 },
      ],
    });
  });

  it("is read for a model that is not installed, with the columns of its files", async () => {
    await box.inputs("one.csv", ["CCO"]);
    await box.json("store", "read", "-m", "eos9zzz", "-i", "one.csv", "--isaura", project, "-o", "nine.csv");
    expect(await box.read("nine.csv")).toContain(
      'key,input,hits,label\n47029b0a89b677c61d67c3a1b1071f07,CCO,7,"x,y"\n',
    );
  });

  it("is pulled into the local cache and copied into a project of Memoir's", async () => {
    const newest = ["--isaura", project, "-v", "v2"];
    expect(await box.json<Moved>("store", "copy", ...model, ...newest, "--to", "taken")).toMatchObject({
      read: 3,
      stored: 3,
    });
    const local = ["--local", box.path("pulled")];
    expect(await box.json<Moved>("store", "pull", ...model, ...newest, ...local)).toMatchObject({
      stored: 3,
    });
  });

  it("is not recorded as another release unless the user names the version", async () => {
    for (const line of [
      ["copy", "--to", "guessed"],
      ["pull", "--local", box.path("guessed")],
    ]) {
      const { code, err } = await box.run("store", ...line, ...model, "--isaura", project);
      expect(code).toBe(2);
      expect(err).toMatch(/newest version of eos3b5e in .* is v2, but the model's release is v1\.0\.0/);
      expect(err).toContain("--version (there: v1, v2)");
    }
    expect((await box.run("store", "catalog", "--json")).out).not.toContain("guessed");
  });

  it("is never changed by a verb that writes", async () => {
    for (const line of [
      ["move", ...model, "--isaura", project, "--to", "x"],
      ["remove", ...model, "--isaura", project, "--yes"],
    ]) {
      const { code } = await box.run("store", ...line);
      expect(code).toBe(2);
    }
  });

  it("gets chunk files that the query of Isaura's client reads, and no chunk of it is rewritten", async () => {
    const target = box.path("new-project");
    const line = ["store", "copy", ...model, "-pn", "screening", "--to-isaura", target];
    const first = await box.json<Moved>(...line);
    expect(first).toMatchObject({ stored: 2, files: ["eos3b5e/v1/tranches/data/chunk_1.parquet"] });
    const bytes = await box.read("new-project/eos3b5e/v1/tranches/data/chunk_1.parquet");
    expect(await box.json<Moved>(...line)).toMatchObject({ stored: 0, alreadyThere: 2, files: [] });
    await box.write("more.csv", "input,mol_weight\nCCCO,60.1\n");
    await box.json("store", "write", "-i", "more.csv", ...model, "-pn", "screening");
    expect(await box.json<Moved>(...line)).toMatchObject({
      stored: 1,
      files: ["eos3b5e/v1/tranches/data/chunk_2.parquet"],
    });
    expect(await box.read("new-project/eos3b5e/v1/tranches/data/chunk_1.parquet")).toBe(bytes);
    await duck.run(
      "CREATE TABLE __wanted_inputs AS SELECT * FROM (VALUES ('CCCO', 0), ('N', 1), ('CCO', 2)) t(input, __o)",
    );
    // The text of isaura/query.py with its columns and its glob filled in.
    const source = `read_parquet('${target}/eos3b5e/v1/tranches/data/chunk_*.parquet')`;
    const answer = await duck.runAndReadAll(`
      WITH p AS (
        SELECT * FROM ${source}
        WHERE input IN (SELECT input FROM __wanted_inputs)
      )
      SELECT p.* FROM p
      JOIN __wanted_inputs w ON p.input = w.input
      ORDER BY w.__o
    `);
    expect(answer.columnNames()).toEqual(["key", "input", "mol_weight"]);
    expect(answer.getRows()).toEqual([
      [expect.stringMatching(/^[0-9a-f]{32}$/), "CCCO", 60.1],
      ["47029b0a89b677c61d67c3a1b1071f07", "CCO", 46.069],
    ]);
    // Other ways in: what was added is a project that is read in place.
    await box.inputs("again.csv", ["CCCO", "CCO"]);
    await box.json("store", "read", ...model, "-i", "again.csv", "--isaura", target, "-o", "again-out.csv");
    expect(await box.rows("again-out.csv")).toEqual(["CCCO,60.1", "CCO,46.069"]);
  });
});

describeWith([s3Requirement], "on S3", () => {
  it("projects are prefixes of a bucket, and a bucket of Isaura's is extended and read in place", async () => {
    const s3 = await sharedS3();
    const [bucket, isaura] = [await makeBucket(s3, "projects"), await makeBucket(s3, "isaura")];
    const there = box.with({ ...s3Environment(s3), MEMOIR_CLOUD: `s3://${bucket}/memoir` });
    const project = [...model, "-pn", "screening"];
    await there.json("store", "write", "-i", "results.csv", ...project, "--access", "both");
    const moved = ["--access", "private", "--to", "archive", "--to-access", "private"];
    expect(await there.json("store", "move", ...project, ...moved)).toMatchObject({ files: 1 });
    const { rows } = await there.json<Catalog>("store", "catalog");
    expect(rows.map((row) => [row.project, row.access, row.rows])).toEqual([
      ["archive", "private", 2],
      ["screening", "public", 2],
    ]);
    const place = `s3://${isaura}`;
    expect(await there.json<Moved>("store", "copy", ...project, "--to-isaura", place)).toMatchObject({
      stored: 2,
    });
    await box.inputs("s3.csv", ["CCC", "CCO"]);
    await there.json("store", "read", ...model, "-i", "s3.csv", "--isaura", place, "-o", "s3-out.csv");
    expect(await box.rows("s3-out.csv")).toEqual(["CCC,44.1", "CCO,46.069"]);
    const { code, err } = await there.run("store", "catalog", "--isaura", "s3://no-such-bucket-here");
    expect([code, err.includes("STORE_BUCKET_NOT_FOUND")]).toEqual([4, true]);
  });
});
