/**
 * Every operation of the table, from the table itself: a good call, every constraint violated once, an unknown id,
 * another account, a bad signature.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Member,
  type Operation,
  type OperationName,
  operations,
  type Shape,
} from "../../src/protocol/index.ts";
import { openServer, type TestServer, uniqueId } from "./harness.ts";
import { zipOf } from "./zip.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(async () => {
  await server.close();
  expect(server.bugs).toEqual([]);
});

const wdl =
  "version 1.1\nworkflow w {\n  input {\n    Int n = 1\n  }\n  output {\n    Int m = n + 1\n  }\n}\n";
const zip = zipOf({ "main.wdl": wdl }).toString("base64");

interface Call {
  readonly labels: Record<string, unknown>;
  readonly query: Record<string, unknown>;
  readonly body: Record<string, unknown>;
}

function send(name: OperationName, call: Call) {
  const operation: Operation = operations[name];
  const path = operation.path.replace(/\{(\w+)\}/g, (_, label: string) =>
    encodeURIComponent(String(call.labels[label])),
  );
  const query = Object.entries(call.query)
    .flatMap(([key, value]) =>
      (Array.isArray(value) ? value : [value]).map((item) => `${key}=${encodeURIComponent(String(item))}`),
    )
    .join("&");
  return server.raw({
    method: operation.method,
    path: query === "" ? path : `${path}?${query}`,
    ...(operation.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  });
}

/** What exists, so that good calls have something to name. */
async function create(
  name: OperationName,
  body: Record<string, unknown>,
  labels: Record<string, unknown> = {},
) {
  const response = await send(name, { labels, query: {}, body: { requestId: uniqueId(), ...body } });
  expect(response.status, `${name}: ${response.text}`).toBe(201);
  return response.body as Record<string, string>;
}

const runSettings = () => ({
  roleArn: "arn:aws:iam::000000000000:role/r",
  outputUri: `file://${server.folder}/out`,
});

async function endedRun(workflowId: string): Promise<string> {
  const run = await create("StartRun", { ...runSettings(), workflowId, parameters: { n: 1 } });
  await expect
    .poll(
      async () => (await send("GetRun", { labels: { id: run["id"] }, query: {}, body: {} })).body["status"],
      { interval: 20 },
    )
    .toBe("COMPLETED");
  return run["id"] ?? "";
}

