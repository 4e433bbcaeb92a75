/** What AWS's own tools and models expect of names, lists, manifests, images and reasons. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageMap } from "../../src/app/omics/image-map.ts";
import { taskName } from "../../src/app/omics/task-name.ts";
import { openServer, type TestServer, uniqueId } from "./harness.ts";
import { ended, get, post, start, tasksOf, workflow } from "./plain-client.ts";
import { zipOf } from "./zip.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(async () => {
  await server.close();
  expect(server.bugs).toEqual([]);
});

const task = (name: string, command: string, more = "") =>
  `task ${name} {\n  input {\n    Int i = 0\n    File? f\n  }\n  command <<<\n    ${command}\n  >>>\n  output {\n    File o = "o"\n  }\n  runtime {\n    docker: "a"\n    ${more}\n  }\n}\n`;

/** The base name that each of AWS's tools takes for a task. */
const analyzer = {
  WDL: (name: string) => /^([^-]+)(-\d+-\d+.*)?$/.exec(name)?.[1] ?? name,
  CWL: (name: string) => /^(^\D+)(_\d+)?$/.exec(name)?.[1] ?? name,
};
const aggregator = (name: string) =>
  [/^(.+)-(\d+)-.+$/, /^(.+)\s+\(.+\)$/, /^(.+)_(\d+)$/]
    .map((pattern) => pattern.exec(name)?.[1])
    .find((base) => base !== undefined) ?? name;

describe("names of tasks", () => {
  it("of a scatter are grouped by the run analyzer and by the MCP server", async () => {
    const text = `version 1.0
workflow w {
  scatter (i in [1, 2]) {
    call t { input: i = i }
    scatter (j in [1, 2, 3]) {
      call t as inner { input: i = i * 10 + j }
    }
  }
  call t as alone { input: i = 99 }
}
${task("t", "echo ~{i} > o")}`;
    const run = await start(server, await workflow(server, { "main.wdl": text }));
    expect((await ended(server, run["id"]))["status"]).toBe("COMPLETED");
    const names = (await tasksOf(server, run["id"])).map(({ name }) => String(name)).sort();
    expect(names.filter((name) => name.startsWith("t"))).toEqual(["t", "t-0-1", "t-1-1"]);
    const inner = names.filter((name) => name.startsWith("inner"));
    expect([inner.length, new Set(inner).size]).toEqual([6, 6]);
    for (const name of inner) {
      expect(name).toMatch(/^inner-\d+-1$/);
      expect([analyzer.WDL(name), aggregator(name)]).toEqual(["inner", "inner"]);
    }
  });

  it("of nested scatters, sub-workflows and attempts are one each, whatever the names hold", () => {
    const names = new Set<string>();
    for (let a = 0; a < 12; a++)
      for (let b = 0; b < 12; b++)
        for (const attempt of [1, 2]) {
          const name = taskName(
            { call: `w.sub[${a}].call_2[${b}]`, task: "t" },
            { language: "WDL", attempt },
          );
          expect([analyzer.WDL(name), aggregator(name)]).toEqual(["call_2", "call_2"]);
          names.add(name);
        }
    expect(names.size).toBe(12 * 12 * 2);
    for (const step of ["align", "align-reads", "a-b_c"]) {
      const name = taskName({ call: `w.${step}[3]`, task: step }, { language: "CWL", attempt: 1 });
      expect([analyzer.CWL(name), aggregator(name)]).toEqual([step, step]);
    }
    const long = taskName({ call: `w.${"x".repeat(300)}[7]`, task: "t" }, { language: "WDL", attempt: 3 });
    expect(long).toHaveLength(128);
    expect(long).toMatch(/-7-3$/);
    const dashed = taskName({ call: "w.step-2-x[4]", task: "t" }, { language: "CWL", attempt: 1 });
    expect(aggregator(dashed)).toBe("step_2-x");
  });
});

