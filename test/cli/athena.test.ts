/** Predictions on S3, queried through Athena by somebody who does not read the bucket. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type AthenaServer, startAthena } from "../servers/athena.ts";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, type S3Address, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
let athena: AthenaServer;
beforeAll(async () => {
  [box, athena] = await Promise.all([Sandbox.create(), startAthena(["lab"], 20e9)]);
});
afterAll(async () => {
  await Promise.all([box.remove(), athena.close()]);
});

/** The look-alike reads a folder in the place of the bucket. */
async function copyBucket(s3: S3Address, bucket: string): Promise<void> {
  await rm(box.path("bucket"), { recursive: true, force: true });
  const client = new S3Client({
    ...{ endpoint: s3.endpoint, region: s3.region, forcePathStyle: true, credentials: s3 },
  });
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  for (const { Key = "" } of Contents) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
    const path = box.path(`bucket/${Key}`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, (await Body?.transformToByteArray()) ?? new Uint8Array());
  }
  client.destroy();
}

describeWith([s3Requirement], "memoir with Athena", () => {
  it("prints the table of a bucket, answers from it, and says what that costs", async () => {
    const s3 = await sharedS3();
    const bucket = await makeBucket(s3, "athena");
    const cloud = `s3://${bucket}/memoir`;
    const owner = box.with(s3Environment(s3));
    await box.write("known.csv", "input,mol_weight\nCCO,46.5\nCCC,44.25\n");
    const load = ["predictions", "import", "molecular-weight", "known.csv", "--into", "cloud"];
    expect((await owner.run(...load, "--cloud", cloud)).code).toBe(0);
    athena.mount(bucket, box.path("bucket"), () => copyBucket(s3, bucket));

    const table = await owner.run(
      ...["athena", "ddl", "molecular-weight", "--cloud", cloud, "--database", "lab"],
    );
    expect(table.code).toBe(0);
    expect(table.out).toMatch(/^CREATE EXTERNAL TABLE IF NOT EXISTS `lab`\.`eos3b5e_[0-9a-f]{16}` \(\n/);
    athena.define(table.out.trimEnd().replace(/;$/, ""));

    await box.write("asked.csv", "smiles\nCCC\nO\nCCO\nCCC\n");
    const guest = box.with({
      AWS_ENDPOINT_URL_ATHENA: athena.endpoint,
      AWS_ACCESS_KEY_ID: "AKIDGUEST",
      AWS_SECRET_ACCESS_KEY: "secret",
      MEMOIR_CLOUD: "athena://lab?workgroup=people",
    });
    const asked = ["run", "--model", "molecular-weight", "-i", "asked.csv", "-o", "out.csv"];
    const done = await guest.run(...asked, "--cloud-cache-only");
    expect(done.code).toBe(0);
    expect(await box.read("out.csv")).toMatch(/CCC,44\.25\r?\n.*O,\\N\r?\n.*CCO,46\.5\r?\n.*CCC,44\.25/s);
    expect(done.err).toContain(
      "each statement costs at least 0.00005 USD and at most 0.10 USD (list price: 5 USD for each TB read",
    );
    expect(done.err).toMatch(/1 statements? read \S+ \S+ and cost about 0\.00005 USD/);

    const inputs = await owner.run("athena", "inputs", "--cloud", cloud, "--database", "lab");
    athena.define(inputs.out.trimEnd().replace(/;$/, ""));
    const many = Array.from({ length: 6_000 }, (_, at) => `C${"C".repeat(at % 50)}N${at}`);
    await box.write("many.csv", `smiles\n${many.join("\n")}\nCCO\n`);
    const before = athena.statements.length;
    const writer = guest.with(s3Environment(s3));
    const large = ["run", "--model", "molecular-weight", "-i", "many.csv", "-o", "large.csv"];
    const looked = await writer.run(...large, "--cloud-cache-only", "--local", box.path("other"));
    expect(looked).toMatchObject({ code: 0 });
    expect(await box.read("large.csv")).toMatch(/CCO,46\.5/);
    expect(athena.statements.slice(before)).toHaveLength(1);

    const dump = await guest.run("predictions", "stats", "molecular-weight", "--json");
    expect(JSON.parse(dump.out)).toMatchObject({ rows: [{ model: "eos3b5e", cloud: 2 }] });
    const drop = await guest.run("predictions", "drop", "molecular-weight", "--from", "cloud", "--yes");
    expect(drop.err).toContain("STORE_TIER_REFUSED");
    expect((await guest.run("predictions", "compact", "molecular-weight")).err).toContain(
      "STORE_TABLE_WITHOUT_FILES",
    );
  });
});

it("refuses a database that is not a name, and a cache that is not on S3", async () => {
  const ddl = (...more: string[]) => box.run("athena", "ddl", "molecular-weight", ...more);
  expect((await ddl("--database", "x`; DROP", "--cloud", "s3://bucket")).err).toContain("CLI_USAGE");
  expect((await ddl("--cloud", box.path("files"))).err).toContain("STORE_URI_INVALID");
});