/** A good call of every operation; each makes what it needs. */
const good: Readonly<Record<OperationName, () => Promise<Call>>> = {
  CreateRunCache: async () =>
    call({ body: { cacheS3Location: `file://${server.folder}/cache`, requestId: uniqueId() } }),
  GetRunCache: async () => call({ labels: { id: await aCache() } }),
  ListRunCaches: async () => call({ query: { maxResults: 1 } }),
  UpdateRunCache: async () =>
    call({ labels: { id: await aCache() }, body: { name: "n", cacheBehavior: "CACHE_ALWAYS" } }),
  DeleteRunCache: async () => call({ labels: { id: await aCache() } }),
  StartRun: async () =>
    call({ body: { ...runSettings(), workflowId: await aWorkflow(), requestId: uniqueId() } }),
  GetRun: async () =>
    call({ labels: { id: await endedRun(await aWorkflow()) }, query: { export: ["DEFINITION"] } }),
  ListRuns: async () => call({ query: { status: "COMPLETED", maxResults: 2 } }),
  CancelRun: async () =>
    call({
      labels: { id: (await create("StartRun", { ...runSettings(), workflowId: await sleepy() }))["id"] },
    }),
  DeleteRun: async () => call({ labels: { id: await endedRun(await aWorkflow()) } }),
  ListRunTasks: async () =>
    call({ labels: { id: await endedRun(await aWorkflow()) }, query: { status: "COMPLETED" } }),
  GetRunTask: async () => {
    const run = await create("StartRun", { ...runSettings(), workflowId: await sleepy() });
    let taskId: unknown;
    await expect
      .poll(
        async () => {
          const tasks = await send("ListRunTasks", { labels: { id: run["id"] }, query: {}, body: {} });
          taskId = (tasks.body["items"] as readonly { taskId: string }[])[0]?.taskId;
          return taskId;
        },
        { interval: 20 },
      )
      .toBeDefined();
    await send("CancelRun", { labels: { id: run["id"] }, query: {}, body: {} });
    return call({ labels: { id: run["id"], taskId } });
  },
  CreateWorkflow: async () =>
    call({ body: { definitionZip: zip, name: "w", engine: "WDL", main: "main.wdl", requestId: uniqueId() } }),
  GetWorkflow: async () =>
    call({ labels: { id: await aWorkflow() }, query: { export: ["DEFINITION", "README"], type: "PRIVATE" } }),
  ListWorkflows: async () => call({ query: { type: "PRIVATE", name: "w" } }),
  UpdateWorkflow: async () =>
    call({ labels: { id: await aWorkflow() }, body: { description: "d", readmeMarkdown: "# r" } }),
  DeleteWorkflow: async () => call({ labels: { id: await aWorkflow() } }),
  CreateWorkflowVersion: async () =>
    call({
      labels: { workflowId: await aWorkflow() },
      body: { versionName: "v1", definitionZip: zip, requestId: uniqueId() },
    }),
  GetWorkflowVersion: async () => call({ labels: { workflowId: await aVersion(), versionName: "v1" } }),
  ListWorkflowVersions: async () => call({ labels: { workflowId: await aVersion() } }),
  UpdateWorkflowVersion: async () =>
    call({ labels: { workflowId: await aVersion(), versionName: "v1" }, body: { description: "d" } }),
  DeleteWorkflowVersion: async () => call({ labels: { workflowId: await aVersion(), versionName: "v1" } }),
  CreateRunGroup: async () =>
    call({ body: { name: "g", maxRuns: 1, maxCpus: 100_000, requestId: uniqueId() } }),
  GetRunGroup: async () => call({ labels: { id: await aGroup() } }),
  ListRunGroups: async () => call({ query: { name: "g" } }),
  UpdateRunGroup: async () => call({ labels: { id: await aGroup() }, body: { maxDuration: 1 } }),
  DeleteRunGroup: async () => call({ labels: { id: await aGroup() } }),
  StartRunBatch: async () => call({ body: { ...(await batchBody()), requestId: uniqueId() } }),
  ListBatch: async () => call({ query: { maxItems: 1 } }),
  GetBatch: async () => call({ labels: { batchId: await aBatch() } }),
  DeleteBatch: async () => call({ labels: { batchId: await aBatch() } }),
  CancelRunBatch: async () => {
    const slow = {
      ...(await batchBody()),
      defaultRunSetting: { ...runSettings(), workflowId: await sleepy() },
    };
    return call({ body: { batchId: (await create("StartRunBatch", slow))["id"] } });
  },
  DeleteRunBatch: async () => call({ body: { batchId: await aBatch() } }),
  ListRunsInBatch: async () => call({ labels: { batchId: await aBatch() }, query: { runSettingId: "a" } }),
  CreateConfiguration: async () =>
    call({ body: { name: `c${Date.now()}`, runConfigurations: {}, requestId: uniqueId() } }),
  GetConfiguration: async () => call({ labels: { name: await aConfiguration() } }),
  ListConfigurations: async () => call({ query: { maxResults: 10 } }),
  DeleteConfiguration: async () => call({ labels: { name: await aConfiguration() } }),
  TagResource: async () => call({ labels: { resourceArn: await aCacheArn() }, body: { tags: { a: "b" } } }),
  UntagResource: async () =>
    call({ labels: { resourceArn: await aCacheArn() }, query: { tagKeys: ["a", "b"] } }),
  ListTagsForResource: async () => call({ labels: { resourceArn: await aCacheArn() } }),
};

function call(parts: Partial<Call>): Call {
  return { labels: {}, query: {}, body: {}, ...parts };
}

const cacheBody = () => ({ cacheS3Location: `file://${server.folder}/cache` });
const aCache = async () => (await create("CreateRunCache", cacheBody()))["id"] ?? "";
const aCacheArn = async () =>
  (await create("CreateRunCache", { ...cacheBody(), tags: { a: "1" } }))["arn"] ?? "";