describe("manifests of entries", () => {
  it("name the cache entry and the task by ARNs of the account, and the task is answered", async () => {
    const location = `file://${server.folder}/arns`;
    const cache = await post(server, "/runCache", {
      ...{ cacheS3Location: location, cacheBehavior: "CACHE_ALWAYS", requestId: uniqueId() },
    });
    const text = `version 1.0\nworkflow w {\n  scatter (i in [7, 8]) {\n    call t { input: i = i }\n  }\n}\n${task("t", "echo ~{i} > o")}`;
    const run = await start(server, await workflow(server, { "main.wdl": text }), { cacheId: cache["id"] });
    await ended(server, run["id"]);
    const tasks = new Map(
      (await tasksOf(server, run["id"])).map((each) => [String(each["cacheS3Uri"]), each]),
    );
    const manifests = await manifestsBelow(join(server.folder, "arns"));
    expect(manifests).toHaveLength(2);
    for (const { arn, taskArn, s3uri } of manifests) {
      const own = tasks.get(String(s3uri));
      expect(arn).toMatch(
        new RegExp(`^arn:aws:omics:us-east-1:000000000000:runCache/${cache["id"]}/cacheEntry/[0-9a-f-]{36}$`),
      );
      expect(taskArn).toBe(`arn:aws:omics:us-east-1:000000000000:task/${own?.["taskId"]}`);
      expect((await get(server, `/run/${run["id"]}/task/${own?.["taskId"]}`))["name"]).toBe(own?.["name"]);
    }
  });

  it("of an older version are not reused, and the miss says so", async () => {
    const location = join(server.folder, "older");
    const cache = await post(server, "/runCache", {
      ...{ cacheS3Location: `file://${location}`, cacheBehavior: "CACHE_ALWAYS", requestId: uniqueId() },
    });
    const text = `version 1.0\nworkflow w {\n  call t\n}\n${task("t", "echo old > o")}`;
    const id = await workflow(server, { "main.wdl": text });
    const first = await start(server, id, { cacheId: cache["id"] });
    await ended(server, first["id"]);
    for (const path of await manifestPaths(location)) {
      const manifest = await readFile(path, "utf8");
      await writeFile(path, manifest.replace(/"version": \d+/, '"version": 1'));
    }
    const second = await start(server, id, { cacheId: cache["id"] });
    await ended(server, second["id"]);
    const [own] = await tasksOf(server, second["id"]);
    expect(own?.["cacheHit"]).toBe(false);
    const { statusMessage } = await get(server, `/run/${second["id"]}/task/${own?.["taskId"]}`);
    expect(statusMessage).toMatch(/an older version of Memoir/);
  });
});

describe("lists", () => {
  const definitionZip = zipOf({ "main.wdl": `version 1.0\nworkflow w {\n}\n` }).toString("base64");

  it("may be empty where the service's model has no least length", async () => {
    for (const containerRegistryMap of [
      { registryMappings: [], imageMappings: [] },
      { registryMappings: [{ upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "q" }], imageMappings: [] },
    ])
      await post(server, "/workflow", { definitionZip, containerRegistryMap, requestId: uniqueId() });
    const vpcConfig = { securityGroupIds: [], subnetIds: [] };
    await post(server, "/configuration", {
      ...{ name: "empty", runConfigurations: { vpcConfig }, tags: {}, requestId: uniqueId() },
    });
    const { arn } = await post(server, "/runGroup", { tags: {}, requestId: uniqueId() });
    const path = `/tags/${encodeURIComponent(String(arn))}`;
    expect((await server.raw({ method: "DELETE", path })).status).toBe(204);
    expect((await server.raw({ method: "POST", path, body: '{"tags":{}}' })).status).toBe(204);
  });

  it("of a registry map may be in a document, which is checked", async () => {
    const file = join(server.folder, "map.json");
    const imageMappings = [{ sourceImage: "a", destinationImage: "b" }];
    await writeFile(file, JSON.stringify({ imageMappings }));
    const asked = { definitionZip, containerRegistryMapUri: `file://${file}` };
    const { id } = await post(server, "/workflow", { ...asked, requestId: uniqueId() });
    expect(await get(server, `/workflow/${id}`)).toMatchObject({ containerRegistryMap: { imageMappings } });
    await writeFile(file, '{"imageMappings": 1}');
    const body = JSON.stringify({ ...asked, requestId: uniqueId() });
    expect((await server.raw({ method: "POST", path: "/workflow", body })).errorType).toBe(
      "ValidationException",
    );
  });
});

