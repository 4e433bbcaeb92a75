/**
 * Runs of Nextflow in their own processes, as `memoir server` has them: a script that loops or fills memory fails its run
 * and keeps nobody waiting, and everything that runs share works from there.
 */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openServer, type TestServer, uniqueId } from "./harness.ts";
import * as requests from "./requests.ts";
import { zipOf } from "./zip.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer({ ownProcesses: true, runMemoryMiB: 128 });
});
afterAll(async () => {
  await server.close();
  expect(server.bugs).toEqual([]);
});

type Body = Record<string, unknown>;

const send = (method: string, path: string, body?: object) => requests.send(server, method, path, body);

async function register(script: string): Promise<unknown> {
  const definitionZip = zipOf({ "main.nf": script }).toString("base64");
  return (await send("POST", "/workflow", { definitionZip, requestId: uniqueId() }))["id"];
}

async function start(workflowId: unknown, more: object = {}): Promise<string> {
  const { id } = await send("POST", "/run", {
    ...{ workflowId, roleArn: "arn:aws:iam::000000000000:role/r", requestId: uniqueId() },
    outputUri: `file://${server.folder}/out`,
    ...more,
  });
  return String(id);
}

async function ended(id: string): Promise<Body> {
  let found: Body = {};
  const status = async () => {
    found = await send("GET", `/run/${id}`);
    return found["status"];
  };
  await expect.poll(status, { interval: 30 }).toMatch(/^(COMPLETED|FAILED|CANCELLED)$/);
  return found;
}

async function tasksOf(id: string): Promise<readonly Body[]> {
  return (await send("GET", `/run/${id}/task`))["items"] as readonly Body[];
}

describe("a script that does harm", () => {
  it("fills memory: its run fails and says how much it may take, and the others run", async () => {
    const greedy = await register("workflow { def kept = []; while (true) kept << [0] * 100000 }");
    const small = await register(`workflow { println "still here" }`);
    const run = await start(greedy);
    expect((await ended(await start(small)))["status"]).toBe("COMPLETED");
    const found = await ended(run);
    expect([found["status"], found["failureReason"]]).toEqual(["FAILED", "OUT_OF_MEMORY_ERROR"]);
    expect(found["statusMessage"]).toContain("more than 128 MiB of memory");
  });

  it("keeps items in channels: as with lists", async () => {
    const script = "workflow { channel.of(1..100000).map { [it, [0] * 2000] }.toList().view() }";
    const found = await ended(await start(await register(script)));
    expect([found["status"], found["failureReason"]]).toEqual(["FAILED", "OUT_OF_MEMORY_ERROR"]);
  });

  it("calls itself without end: its run fails with what happened", async () => {
    const script = "def down(n) { down(n + 1) }\nworkflow { down(0) }";
    const found = await ended(await start(await register(script)));
    expect(found["status"]).toBe("FAILED");
    expect(found["statusMessage"]).toContain("call each other too deeply");
  });

  it("loops without end: others are answered meanwhile, and it can be cancelled", async () => {
    const looping = await register(`workflow { println "begins"; while (true) { } }`);
    const run = await start(looping);
    await expect
      .poll(() => existsSync(`${server.folder}/home/server/runs/000000000000/${run}/engine-run.json`), {
        interval: 30,
      })
      .toBe(true);
    const small = await register("workflow { }");
    expect((await ended(await start(small)))["status"]).toBe("COMPLETED");
    await send("POST", `/run/${run}/cancel`);
    expect((await ended(run))["status"]).toBe("CANCELLED");
  });
});

describe("a run", () => {
  const script = (last: string) => `process FIRST {
  publishDir '/mnt/workflow/pubdir'
  output: path 'f.txt'
  script: 'echo first > f.txt'
}
process SECOND {
  input: path f
  output: stdout
  script: '''${last}'''
}
workflow { SECOND(FIRST()) }`;
  const cacheAt = (location: string, cacheBehavior = "CACHE_ALWAYS") =>
    send("POST", "/runCache", {
      ...{ cacheS3Location: `file://${location}`, cacheBehavior, requestId: uniqueId() },
    });

  it("exports, records under the names of the service, and is reused", async () => {
    const location = `${server.folder}/cache`;
    const { id: cacheId } = await cacheAt(location);
    const workflow = await register(script("cat f.txt"));
    const first = await ended(await start(workflow, { cacheId }));
    expect(first["status"], String(first["statusMessage"])).toBe("COMPLETED");
    expect(await readFile(`${server.folder}/out/${first["id"]}/pubdir/f.txt`, "utf8")).toBe("first\n");
    const [task] = await tasksOf(String(first["id"]));
    const uuid = String(task?.["cacheS3Uri"]).split("/").at(-1);
    const names = await readdir(location, { recursive: true });
    const manifest = await readFile(`${location}/${names.find((name) => name.endsWith(`${uuid}.json`))}`);
    expect(JSON.parse(manifest.toString())).toMatchObject({
      arn: expect.stringContaining(`:runCache/${cacheId}/cacheEntry/${uuid}`),
      taskArn: expect.stringContaining(`:task/${task?.["taskId"]}`),
    });
    const second = await ended(await start(workflow, { cacheId }));
    expect((await tasksOf(String(second["id"]))).map(({ cacheHit }) => cacheHit)).toEqual([true, true]);
  });

  it.each(["CACHE_ALWAYS", "CACHE_ON_FAILURE"])(
    "whose process is lost fails, and what had finished is reused by the next: %s",
    async (behaviour) => {
      const { id: cacheId } = await cacheAt(`${server.folder}/lost-${behaviour}`, behaviour);
      const run = await start(await register(script("touch started; while :; do sleep 0.1; done")), {
        cacheId,
      });
      const statusOf = async (name: string) =>
        (await tasksOf(run)).find((task) => task["name"] === name)?.["status"];
      await expect.poll(() => statusOf("SECOND"), { interval: 30 }).toBe("RUNNING");
      const engine = JSON.parse(
        await readFile(`${server.folder}/home/server/runs/000000000000/${run}/engine-run.json`, "utf8"),
      );
      const { owner } = JSON.parse(await readFile(`${engine.directory}/run.json`, "utf8"));
      process.kill(owner.pid, "SIGKILL");
      const found = await ended(run);
      expect([found["status"], found["failureReason"]]).toEqual(["FAILED", "SERVICE_ERROR"]);
      expect(found["statusMessage"]).toContain("its process was ended by SIGKILL");
      expect(await statusOf("SECOND")).toBe("CANCELLED");
      const record = JSON.parse(await readFile(`${engine.directory}/run.json`, "utf8"));
      expect(record.state).toBe("failed");
      const next = await ended(await start(await register(script("cat f.txt")), { cacheId }));
      const hits = (await tasksOf(String(next["id"]))).map(({ name, cacheHit }) => [name, cacheHit]);
      expect(Object.fromEntries(hits)).toEqual({ FIRST: true, SECOND: false });
    },
  );
});