const aWorkflow = async () => (await create("CreateWorkflow", { definitionZip: zip, name: "w" }))["id"] ?? "";
const aGroup = async () => (await create("CreateRunGroup", { name: "g" }))["id"] ?? "";
const aConfiguration = async () => {
  const name = `c-${uniqueId()}`;
  await create("CreateConfiguration", {
    name,
    runConfigurations: { vpcConfig: { subnetIds: ["subnet-1"] } },
  });
  return name;
};

async function aVersion(): Promise<string> {
  const workflowId = await aWorkflow();
  await create("CreateWorkflowVersion", { versionName: "v1", definitionZip: zip }, { workflowId });
  return workflowId;
}

async function sleepy(): Promise<string> {
  const text =
    'version 1.1\ntask t {\n  command <<<\n    sleep 30\n  >>>\n  output {\n    String s = "x"\n  }\n}\nworkflow w {\n  call t\n}\n';
  return (
    (await create("CreateWorkflow", { definitionZip: zipOf({ "main.wdl": text }).toString("base64") }))[
      "id"
    ] ?? ""
  );
}

async function batchBody(): Promise<Record<string, unknown>> {
  return {
    defaultRunSetting: { ...runSettings(), workflowId: await aWorkflow(), parameters: { n: 1 } },
    batchRunSettings: {
      inlineSettings: [{ runSettingId: "a" }, { runSettingId: "b", parameters: { n: 2 } }],
    },
  };
}

async function aBatch(): Promise<string> {
  const batch = await create("StartRunBatch", await batchBody());
  await expect
    .poll(
      async () =>
        (await send("GetBatch", { labels: { batchId: batch["id"] }, query: {}, body: {} })).body["status"],
      { interval: 20 },
    )
    .toBe("PROCESSED");
  return batch["id"] ?? "";
}

interface Violation {
  readonly at: string;
  readonly change: (call: Call) => Call;
}

/** One broken value for every constraint of a shape. */
function broken(shape: Shape): readonly { readonly why: string; readonly value: unknown }[] {
  switch (shape.kind) {
    case "string":
      return [
        { why: "type", value: 7 },
        ...(shape.min === undefined || shape.min === 0 ? [] : [{ why: "min", value: "" }]),
        ...(shape.max === undefined ? [] : [{ why: "max", value: "1".repeat(shape.max + 1) }]),
        ...(shape.pattern === undefined ? [] : [{ why: "pattern", value: "\u0007 not\u0000that" }]),
        ...(shape.oneOf === undefined ? [] : [{ why: "enum", value: "NOPE" }]),
      ];
    case "integer":
      return [
        { why: "type", value: "x" },
        { why: "integer", value: 1.5 },
        ...(shape.min === undefined ? [] : [{ why: "min", value: shape.min - 1 }]),
        ...(shape.max === undefined ? [] : [{ why: "max", value: shape.max + 1 }]),
      ];
    case "boolean":
      return [{ why: "type", value: "yes" }];
    case "blob":
      return [{ why: "base64", value: "*" }];
    case "document":
      return [{ why: "max", value: { x: "y".repeat(shape.maxBytes) } }];
    case "list":
      return [
        { why: "type", value: {} },
        ...(shape.min === undefined ? [] : [{ why: "min", value: [] }]),
        ...broken(shape.of).map(({ why, value }) => ({ why: `item ${why}`, value: [value] })),
      ];
    case "map":
      return [
        { why: "type", value: [] },
        ...(shape.max === undefined || shape.max > 100
          ? []
          : [
              {
                why: "max",
                value: Object.fromEntries(Array.from({ length: shape.max + 1 }, (_, i) => [`k${i}`, "v"])),
              },
            ]),
        ...broken(shape.value).map(({ why, value }) => ({ why: `value ${why}`, value: { k: value } })),
      ];
    case "structure":
      return [
        { why: "type", value: "x" },
        ...Object.entries(shape.members).flatMap(([name, member]) =>
          broken(member.shape).map(({ why, value }) => ({ why: `${name} ${why}`, value: { [name]: value } })),
        ),
      ];
  }
}

