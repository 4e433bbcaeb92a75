/**
 * Isaura's own reader and writer (ersilia-os/isaura, with its query run by DuckDB) against buckets that Memoir wrote, and
 * Memoir against buckets that they wrote. Run from a checkout that MEMOIR_TEST_ISAURA names.
 */
import { afterEach, beforeEach, expect, it } from "vitest";
import { exampleInputs } from "../../src/models/index.ts";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, type S3Address, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { checkout, here, python, report } from "./checkouts.ts";

const isaura = checkout({
  variable: "MEMOIR_TEST_ISAURA",
  repository: "ersilia-os/isaura",
  file: "isaura/manage.py",
  modules: ["boto3", "duckdb", "loguru", "pandas", "psutil", "pyarrow", "requests", "rich"],
});
const model = ["-m", "eos3b5e"];
const count = 500;

interface Copied {
  readonly stored: number;
  readonly alreadyThere: number;
}

let box: Sandbox;
let s3: S3Address;
let there: Sandbox;

beforeEach(async () => {
  box = await Sandbox.create();
  s3 = await sharedS3();
  there = box.with({ ...s3Environment(s3), MEMOIR_CLOUD: box.path("cloud") });
});
afterEach(() => box.remove());

function session(bucket: string, ...words: readonly string[]) {
  const env = {
    MINIO_ENDPOINT: s3.endpoint,
    MINIO_LOCAL_AK: s3.accessKeyId,
    MINIO_LOCAL_SK: s3.secretAccessKey,
  };
  const line = [here("./isaura-session.py"), process.env["MEMOIR_TEST_ISAURA"] ?? "", bucket, ...words];
  return python(box, line, { path: (process.env["PYTHONPATH"] ?? "").split(":").filter(Boolean), env });
}

/** The molecules, and what Memoir computes for them, by molecule. */
async function computed(): Promise<Map<string, string>> {
  const inputs = exampleInputs(undefined, { count, mode: "deterministic" });
  await box.write("in.csv", `input\n${inputs.join("\n")}\n`);
  await box.json("run", "--model", "eos3b5e", "-i", "in.csv", "-o", "values.csv");
  return await table("values.csv");
}

async function table(file: string): Promise<Map<string, string>> {
  const [header = "", ...lines] = (await box.read(file)).trimEnd().split(/\r?\n/);
  expect(header).toBe("key,input,mol_weight");
  return new Map(lines.map((line) => [line.split(",")[1] ?? "", line.split(",")[2] ?? ""]));
}

/** How many of the wanted values the table has, compared as numbers. */
async function equalIn(file: string, wanted: ReadonlyMap<string, string>): Promise<number> {
  const found = await table(file);
  expect(found.size).toBe(wanted.size);
  return [...wanted].filter(([input, value]) => Number(found.get(input) ?? Number.NaN) === Number(value))
    .length;
}

describeWith([isaura, s3Requirement], "Isaura's client", () => {
  it(
    "writes rows that Memoir reads in place, and reads those again that Memoir has copied",
    async () => {
      const wanted = await computed();
      const theirs = await makeBucket(s3, "theirs");
      expect(await session(theirs, "write", box.path("values.csv"))).toMatchObject({ code: 0 });
      const read = ["store", "read", ...model, "-i", "in.csv", "--isaura", `s3://${theirs}`];
      await there.json(...read, "-o", "ours.csv");
      const ours = await equalIn("ours.csv", wanted);
      report(`Isaura's writer, read in place by Memoir: ${ours} of ${wanted.size} values`);
      // Taken into a project of Memoir's, from there into another bucket of Isaura's, and out of it by their query.
      await there.json("store", "copy", ...model, "--isaura", `s3://${theirs}`, "--to", "taken");
      const given = await makeBucket(s3, "given");
      const copy = ["store", "copy", ...model, "-pn", "taken", "--to-isaura", `s3://${given}`];
      expect(await there.json<Copied>(...copy)).toMatchObject({ stored: wanted.size });
      const asked = await session(given, "query", box.path("in.csv"), box.path("query.csv"));
      expect([asked.code, asked.said]).toEqual([0, expect.stringContaining(`read ${wanted.size} rows`)]);
      const query = await equalIn("query.csv", wanted);
      report(`Memoir's chunks, read by the query of Isaura with DuckDB: ${query} of ${wanted.size} values`);
      expect([ours, query]).toEqual([wanted.size, wanted.size]);
    },
    3 * limitMs,
  );

  it(
    "answers what its index lists, whatever Memoir adds, and everything after the way that docs/store.md describes",
    async () => {
      const wanted = await computed();
      const half = new Map([...wanted].slice(0, wanted.size / 2));
      await box.write("half.csv", csv(half));
      const project = await makeBucket(s3, "project");
      expect(await session(project, "write", box.path("half.csv"))).toMatchObject({ code: 0 });
      // What Memoir adds destroys nothing of what Isaura's reader answers, and repeats no row.
      await there.json("store", "push", ...model, "-pn", "ours");
      const copy = ["store", "copy", ...model, "-pn", "ours", "--to-isaura", `s3://${project}`];
      const added = wanted.size - half.size;
      expect(await there.json<Copied>(...copy)).toMatchObject({ stored: added, alreadyThere: half.size });
      const still = await session(project, "read", box.path("half.csv"), box.path("still.csv"));
      expect([still.code, still.said]).toEqual([0, expect.stringContaining(`read ${half.size} rows`)]);
      const indexed = await equalIn("still.csv", half);
      report(
        `Isaura's reader, its own rows after Memoir has added others: ${indexed} of ${half.size} values`,
      );
      expect(indexed).toBe(half.size);
      const unlisted = await session(project, "read", box.path("in.csv"), box.path("no.csv"));
      expect([unlisted.code, unlisted.said]).toEqual([1, expect.stringContaining(`total_missing=${added}`)]);
      report(`Isaura's reader, rows that its index does not list: 0 of ${added} values, as documented`);
      // Isaura stores a dump of Memoir's: its reader, its inspector and its query know every row.
      await there.json("dump", "--model", "eos3b5e", "--local-cache-only", "-o", "rows.csv");
      const theirs = await makeBucket(s3, "stored");
      expect(await session(theirs, "write", box.path("rows.csv"))).toMatchObject({ code: 0 });
      const read = await session(theirs, "read", box.path("in.csv"), box.path("read.csv"));
      expect([read.code, read.said]).toEqual([0, expect.stringContaining(`read ${wanted.size} rows`)]);
      const all = await equalIn("read.csv", wanted);
      report(`Isaura's reader, a dump of Memoir's that Isaura has stored: ${all} of ${wanted.size} values`);
      expect(all).toBe(wanted.size);
      expect((await session(theirs, "inspect", box.path("list.csv"))).said).toContain(
        `listed ${wanted.size} rows`,
      );
    },
    3 * limitMs,
  );
});

function csv(rows: ReadonlyMap<string, string>): string {
  const lines = [...rows].map(([input, value]) => `k,${input},${value}\n`);
  return `key,input,mol_weight\n${lines.join("")}`;
}
