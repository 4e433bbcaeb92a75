/** The predictions of one Memoir as the cloud cache of another one. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Sandbox, type Started } from "./memoir.ts";

let there: Sandbox;
let here: Sandbox;
let server: Started;
beforeAll(async () => {
  there = await Sandbox.create();
  here = await Sandbox.create();
});
afterAll(async () => {
  server.process.kill("SIGTERM");
  await server.ended;
  await Promise.all([there.remove(), here.remove()]);
});

it("is looked up, filled and dumped through memoir server, with the token of a key", async () => {
  const token = "t".repeat(40);
  const key = { accessKeyId: "AKID", secretAccessKey: "secret", account: "111111111111", token };
  await there.write("keys.json", JSON.stringify([{ ...key, predictions: "write" }]));
  await there.write("known.csv", "input,mol_weight\nCCO,1.5\nCCC,2.5\n");
  await there.json("predictions", "import", "molecular-weight", "known.csv");
  server = there.start("server", "--port", "0", "--executor", "host", "--access-keys", "keys.json");
  await expect.poll(() => /listening on (\S+)/.exec(server.err())?.[1]).toBeDefined();
  const url = /listening on (\S+)/.exec(server.err())?.[1] ?? "";
  const remote = here.with({ MEMOIR_CLOUD: url, MEMOIR_CLOUD_TOKEN: token });

  await here.write("asked.csv", "smiles\nCCC\nO\nCCO\n");
  const asked = ["run", "--model", "molecular-weight", "-i", "asked.csv", "-o", "out.csv"];
  expect((await remote.run(...asked, "--cloud-cache-only")).code).toBe(0);
  expect(await here.rows("out.csv")).toEqual(["CCC,2.5", "O,\\N", "CCO,1.5"]);

  expect(await remote.json(...asked, "--cache-only")).toMatchObject({
    counts: { reusedCloud: 2, computed: 1 },
  });
  const dump = ["dump", "--model", "molecular-weight", "-o", "dump.csv", "--cloud-cache-only"];
  expect(await remote.json(...dump)).toMatchObject({ rows: 3 });

  const stranger = here.with({ MEMOIR_CLOUD: url, MEMOIR_CLOUD_TOKEN: "x".repeat(40) });
  const refused = await stranger.run(...asked, "--cloud-cache-only");
  expect(refused.err).toContain("STORE_CREDENTIALS_REFUSED");
  expect(refused.err + server.err()).not.toContain(token);
});
