/** What run groups limit: GPUs of tasks, and how long a run may take. Runs and CPUs are in the life of a run. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLedger } from "../../src/ledger/index.ts";
import { openAccount, openServer, type TestServer, uniqueId } from "./harness.ts";
import { type Body, ended, get, post, start, tasksOf, workflow } from "./plain-client.ts";

function wdl(command: string, runtime = ""): string {
  return `version 1.1
task work {
  input {
    String name
  }
  command <<<
    ${command}
  >>>
  runtime {
    cpu: 0.1
    memory: "50 MB"
    ${runtime}
  }
  output {
    String said = read_string(stdout())
  }
}
`;
}

const group = async (server: TestServer, limits: Body) =>
  (await post(server, "/runGroup", { ...limits, requestId: uniqueId() }))["id"];

describe("maxGpus", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await openServer({ gpus: 2 });
  });
  afterAll(async () => {
    await server.close();
    expect(server.bugs).toEqual([]);
  });

  const gate = "while [ ! -e ~{name} ]; do sleep 0.05; done; echo ~{name}";

  it("tasks of a group wait for each other's GPUs, those of others do not", async () => {
    const id = await workflow(server, { "main.wdl": wdl("sleep 0.4; echo ~{name}", "gpu: true") });
    const limited = await group(server, { maxGpus: 1 });
    const ids = await Promise.all(
      ["a", "b"].map(
        async (name) => (await start(server, id, { runGroupId: limited, parameters: { name } }))["id"],
      ),
    );
    const tasks: Body[] = [];
    for (const run of ids) {
      expect((await ended(server, run))["status"]).toBe("COMPLETED");
      tasks.push(...(await tasksOf(server, run)));
    }
    expect(tasks.map((task) => task["gpus"])).toEqual([1, 1]);
    const [first, second] = tasks.sort((x, y) => (String(x["startTime"]) < String(y["startTime"]) ? -1 : 1));
    expect(String(second?.["startTime"]) >= String(first?.["stopTime"])).toBe(true);

    // Two of a group that may use two are seen running together.
    const wide = await group(server, { maxGpus: 2 });
    const waiting = await workflow(server, { "main.wdl": wdl(gate, "gpu: true") });
    const names = ["c", "d"].map((name) => join(server.folder, name));
    const together = await Promise.all(
      names.map((name) => start(server, waiting, { runGroupId: wide, parameters: { name } })),
    );
    const states = async () =>
      (await Promise.all(together.map((run) => tasksOf(server, run["id"]))))
        .flat()
        .map((task) => task["status"]);
    await expect.poll(states, { interval: 30 }).toEqual(["RUNNING", "RUNNING"]);
    for (const run of together) await post(server, `/run/${run["id"]}/cancel`, {});
    for (const run of together) await ended(server, run["id"]);
  });

  it("a task that asks for more than its group or the machine has fails by name", async () => {
    const id = await workflow(server, { "main.wdl": wdl("echo ~{name}", "gpu: true\n    gpuCount: 2") });
    const one = await group(server, { maxGpus: 1 });
    const refused = await ended(
      server,
      (await start(server, id, { runGroupId: one, parameters: { name: "x" } }))["id"],
    );
    expect([refused["status"], refused["failureReason"]]).toEqual(["FAILED", "INVALID_TASK_RESOURCE_VALUE"]);
    expect(refused["statusMessage"]).toContain("asks for 2 gpus, its run group allows 1");
    const three = await workflow(server, { "main.wdl": wdl("echo ~{name}", "gpu: true\n    gpuCount: 3") });
    const tooMany = await ended(server, (await start(server, three, { parameters: { name: "x" } }))["id"]);
    expect(tooMany["statusMessage"]).toContain("asks for 3 gpus, 2 may be used here");
    const [task] = await tasksOf(server, tooMany["id"]);
    const whole = await get(server, `/run/${tooMany["id"]}/task/${task?.["taskId"]}`);
    expect([whole["status"], whole["failureReason"]]).toEqual(["FAILED", "INVALID_TASK_RESOURCE_VALUE"]);
  });
});

describe("maxDuration", () => {
  it("fails a run that takes longer, counted from its start across restarts, and what it finished stays cached", async () => {
    const folder = await mkdtemp(join(tmpdir(), "memoir-duration-"));
    try {
      const first = await openServer({ folder });
      const two = `version 1.1
task quick {
  command <<< echo quick > out.txt >>>
  output { File out = "out.txt" }
}
task slow {
  input { File before }
  command <<< sleep 76543; cat ~{before} >>>
  output { String said = read_string(stdout()) }
}
workflow both {
  call quick
  call slow { input: before = quick.out }
}
`;
      const id = await workflow(first, { "main.wdl": two });
      const cache = await post(first, "/runCache", {
        ...{ cacheS3Location: `file://${folder}/cache`, cacheBehavior: "CACHE_ALWAYS" },
        requestId: uniqueId(),
      });
      const runGroupId = await group(first, { maxDuration: 1 });
      const run = await start(first, id, { runGroupId, cacheId: cache["id"] });
      const states = async () =>
        (await tasksOf(first, run["id"])).map(({ name, status }) => `${name} ${status}`);
      await expect.poll(states, { interval: 30 }).toEqual(["quick COMPLETED", "slow RUNNING"]);
      await first.close();
      // Almost a minute has passed, according to the ledger.
      const ledger = await openLedger(join(folder, "home", "server", "ledger.db"));
      const stored = ledger.runs.get(openAccount, String(run["id"]));
      if (stored === undefined) throw new Error("the run does not exist");
      ledger.runs.put({ ...stored, startTime: new Date(Date.now() - 57_000).toISOString() });
      ledger.close();
      const second = await openServer({ folder });
      const out = await ended(second, run["id"]);
      expect([out["status"], out["failureReason"]]).toEqual(["FAILED", "RUN_TIMED_OUT"]);
      expect(out["statusMessage"]).toContain("maxDuration");
      const passedMs = Date.parse(String(out["stopTime"])) - Date.parse(String(out["startTime"]));
      expect(passedMs).toBeGreaterThanOrEqual(60_000);
      const tasks = await tasksOf(second, run["id"]);
      expect(tasks.filter((task) => !["COMPLETED", "CANCELLED"].includes(String(task["status"])))).toEqual(
        [],
      );
      // A run of another group may take as long as it wants, and reuses what was finished.
      const free = await start(second, id, { cacheId: cache["id"] });
      await expect
        .poll(
          async () =>
            (await tasksOf(second, free["id"])).map(
              ({ name, status, cacheHit }) => `${name} ${status} ${cacheHit}`,
            ),
          { interval: 30 },
        )
        .toEqual(["quick COMPLETED true", "slow RUNNING false"]);
      await post(second, `/run/${free["id"]}/cancel`, {});
      await ended(second, free["id"]);
      await second.close();
      expect([...first.bugs, ...second.bugs]).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
