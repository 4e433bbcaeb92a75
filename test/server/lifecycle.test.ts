/** What runs, tasks, caches and groups do over time, asked with plain requests. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLedger } from "../../src/ledger/index.ts";
import { openAccount, openServer, type TestServer, uniqueId } from "./harness.ts";
import {
  type Body,
  ended,
  get,
  logOf,
  post,
  roleArn,
  start as startRun,
  tasksOf,
  workflow,
} from "./plain-client.ts";
import { zipOf } from "./zip.ts";

function wdl(command: string, inputs = "String name"): string {
  return `version 1.1
task work {
  input {
    ${inputs}
  }
  command <<<
    ${command}
  >>>
  output {
    String said = read_string(stdout())
  }
}
workflow one {
  input {
    ${inputs}
  }
  call work {
    input:
      ${inputs.split(" ")[1]} = ${inputs.split(" ")[1]}
  }
  output {
    String said = work.said
  }
}
`;
}

describe("the life of a run", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await openServer();
  });
  afterAll(async () => {
    await server.close();
    expect(server.bugs).toEqual([]);
  });

  const start = (workflowId: string, settings: Body = {}) =>
    startRun(server, workflowId, { parameters: { name: "x" }, ...settings });

  it("a workflow names its main document, also when nobody named it", async () => {
    const only = await workflow(server, { "only.wdl": wdl("echo only") });
    expect((await get(server, `/workflow/${only}`))["main"]).toBe("only.wdl");
    const folder = await workflow(server, { "top/main.wdl": wdl("echo a"), "top/other.wdl": wdl("echo b") });
    expect((await get(server, `/workflow/${folder}`))["main"]).toBe("main.wdl");
  });

  it("a definition is downloaded as it was sent, by a URL that cannot be altered", async () => {
    const members = { "main.wdl": wdl("echo download") };
    const id = await workflow(server, members);
    const { definition } = await get(server, `/workflow/${id}?export=DEFINITION`);
    const answer = await fetch(String(definition));
    expect(Buffer.from(await answer.arrayBuffer()).equals(zipOf(members))).toBe(true);
    expect((await fetch(String(definition).replace(/expires=\d/, "expires=9"))).status).toBe(403);
    const run = await start(id);
    expect((await get(server, `/run/${run["id"]}?export=DEFINITION`))["definition"]).toContain(
      "/definition/",
    );
    await ended(server, run["id"]);
  });

  it("of two equal requests at the same time one creates, and both get the same answer", async () => {
    const definitionZip = zipOf({ "main.wdl": wdl("echo twice") }).toString("base64");
    const request = { definitionZip, name: "twice", requestId: uniqueId() };
    const answers = await Promise.all([1, 2, 3, 4].map(() => post(server, "/workflow", request)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect((await get(server, "/workflow?name=twice"))["items"]).toHaveLength(1);
    const other = JSON.stringify({ ...request, name: "other" });
    expect((await server.raw({ method: "POST", path: "/workflow", body: other })).status).toBe(409);
  });

  it("what was reused names the server's run, in the task, its log, the explanation and the cache's events", async () => {
    const cache = await post(server, "/runCache", {
      cacheS3Location: `file://${server.folder}/named`,
      cacheBehavior: "CACHE_ALWAYS",
      requestId: uniqueId(),
    });
    const id = await workflow(server, { "main.wdl": wdl(`echo "hello ~{name}"; echo trouble >&2`) });
    const cold = await ended(server, (await start(id, { cacheId: cache["id"] }))["id"]);
    const warm = await ended(server, (await start(id, { cacheId: cache["id"] }))["id"]);
    const [computed] = await tasksOf(server, cold["id"]);
    const [reused] = await tasksOf(server, warm["id"]);
    expect([computed?.["cacheHit"], reused?.["cacheHit"]]).toEqual([false, true]);
    expect(reused?.["cacheS3Uri"]).toBe(computed?.["cacheS3Uri"]);
    expect(await logOf(server, `run/${cold["id"]}/task/${computed?.["taskId"]}`)).toEqual([
      "hello x",
      "trouble",
    ]);
    const words = `reused from run ${cold["id"]}`;
    expect((await get(server, `/run/${warm["id"]}/task/${reused?.["taskId"]}`))["statusMessage"]).toBe(words);
    const [line] = await logOf(server, `run/${warm["id"]}/task/${reused?.["taskId"]}`);
    expect(line).toBe(`${words}, entry ${reused?.["cacheS3Uri"]}`);
    expect((await get(server, `/run/${warm["id"]}/task/${reused?.["taskId"]}/explain`))["summary"]).toBe(
      words,
    );
    const streams = `runCache/${cache["id"]}/`;
    const uuid = /named\/([^/]+)\//.exec(String(reused?.["cacheS3Uri"]))?.[1];
    const events = (await logOf(server, streams + uuid)).map((message) => JSON.parse(message).logMessage);
    expect(events.find((event) => event.startsWith("CACHE_HIT"))).toMatch(
      new RegExp(`run: ${warm["id"]}, .* created by run: ${cold["id"]}$`),
    );
    expect(await readFile(`${server.folder}/out/${warm["id"]}/logs/engine.log`, "utf8")).toContain(
      words.slice(12),
    );
    expect((await get(server, `/runCache/${cache["id"]}/size`))["entries"]).toBe(1);
    expect((await get(server, `/run/${warm["id"]}/events`))["events"]).not.toHaveLength(0);
  });

  it("outputs.json has numbers as the language writes them", async () => {
    const text = wdl("echo x").replace(
      "String said = work.said",
      "Float one = 1.0\n    Int big = 9007199254740993",
    );
    const run = await ended(server, (await start(await workflow(server, { "main.wdl": text })))["id"]);
    expect(run["status"], String(run["statusMessage"])).toBe("COMPLETED");
    const outputs = await readFile(`${server.folder}/out/${run["id"]}/logs/outputs.json`, "utf8");
    expect(outputs).toMatch(/: 1\.0\b/);
    expect(outputs).toContain(": 9007199254740993");
  });

  it("the answer of GetRun is never older than the last change, of the run or of what it names", async () => {
    const id = await workflow(server, { "main.wdl": wdl("echo fresh") });
    const name = `c${uniqueId()}`;
    const { arn } = await post(server, "/configuration", {
      ...{ name, runConfigurations: { vpcConfig: { subnetIds: ["subnet-1"] } }, requestId: uniqueId() },
    });
    const run = await start(id, { networkingMode: "VPC", configurationName: name });
    await ended(server, run["id"]);
    const seen = async () => {
      const { tags, workflowName, configuration } = await get(server, `/run/${run["id"]}`);
      return [tags, workflowName, (configuration as Body | undefined)?.["arn"]];
    };
    expect(await seen()).toEqual([{}, undefined, arn]);
    const tagged = `/tags/${encodeURIComponent(String(run["arn"]))}`;
    await post(server, tagged, { tags: { team: "x" } });
    await post(server, `/workflow/${id}`, { name: "renamed" });
    expect(await seen()).toEqual([{ team: "x" }, "renamed", arn]);
    await server.raw({ method: "DELETE", path: `${tagged}?tagKeys=team` });
    await server.raw({ method: "DELETE", path: `/workflow/${id}` });
    await server.raw({ method: "DELETE", path: `/configuration/${name}` });
    expect(await seen()).toEqual([{}, undefined, undefined]);
  });

  it("a sessionPolicy is refused, since nothing would keep to it", async () => {
    const id = await workflow(server, { "main.wdl": wdl("echo policy") });
    const refusal = async (sessionPolicy: string) => {
      const settings = { workflowId: id, roleArn, outputUri: `file://${server.folder}/out`, sessionPolicy };
      const batch = {
        ...{ defaultRunSetting: settings, requestId: uniqueId() },
        batchRunSettings: { inlineSettings: [{ runSettingId: "a" }] },
      };
      const answers = [
        await server.raw({
          method: "POST",
          path: "/run",
          body: JSON.stringify({ ...settings, requestId: uniqueId() }),
        }),
        await server.raw({ method: "POST", path: "/runBatch", body: JSON.stringify(batch) }),
      ];
      expect(answers.map(({ errorType }) => errorType)).toEqual(Array(2).fill("ValidationException"));
      return answers.map(({ message }) => message);
    };
    for (const message of await refusal('{"Version":"2012-10-17","Statement":[]}'))
      expect(message).toContain("Roles are not assumed here");
    for (const message of await refusal("no JSON")) expect(message).toContain("not a JSON policy document");
  });

  it("equal tasks of a run without a cache are not cache hits", async () => {
    const id = await workflow(server, { "main.wdl": wdl("echo nocache") });
    const run = await ended(server, (await start(id))["id"]);
    const [task] = await tasksOf(server, run["id"]);
    expect([task?.["cacheHit"], task?.["cacheS3Uri"], run["networkingMode"]]).toEqual([
      false,
      undefined,
      "RESTRICTED",
    ]);
  });

  it("tasks of a group wait for its maxCpus, and one that asks for more than that fails by name", async () => {
    const group = await post(server, "/runGroup", { name: "g", maxCpus: 1, requestId: uniqueId() });
    const id = await workflow(server, { "main.wdl": wdl("sleep 0.4; echo ~{name}") });
    const runs = await Promise.all(
      ["a", "b"].map((name) => start(id, { runGroupId: group["id"], parameters: { name } })),
    );
    const tasks: Body[] = [];
    for (const run of runs) {
      expect((await ended(server, run["id"]))["status"]).toBe("COMPLETED");
      tasks.push(...(await tasksOf(server, run["id"])));
    }
    const [first, second] = tasks.sort((a, b) =>
      String(a["startTime"]).localeCompare(String(b["startTime"])),
    );
    expect(String(second?.["startTime"]) >= String(first?.["stopTime"])).toBe(true);
    const big = wdl("echo big").replace("output {", "runtime {\n    cpu: 2\n  }\n  output {");
    const tooBig = await start(await workflow(server, { "main.wdl": big }), { runGroupId: group["id"] });
    const failed = await ended(server, tooBig["id"]);
    expect(failed["statusMessage"]).toContain("its run group allows 1");
  });

  it("outputs that cannot be exported fail the run, and its results stay for the next one", async () => {
    const cache = await post(server, "/runCache", {
      cacheS3Location: `file://${server.folder}/export`,
      cacheBehavior: "CACHE_ALWAYS",
      requestId: uniqueId(),
    });
    const id = await workflow(server, {
      "main.wdl": wdl(`while [ ! -e ${server.folder}/go ]; do sleep 0.05; done; echo ~{name}`),
    });
    const settings = { cacheId: cache["id"], outputUri: `file://${server.folder}/blocked` };
    const run = await start(id, settings);
    await rm(`${server.folder}/blocked`, { recursive: true, force: true });
    await writeFile(`${server.folder}/blocked`, "a file where the folder should be");
    await writeFile(`${server.folder}/go`, "");
    const failed = await ended(server, run["id"]);
    expect([failed["status"], failed["failureReason"]]).toEqual(["FAILED", "EXPORT_FAILED"]);
    await rm(`${server.folder}/blocked`);
    const again = await ended(server, (await start(id, settings))["id"]);
    expect(again["status"]).toBe("COMPLETED");
    expect((await tasksOf(server, again["id"]))[0]?.["cacheHit"]).toBe(true);
  });

  it("a deleted run leaves nothing but its outputs", async () => {
    const id = await workflow(server, { "main.wdl": wdl("echo gone") });
    const run = await ended(server, (await start(id))["id"]);
    const folder = join(server.folder, "home", "server", "runs", openAccount, String(run["id"]));
    expect(existsSync(folder)).toBe(true);
    expect((await server.raw({ method: "DELETE", path: `/run/${run["id"]}` })).status).toBe(202);
    await expect.poll(() => existsSync(folder)).toBe(false);
    expect(existsSync(`${server.folder}/out/${run["id"]}/logs/outputs.json`)).toBe(true);
  });

  it("a workflow may be deleted while its runs wait", async () => {
    const id = await workflow(server, { "main.wdl": wdl("sleep 0.3; echo deleted") });
    const run = await start(id);
    expect((await server.raw({ method: "DELETE", path: `/workflow/${id}` })).status).toBe(202);
    expect((await ended(server, run["id"]))["status"]).toBe("COMPLETED");
  });

  it("a cache's options decide what is the same: memory by default not, with resources strict it is", async () => {
    const cacheS3Location = `file://${server.folder}/options`;
    const made = { cacheS3Location, cacheBehavior: "CACHE_ALWAYS" };
    const cache = await post(server, "/runCache", { ...made, requestId: uniqueId() });
    const with_ = (memory: string) =>
      wdl("echo ~{name}").replace("output {", `runtime {\n    memory: "${memory}"\n  }\n  output {`);
    const ids = [
      await workflow(server, { "main.wdl": with_("100 MB") }),
      await workflow(server, { "main.wdl": with_("200 MB") }),
    ];
    const play = async (id: string | undefined, cacheId: unknown) => {
      const run = await ended(server, (await start(String(id), { cacheId }))["id"]);
      const [task] = await tasksOf(server, run["id"]);
      const whole = await get(server, `/run/${run["id"]}/task/${task?.["taskId"]}`);
      return `${whole["cacheHit"]} ${whole["statusMessage"]}`;
    };
    expect(await play(ids[0], cache["id"])).toMatch(/^false/);
    expect(await play(ids[1], cache["id"])).toMatch(/^true/);
    // What a tag changes counts for the runs that start afterwards.
    await post(server, `/tags/${encodeURIComponent(String(cache["arn"]))}`, {
      tags: { "memoir:resources": "strict" },
    });
    expect(await play(ids[0], cache["id"])).toMatch(/^false/);
    expect(await play(ids[0], cache["id"])).toMatch(/^true/);
    expect(await play(ids[1], cache["id"])).toMatch(/^false not reused: .*(memory|resources)/);
  });

  it("options of caches in tags are checked, so that a misspelt one does not mean the default", async () => {
    const create = (tags: Body) =>
      server.raw({
        method: "POST",
        path: "/runCache",
        body: JSON.stringify({ cacheS3Location: `file://${server.folder}/t`, tags, requestId: uniqueId() }),
      });
    expect((await create({ "memoir:resources": "strict", team: "x" })).status).toBe(201);
    expect((await create({ "memoir:resources": "exact" })).message).toContain("strict, ignored");
    expect((await create({ "memoir:resource": "strict" })).errorType).toBe("ValidationException");
    const reserved = await create({ "AWS:owner": "x" });
    expect(reserved.errorType).toBe("ValidationException");
    expect(reserved.message).toContain("AWS:owner");
  });
});

describe("a server that is started again", () => {
  it("resumes a batch that was half submitted, and two servers never share a home", async () => {
    const folder = await mkdtemp(join(tmpdir(), "memoir-again-"));
    try {
      const first = await openServer({ folder });
      await expect(openServer({ folder })).rejects.toMatchObject({ code: "SERVER_HOME_IN_USE" });
      const id = await workflow(first, { "main.wdl": wdl("echo ~{name}") });
      const batch = await post(first, "/runBatch", {
        requestId: uniqueId(),
        defaultRunSetting: { workflowId: id, roleArn, outputUri: `file://${folder}/out` },
        batchRunSettings: {
          inlineSettings: ["a", "b", "c"].map((name) => ({ runSettingId: name, parameters: { name } })),
        },
      });
      await expect
        .poll(async () => (await get(first, `/runBatch/${batch["id"]}`))["status"])
        .toBe("PROCESSED");
      await first.close();
      // As a server leaves it that is killed after the first of three submissions.
      const ledger = await openLedger(join(folder, "home", "server", "ledger.db"));
      const stored = ledger.batches.get(openAccount, String(batch["id"]));
      if (stored === undefined) throw new Error("the batch does not exist");
      const { submittedTime: _, processedTime: __, ...rest } = stored;
      ledger.batches.put({ ...rest, status: "SUBMITTING" });
      for (const item of ledger.batchRuns.all(openAccount, { batchId: stored.id }).slice(1)) {
        const { runId, submissionStatus: ___, ...unsent } = item;
        ledger.runs.remove(openAccount, runId ?? "");
        ledger.batchRuns.put(unsent);
      }
      ledger.close();
      const second = await openServer({ folder });
      await expect
        .poll(async () => (await get(second, `/runBatch/${batch["id"]}`))["status"])
        .toBe("PROCESSED");
      const summary = (await get(second, `/runBatch/${batch["id"]}`))["runSummary"] as Body;
      expect(summary["completedRunCount"]).toBe(3);
      await second.close();
      expect([...first.bugs, ...second.bugs]).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe("an account that keeps as many runs as it may", () => {
  it("drops its oldest REMOVE run for another one, and refuses RETAIN runs", async () => {
    const server = await openServer({ maxKeptRuns: 2 });
    try {
      const workflowId = await workflow(server, { "main.wdl": wdl("echo ~{name}") });
      const run = (retentionMode: string) =>
        JSON.stringify({
          ...{ workflowId, roleArn, outputUri: `file://${server.folder}/out`, requestId: uniqueId() },
          ...{ parameters: { name: "x" }, retentionMode },
        });
      const send = (mode: string) => server.raw({ method: "POST", path: "/run", body: run(mode) });
      const first = (await send("REMOVE")).body["id"];
      const second = (await send("RETAIN")).body["id"];
      await ended(server, first);
      await ended(server, second);
      const refused = await send("RETAIN");
      expect([refused.status, refused.errorType]).toEqual([402, "ServiceQuotaExceededException"]);
      const third = await send("REMOVE");
      expect(third.status, third.text).toBe(201);
      expect((await server.raw({ method: "GET", path: `/run/${first}` })).status).toBe(404);
      expect((await get(server, `/run/${second}`))["status"]).toBe("COMPLETED");
      await ended(server, third.body["id"]);
    } finally {
      await server.close();
      expect(server.bugs).toEqual([]);
    }
  });
});
