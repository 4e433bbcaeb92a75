/** CWL through the server: the same caches, tasks and reuse as with WDL. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openServer, type TestServer, uniqueId } from "./harness.ts";
import * as requests from "./requests.ts";
import { zipOf } from "./zip.ts";

const cwl = `cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
requirements:
  WorkReuse:
    enableReuse: true
inputs:
  word:
    type: string
    inputBinding: {}
outputs:
  said:
    type: stdout
stdout: said.txt
`;

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(async () => {
  await server.close();
  expect(server.bugs).toEqual([]);
});

const send = (method: string, path: string, body?: object) => requests.send(server, method, path, body);

it("a tool runs, and its second run is reused", async () => {
  const definitionZip = zipOf({ "main.cwl": cwl }).toString("base64");
  const { id: workflowId } = await send("POST", "/workflow", { definitionZip, requestId: uniqueId() });
  const made = await send("GET", `/workflow/${workflowId}`);
  expect([made["status"], made["engine"], made["main"]], String(made["statusMessage"])).toEqual([
    "ACTIVE",
    "CWL",
    "main.cwl",
  ]);
  expect(made["parameterTemplate"]).toEqual({ word: { optional: false } });
  const cache = await send("POST", "/runCache", {
    ...{ cacheS3Location: `file://${server.folder}/cache`, cacheBehavior: "CACHE_ALWAYS" },
    requestId: uniqueId(),
  });
  const hits: unknown[] = [];
  for (let round = 0; round < 2; round++) {
    const { id } = await send("POST", "/run", {
      ...{
        workflowId,
        roleArn: "arn:aws:iam::000000000000:role/r",
        outputUri: `file://${server.folder}/out`,
      },
      ...{ cacheId: cache["id"], parameters: { word: "hello" }, requestId: uniqueId() },
    });
    let run: Record<string, unknown> = {};
    await expect
      .poll(
        async () => {
          run = await send("GET", `/run/${id}`);
          return run["status"];
        },
        { interval: 30 },
      )
      .toMatch(/^(COMPLETED|FAILED)$/);
    expect(run["status"], String(run["statusMessage"])).toBe("COMPLETED");
    const { items } = await send("GET", `/run/${id}/task`);
    const outputs = await readFile(`${server.folder}/out/${id}/logs/outputs.json`, "utf8");
    expect(JSON.parse(outputs)["said"]).toMatchObject({
      ...{ class: "File", basename: "said.txt", size: 6 },
      location: `file://${server.folder}/out/${id}/out/said/said.txt`,
    });
    hits.push(...(items as readonly { cacheHit: boolean }[]).map(({ cacheHit }) => cacheHit));
  }
  expect(hits).toEqual([false, true]);
});
