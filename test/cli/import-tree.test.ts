/** `memoir predictions import` of whole trees, in folders and on S3. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { md5Hex } from "../../src/hash/index.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import { type ObjectStore, openObjectStore } from "../../src/store/objects/index.ts";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, type S3Address, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
});
afterAll(() => box.remove());

const table = (...rows: readonly string[]) => `input,mol_weight\n${rows.map((row) => `${row}\n`).join("")}`;
const shard = gzipSync(`${md5Hex("CO")},CO,32\n`);

/** Files of a tree by their path. */
const tree: Readonly<Record<string, string | Uint8Array>> = {
  "a.csv": table("CCO,46", "bad,"),
  "deep/er/b.tsv": "smiles\tmol_weight\nCCC\t44\n",
  "deep/c.csv.gz": gzipSync(table("CCCC,58")),
  "deep/0001.gz": shard,
  "deep/index.json": "{}",
  "README.md": "# predictions\n",
  "other.csv": "input,score\nCCO,1\n",
  "eos4e40/v1/d.csv": table("N,1"),
};
const imported = { read: 5, stored: 4, skipped: 1, files: 4 };

function write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = box.path(`${folder}/${name}`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

describe("a folder", () => {
  it("is imported with all that is below it; files that are not predictions of the model are named", async () => {
    write("tree", tree);
    symlinkSync("..", box.path("tree/deep/loop"));
    const result = await box.json("predictions", "import", "eos3b5e", "tree");
    expect(result).toMatchObject({
      ...imported,
      otherFiles: { count: 2, names: ["tree/README.md", "tree/deep/index.json"] },
      leftOut: {
        count: 2,
        files: [
          { file: "tree/eos4e40/v1/d.csv", reason: "it is in a folder of eos4e40" },
          { file: "tree/other.csv", reason: expect.stringContaining("it has no column mol_weight") },
        ],
      },
    });
    const { out, err } = await box.run("predictions", "import", "eos3b5e", "tree");
    expect(out).toContain("imported 5 rows from 4 files for eos3b5e");
    expect(err).toContain("2 files of no known kind were not read (tree/README.md, tree/deep/index.json)");
    expect(err).toContain("left out: tree/eos4e40/v1/d.csv: it is in a folder of eos4e40");
  });

  it("of other things says what was found", async () => {
    write("things", { "x/a.json": "[]", "b.txt": "" });
    mkdirSync(box.path("empty"));
    const things = await box.run("predictions", "import", "eos3b5e", "things");
    expect(things.code).toBe(3);
    expect(things.err).toContain("of 2 files none is of a known kind (things/b.txt, things/x/a.json)");
    expect(things.err).toContain("Name a .csv, .tsv");
    expect((await box.run("predictions", "import", "eos3b5e", "empty")).err).toContain("nothing is in it");
  });

  it("of several versions is refused: all rows would count as one release's", async () => {
    write("versions", { "eos3b5e/v1/a.csv": table("CCO,1"), "eos3b5e/v2/a.csv": table("CCO,2") });
    const { code, err } = await box.run("predictions", "import", "eos3b5e", "versions");
    expect(code).toBe(3);
    expect(err).toContain("it holds several versions (v1, v2)");
  });

  it("with a wrong row names the file and the line", async () => {
    write("wrong", { "deep/a.csv.gz": gzipSync(table("CCO,many")) });
    const { code, err } = await box.run("predictions", "import", "eos3b5e", "wrong");
    expect(code).toBe(3);
    expect(err).toContain("cannot read wrong/deep/a.csv.gz, line 2");
  });
});

describeWith([s3Requirement], "a prefix on S3", () => {
  let bucket = "";
  let there: Sandbox;
  let store: ObjectStore;
  let server: S3Address;
  beforeAll(async () => {
    server = await sharedS3();
    bucket = await makeBucket(server, "import");
    there = box.with({ ...s3Environment(server), MEMOIR_HOME: box.path("s3-home") });
    const { accessKeyId, secretAccessKey, endpoint, region } = server;
    store = openObjectStore(`s3://${bucket}`, {
      s3: { endpoint, region, credentials: { accessKeyId, secretAccessKey } },
      names: "any",
    });
    for (const [name, content] of Object.entries(tree))
      await store.put(`runs/one/${name}`, Buffer.from(content), freshAsk());
    await store.put("runs/only json/x.json", Buffer.from("{}"), freshAsk());
    await store.put("runs/wrong/a.csv", Buffer.from(table("CCO,many")), freshAsk());
  });
  afterAll(() => store.close());
  const take = (place: string) => there.run("predictions", "import", "eos3b5e", place);

  it("is imported like a folder, and so is a single object", async () => {
    expect(await there.json("predictions", "import", "eos3b5e", `s3://${bucket}/runs/one`)).toMatchObject({
      ...imported,
      otherFiles: { count: 2 },
      leftOut: { count: 2 },
    });
    expect(
      await there.json("predictions", "import", "eos3b5e", `s3://${bucket}/runs/one/deep/c.csv.gz`),
    ).toMatchObject({ read: 1, alreadyThere: 1, files: 1 });
    const names: string[] = [];
    for await (const { name } of store.list("", freshAsk())) names.push(name);
    expect(names).toHaveLength(Object.keys(tree).length + 2);
  });

  it("says what is wrong: no bucket, nothing there, no file of a known kind, a wrong row", async () => {
    const missing = await take("s3://no-such-bucket-here/x");
    expect([missing.code, missing.err.includes("[STORE_BUCKET_NOT_FOUND]")]).toEqual([4, true]);
    const nothing = await take(`s3://${bucket}/runs/two`);
    expect(nothing.code).toBe(3);
    expect(nothing.err).toContain(`has the folders one, only json, wrong`);
    expect((await take(`s3://${bucket}/runs/only json`)).err).toContain(
      `none is of a known kind (s3://${bucket}/runs/only json/x.json)`,
    );
    expect((await take(`s3://${bucket}/runs/wrong/`)).err).toContain(
      `cannot read s3://${bucket}/runs/wrong/a.csv, line 2`,
    );
    expect((await take("s3://")).code).not.toBe(70);
  });
});