describe("image maps", () => {
  const owner = { account: "111111111111", region: "eu-west-1" };
  const ecr = "111111111111.dkr.ecr.eu-west-1.amazonaws.com";

  it("replace whole names, and pull from the account's cache of a registry first", () => {
    const map = new ImageMap({
      owner,
      map: {
        registryMappings: [
          { upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "quay" },
          {
            upstreamRegistryUrl: "registry-1.docker.io",
            ecrRepositoryPrefix: "hub",
            ecrAccountId: "222222222222",
          },
          { upstreamRegistryUrl: "ghcr.io", upstreamRepositoryPrefix: "org", ecrRepositoryPrefix: "ours" },
        ],
        imageMappings: [{ sourceImage: "ubuntu", destinationImage: "quay.io/own/ubuntu:1" }],
      },
    });
    expect(map.namesOf("docker.io/library/ubuntu:latest")).toEqual(["quay.io/own/ubuntu:1"]);
    expect(map.namesOf("quay.io/bio/samtools:1.2")).toEqual([
      `${ecr}/quay/bio/samtools:1.2`,
      "quay.io/bio/samtools:1.2",
    ]);
    expect(map.namesOf("debian:12")[0]).toBe(
      "222222222222.dkr.ecr.eu-west-1.amazonaws.com/hub/library/debian:12",
    );
    expect(map.namesOf(`ghcr.io/org/x@sha256:${"a".repeat(64)}`)[0]).toBe(
      `${ecr}/ours/x@sha256:${"a".repeat(64)}`,
    );
    expect(map.namesOf("ghcr.io/other/x:1")).toEqual(["ghcr.io/other/x:1"]);
  });
});

describe("reasons", () => {
  it("a run whose input is not there failed with INPUT_URI_NOT_FOUND", async () => {
    const text = `version 1.0\nworkflow w {\n  input {\n    File f\n  }\n  call t { input: f = f }\n}\n${task("t", "cat ~{f} > o")}`;
    const id = await workflow(server, { "main.wdl": text });
    for (const f of [
      `file://${server.folder}/nothing`,
      `file:${server.folder}/nothing`,
      `${server.folder}/no/thing`,
    ]) {
      const run = await ended(server, (await start(server, id, { parameters: { f } }))["id"]);
      expect(run).toMatchObject({ status: "FAILED", failureReason: "INPUT_URI_NOT_FOUND" });
      expect(run["statusMessage"]).toContain(f);
    }
  });

  it("a run with a value of the wrong type says so, and not where the server keeps the definition", async () => {
    const text = "version 1.0\nworkflow w { input { Int n } output { Int o = n } }\n";
    const id = await workflow(server, { "main.wdl": text });
    const run = await ended(server, (await start(server, id, { parameters: { n: "x" } }))["id"]);
    expect(run).toMatchObject({ status: "FAILED", failureReason: "WORKFLOW_RUN_FAILED" });
    expect(run["statusMessage"]).toMatch(/^checking the inputs of w: one error\n.*"n" is String "x"/);
    expect(run["statusMessage"]).not.toContain(server.folder);
  });

  it("a task that removes its own output fails by name, and nothing is called an internal error", async () => {
    const text = `version 1.0\nworkflow w {\n  call t\n}\ntask t {\n  command <<<\n    rm -f ../stdout; echo hi\n  >>>\n  output {\n    String s = read_string(stdout())\n  }\n  runtime {\n    docker: "a"\n  }\n}\n`;
    const run = await ended(
      server,
      (await start(server, await workflow(server, { "main.wdl": text })))["id"],
    );
    expect(run["status"]).toBe("FAILED");
    expect(run["statusMessage"]).toMatch(/w\.t.*stdout/s);
    expect(run["failureReason"]).toBe("RUN_TASK_FAILED");
  });
});

async function manifestPaths(folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => /\/entries\/.*[0-9a-f-]{36}\.json$/.test(name))
    .map((name) => join(folder, name));
}

async function manifestsBelow(folder: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const paths = await manifestPaths(folder);
  return Promise.all(paths.map(async (path) => JSON.parse(await readFile(path, "utf8"))));
}