function violations(operation: Operation): readonly Violation[] {
  const of = (
    part: "labels" | "query" | "body",
    members: Readonly<Record<string, Member>>,
  ): readonly Violation[] =>
    Object.entries(members).flatMap(([name, member]) => {
      const asText = part !== "body";
      const values = broken(member.shape).filter(({ why, value }) => {
        if (!asText) return true;
        // In a path or a query everything is text, and an empty label is another path.
        return !why.includes("type") && !(Array.isArray(value) && value.length === 0) && value !== "";
      });
      const absent =
        member.required && part === "body"
          ? [{ at: `${name} absent`, change: (good: Call) => ({ ...good, body: without(good.body, name) }) }]
          : [];
      return [
        ...absent,
        ...values.map(({ why, value }) => ({
          at: `${name} ${why}`,
          change: (good: Call) => ({ ...good, [part]: { ...good[part], [name]: value } }),
        })),
      ];
    });
  return [
    ...of("labels", operation.labels),
    ...of("query", operation.query),
    ...of("body", operation.body?.members ?? {}),
  ];
}

function without(members: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([key]) => key !== name));
}

const names = Object.keys(operations) as OperationName[];

describe("every operation", () => {
  it("is one of the 41 of the workflows API", () => {
    expect(names).toHaveLength(41);
  });

  for (const name of names) {
    const operation: Operation = operations[name];

    it(`${name} answers a good call with ${operation.success}`, async () => {
      const response = await send(name, await good[name]());
      expect(response.status, response.text).toBe(operation.success);
      expect(response.headers["content-type"]).toBe("application/json");
      expect(response.headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
    });

    it(`${name} refuses every broken constraint with ValidationException`, async () => {
      const sound = await good[name]();
      const wrong: string[] = [];
      for (const violation of violations(operation)) {
        const response = await send(name, violation.change(sound));
        if (response.status !== 400 || response.errorType !== "ValidationException")
          wrong.push(`${violation.at}: ${response.status} ${response.text}`);
      }
      expect(wrong).toEqual([]);
    });

    if (Object.keys(operation.labels).length > 0)
      it(`${name} answers ResourceNotFoundException for an unknown id`, async () => {
        const sound = await good[name]();
        const labels = Object.fromEntries(
          Object.keys(operation.labels).map((label) => [
            label,
            label === "resourceArn"
              ? "arn:aws:omics:us-east-1:000000000000:runCache/999"
              : label === "name" || label === "versionName"
                ? "unknown"
                : "999",
          ]),
        );
        const response = await send(name, { ...sound, labels });
        expect([response.status, response.errorType], response.text).toEqual([
          404,
          "ResourceNotFoundException",
        ]);
      });
  }
});

describe("what is not an operation", () => {
  it("other families of the service are not supported", async () => {
    for (const path of ["/sequencestore", "/referencestores", "/variantStore", "/annotationStore/x"]) {
      const response = await server.raw({ method: "POST", path, body: "{}" });
      expect([405, 404]).toContain(response.status);
    }
    const response = await server.raw({ method: "POST", path: "/sequencestore", body: "{}" });
    expect([response.status, response.errorType]).toEqual([405, "NotSupportedOperationException"]);
  });

  it("unknown paths and empty ids are answered in JSON", async () => {
    for (const path of ["/nothing", "/run/", "/runCache/%ZZ", "/run/1/task/"]) {
      const response = await server.raw({ method: "GET", path });
      expect(response.status, path).toBeGreaterThanOrEqual(400);
      expect(response.status, path).toBeLessThan(500);
      expect(response.message, path).toBeDefined();
    }
  });

  it("absolute-form targets and prefixed hosts reach the same operation", async () => {
    for (const path of [
      "http://workflows-omics.example.internal/runCache",
      "http://tags-localhost/runCache?maxResults=1",
    ]) {
      const response = await server.raw({ method: "GET", path });
      expect(response.status, path).toBe(200);
    }
  });
});
