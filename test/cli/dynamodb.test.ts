/** A DynamoDB table as the cloud cache, through the command line. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type DynamoServer, dynamoCredentials, startDynamo } from "../servers/dynalite.ts";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
let server: DynamoServer;
beforeAll(async () => {
  [box, server] = await Promise.all([Sandbox.create(), startDynamo()]);
});
afterAll(async () => {
  await Promise.all([box.remove(), server.stop()]);
});

it("a dry run shows the price of a load, the load fills the table, and look-ups answer from it", async () => {
  const table = await server.createTable();
  const cloud = `dynamodb://${table}?parquet=${box.path("files")}`;
  const env = {
    AWS_ENDPOINT_URL_DYNAMODB: server.endpoint,
    AWS_ACCESS_KEY_ID: dynamoCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: dynamoCredentials.secretAccessKey,
    MEMOIR_CLOUD: cloud,
  };
  const known = Array.from({ length: 40 }, (_, at) => `${"C".repeat(at + 1)},${at}.5`);
  await box.write("known.csv", `input,mol_weight\n${known.join("\n")}\n`);
  const load = ["predictions", "import", "molecular-weight", "known.csv", "--into", "cloud"];

  const dry = await box.with(env).run(...load, "--dry-run");
  expect(dry.out).toContain("would import 40 rows");
  expect(dry.out).toContain(
    "storing them costs less than 0.01 USD once and less than 0.01 USD a month (DynamoDB on demand, us-east-1)",
  );
  const stored = async () => JSON.parse((await box.with(env).run(...load, "--json")).out) as object;
  expect(await stored()).toMatchObject({ stored: 40, alreadyThere: 0 });
  expect(await stored()).toMatchObject({ stored: 0, alreadyThere: 40 });

  await box.write("asked.csv", "smiles\nCCC\nO\nC\nCCC\n");
  const asked = ["run", "--model", "molecular-weight", "-i", "asked.csv", "-o", "out.csv"];
  const alone = { ...env, MEMOIR_CLOUD: `dynamodb://${table}` };
  const done = await box.with(alone).run(...asked, "--cloud-cache-only");
  expect(done.code).toBe(0);
  expect(await box.read("out.csv")).toMatch(/CCC,2\.5\r?\n.*O,\\N\r?\n.*C,0?\.5\r?\n.*CCC,2\.5/s);

  const refused = await box.with(alone).run("predictions", "compact", "molecular-weight");
  expect(refused.err).toContain("STORE_TABLE_WITHOUT_FILES");
});
