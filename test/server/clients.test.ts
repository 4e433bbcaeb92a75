/** Unmodified AWS clients drive call caching end to end: real SDK, real S3, real tasks. */
import { writeFileSync } from "node:fs";
import {
  CloudWatchLogsClient,
  DescribeLogStreamsCommand,
  GetLogEventsCommand,
  paginateFilterLogEvents,
} from "@aws-sdk/client-cloudwatch-logs";
import * as omics from "@aws-sdk/client-omics";
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { openServer, region, type TestServer } from "./harness.ts";
import { zipOf } from "./zip.ts";

const key = { accessKeyId: "AKIDCLIENTS", secretAccessKey: "secret/with+signs=", account: "111111111111" };
const roleArn = "arn:aws:iam::111111111111:role/memoir";

/** Its last task waits for the file `go`. */
function waiting(greeting: string, go: string): string {
  return wdl(greeting).replace("cat ~{sep", `while [ ! -e ${go} ]; do sleep 0.05; done; cat ~{sep`);
}

function wdl(greeting: string, command = `echo "${greeting} ~{name}" > out.txt`): string {
  return `version 1.1
task greet {
  input {
    String name
  }
  command <<<
    ${command}
  >>>
  output {
    File out = "out.txt"
  }
}
task join {
  input {
    Array[File] parts
  }
  command <<<
    cat ~{sep=" " parts} > all.txt
    if grep -q fail all.txt; then exit 3; fi
  >>>
  output {
    File all = "all.txt"
  }
}
workflow hello {
  input {
    Array[String] names
    File? extra
  }
  scatter (n in names) {
    call greet {
      input:
        name = n
    }
  }
  call join {
    input:
      parts = greet.out
  }
  output {
    File all = join.all
    Int count = length(names)
  }
}
`;
}

function clientOf(server: TestServer): omics.OmicsClient {
  return new omics.OmicsClient({
    endpoint: server.url,
    region,
    credentials: key,
    disableHostPrefix: true,
    maxAttempts: 1,
  });
}

async function workflow(client: omics.OmicsClient, text: string): Promise<string> {
  const created = await client.send(
    new omics.CreateWorkflowCommand({
      name: "hello",
      engine: "WDL",
      definitionZip: zipOf({ "main.wdl": text }),
    }),
  );
  await omics.waitUntilWorkflowActive({ client, maxWaitTime: 120, minDelay: 1 }, { id: created.id });
  return created.id ?? "";
}

async function ended(client: omics.OmicsClient, id: string | undefined): Promise<omics.GetRunCommandOutput> {
  let run: omics.GetRunCommandOutput | undefined;
  await expect
    .poll(async () => {
      run = await client.send(new omics.GetRunCommand({ id }));
      return run.status;
    })
    .toMatch(/^(COMPLETED|FAILED|CANCELLED)$/);
  return run as omics.GetRunCommandOutput;
}

async function tasksOf(
  client: omics.OmicsClient,
  id: string | undefined,
): Promise<readonly omics.TaskListItem[]> {
  const items: omics.TaskListItem[] = [];
  for await (const page of omics.paginateListRunTasks({ client, pageSize: 2 }, { id }))
    items.push(...(page.items ?? []));
  return items;
}

const hits = (tasks: readonly omics.TaskListItem[]) =>
  tasks.map((task) => `${task.name}:${task.cacheHit}`).sort();

describeWith([s3Requirement], "clients of AWS on S3", () => {
  let server: TestServer;
  let client: omics.OmicsClient;
  let s3: S3Client;
  let bucket: string;

  beforeAll(async () => {
    const address = await sharedS3();
    bucket = await makeBucket(address, "omics");
    // The server runs in this process, and the AWS chain reads the process's own environment.
    Object.assign(process.env, s3Environment(address));
    server = await openServer({ keys: [key] });
    client = clientOf(server);
    s3 = new S3Client({
      endpoint: address.endpoint,
      region: address.region,
      credentials: address,
      forcePathStyle: true,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
  });
  afterAll(async () => {
    s3.destroy();
    client.destroy();
    await server.close();
    for (const name of Object.keys(s3Environment(await sharedS3()))) delete process.env[name];
    expect(server.bugs).toEqual([]);
  });

  const start = (workflowId: string, settings: Partial<omics.StartRunCommandInput>) =>
    client.send(
      new omics.StartRunCommand({
        workflowId,
        roleArn,
        outputUri: `s3://${bucket}/outputs`,
        parameters: { names: ["a", "b"] },
        ...settings,
      }),
    );
  const text = async (uri: string) => {
    const [, name = ""] = /^s3:\/\/[^/]+\/(.*)$/.exec(uri) ?? [];
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: name }));
    return (await answer.Body?.transformToString()) ?? "";
  };

  it("create, run, reuse, edit, fail, correct, cancel, lose an entry", async () => {
    const cache = await client.send(
      new omics.CreateRunCacheCommand({
        cacheS3Location: `s3://${bucket}/cache`,
        cacheBehavior: "CACHE_ALWAYS",
        name: "c",
      }),
    );
    const first = await workflow(client, wdl("hello"));

    const cold = await ended(client, (await start(first, { cacheId: cache.id })).id);
    expect(cold.status, cold.statusMessage).toBe("COMPLETED");
    const coldTasks = await tasksOf(client, cold.id);
    expect(hits(coldTasks)).toEqual(["greet-0-1:false", "greet-1-1:false", "join:false"]);
    const outputs = JSON.parse(await text(`${cold.runOutputUri}/logs/outputs.json`));
    expect(outputs["hello.count"]).toBe(2);
    expect(await text(outputs["hello.all"])).toBe("hello a\nhello b\n");

    const warm = await ended(client, (await start(first, { cacheId: cache.id })).id);
    const warmTasks = await tasksOf(client, warm.id);
    expect(hits(warmTasks)).toEqual(["greet-0-1:true", "greet-1-1:true", "join:true"]);
    const warmOutputs = JSON.parse(await text(`${warm.runOutputUri}/logs/outputs.json`));
    expect(await text(warmOutputs["hello.all"])).toBe("hello a\nhello b\n");

    // The manifest lies where cacheS3Uri says, with files that exist.
    const join = warmTasks.find((task) => task.name === "join");
    const manifest = JSON.parse(await text(`${join?.cacheS3Uri}.json`));
    expect(manifest.s3uri).toBe(join?.cacheS3Uri);
    expect(await text(`${manifest.s3uri}/${manifest.files[0].path}`)).toBe("hello a\nhello b\n");

    // One task edited to the same bytes: its dependents are reused all the same (early cut-off).
    const edited = await workflow(client, wdl("hello", 'printf "hello %s\\n" ~{name} > out.txt'));
    const third = await ended(client, (await start(edited, { cacheId: cache.id })).id);
    expect(hits(await tasksOf(client, third.id))).toEqual([
      "greet-0-1:false",
      "greet-1-1:false",
      "join:true",
    ]);

    // And to other bytes: both compute, and the miss says why.
    const changed = await workflow(client, wdl("goodbye"));
    const fourth = await ended(client, (await start(changed, { cacheId: cache.id })).id);
    const fourthTasks = await tasksOf(client, fourth.id);
    expect(hits(fourthTasks)).toEqual(["greet-0-1:false", "greet-1-1:false", "join:false"]);
    const missed = await client.send(
      new omics.GetRunTaskCommand({
        id: fourth.id,
        taskId: fourthTasks.find((task) => task.name === "join")?.taskId,
      }),
    );
    expect(missed.statusMessage).toMatch(/^not reused: .*content/);

    // A lost object costs a computation, never the run.
    const list = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: new URL(manifest.s3uri).pathname.slice(1) }),
    );
    await s3.send(
      new DeleteObjectsCommand({
        Bucket: bucket,
        Delete: { Objects: (list.Contents ?? []).map(({ Key }) => ({ Key })) },
      }),
    );
    const fifth = await ended(client, (await start(first, { cacheId: cache.id })).id);
    expect(fifth.status).toBe("COMPLETED");
    expect(hits(await tasksOf(client, fifth.id))).toEqual(["greet-0-1:true", "greet-1-1:true", "join:false"]);

    // The cache cannot be deleted under a run, and can be afterwards; its data stays.
    await client.send(new omics.DeleteRunCacheCommand({ id: cache.id }));
    await expect(client.send(new omics.GetRunCacheCommand({ id: cache.id }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    expect(
      (await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "cache/" }))).KeyCount,
    ).toBeGreaterThan(0);
  });

  it("CACHE_ON_FAILURE keeps what a failed run finished, and a corrected run continues from there", async () => {
    const cache = await client.send(
      new omics.CreateRunCacheCommand({ cacheS3Location: `s3://${bucket}/on-failure` }),
    );
    expect((await client.send(new omics.GetRunCacheCommand({ id: cache.id }))).cacheBehavior).toBe(
      "CACHE_ON_FAILURE",
    );
    const id = await workflow(client, wdl("hello"));
    const failed = await ended(
      client,
      (await start(id, { cacheId: cache.id, parameters: { names: ["a", "fail"] } })).id,
    );
    expect([failed.status, failed.failureReason]).toEqual(["FAILED", "RUN_TASK_FAILED"]);
    expect(failed.statusMessage).toContain("join");
    const corrected = await workflow(client, wdl("hello").replace("exit 3", "true"));
    const again = await ended(
      client,
      (await start(corrected, { cacheId: cache.id, parameters: { names: ["a", "fail"] } })).id,
    );
    expect(hits(await tasksOf(client, again.id))).toEqual(["greet-0-1:true", "greet-1-1:true", "join:false"]);
  });

  it("a cancelled run ends CANCELLED, leaves no process, and keeps what it had finished", async () => {
    const cache = await client.send(
      new omics.CreateRunCacheCommand({
        cacheS3Location: `s3://${bucket}/cancelled`,
        cacheBehavior: "CACHE_ALWAYS",
      }),
    );
    const slow = await workflow(client, wdl("slow").replace("cat ~{sep", "sleep 60; cat ~{sep"));
    const run = await start(slow, { cacheId: cache.id });
    await expect.poll(async () => hits(await tasksOf(client, run.id))).toContain("join:false");
    await expect(client.send(new omics.DeleteRunCacheCommand({ id: cache.id }))).rejects.toMatchObject({
      name: "ConflictException",
    });
    await client.send(new omics.CancelRunCommand({ id: run.id }));
    expect((await ended(client, run.id)).status).toBe("CANCELLED");
    const fast = await workflow(client, wdl("slow"));
    const again = await ended(client, (await start(fast, { cacheId: cache.id })).id);
    expect(hits(await tasksOf(client, again.id))).toEqual(["greet-0-1:true", "greet-1-1:true", "join:false"]);
  });

  it("inputs on S3 are pinned by their ETags; one that is not there fails the run by name", async () => {
    const id = await workflow(client, wdl("hello"));
    const missing = await ended(
      client,
      (await start(id, { parameters: { names: ["a"], extra: `s3://${bucket}/nowhere/x.txt` } })).id,
    );
    expect([missing.status, missing.failureReason]).toEqual(["FAILED", "INPUT_URI_NOT_FOUND"]);
    expect(missing.statusMessage).toContain("nowhere/x.txt");
  });

  it("a prefix stands for every object below it, and an object changed under a run fails the run", async () => {
    const put = (Key: string, Body: string) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
    await put("in/reads/a.txt", "a");
    await put("in/reads/deep/b.txt", "b");
    const folder = `version 1.2
task list {
  input {
    Directory reads
    String go
  }
  command <<<
    while [ ! -e ~{go} ]; do sleep 0.05; done; cat ~{reads}/a.txt ~{reads}/deep/b.txt
  >>>
  output {
    String said = read_string(stdout())
  }
}
`;
    const id = await workflow(client, folder);
    const parameters = { reads: `s3://${bucket}/in/reads/`, go: "/" };
    const run = await ended(client, (await start(id, { parameters })).id);
    expect(run.status, run.statusMessage).toBe("COMPLETED");
    const names = ["a.txt", "deep/b.txt"].map((name) => `s3://${bucket}/in/reads/${name}`);
    expect(Object.keys(run.resourceDigests ?? {}).sort()).toEqual(names);
    expect(Object.values(run.resourceDigests ?? {}).every((digest) => /^etag:.+/.test(digest))).toBe(true);
    const go = `${server.folder}/go-modified`;
    const slow = await start(id, { parameters: { ...parameters, go } });
    await expect.poll(async () => (await tasksOf(client, slow.id))[0]?.status).toBe("RUNNING");
    await put("in/reads/a.txt", "other");
    writeFileSync(go, "");
    const changed = await ended(client, slow.id);
    expect([changed.status, changed.failureReason]).toEqual(["FAILED", "MODIFIED_INPUT_RESOURCE"]);
    expect(changed.statusMessage).toContain("in/reads/a.txt");
    const nothing = await start(id, { parameters: { ...parameters, reads: `s3://${bucket}/in/nothing/` } });
    expect((await ended(client, nothing.id)).failureReason).toBe("INPUT_URI_NOT_FOUND");
  });

  it("links of an output folder are exported as what they lead to", async () => {
    const folder = `version 1.2
task make {
  command <<<
    mkdir -p o/sub; echo 1 > o/sub/f; ln -s sub/f o/file; ln -s sub o/folder; ln -s . o/self; ln -s none o/broken
  >>>
  output {
    Directory o = "o"
  }
}
`;
    const id = await workflow(client, folder);
    const run = await ended(client, (await start(id, { parameters: {} })).id);
    expect(run.status, run.statusMessage).toBe("COMPLETED");
    const prefix = `${run.runOutputUri}/out/`.slice(`s3://${bucket}/`.length);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
    expect(Contents.map(({ Key }) => Key?.slice(prefix.length))).toEqual(
      expect.arrayContaining(["o/o/file", "o/o/folder/f", "o/o/sub/f"]),
    );
  });

  it("logs and identity are read by the clients of those services", async () => {
    const settings = { endpoint: server.url, region, credentials: key };
    const sts = new STSClient(settings);
    expect((await sts.send(new GetCallerIdentityCommand({}))).Account).toBe("111111111111");
    const logs = new CloudWatchLogsClient(settings);
    const logGroupName = "/aws/omics/WorkflowLog";
    const streams = await logs.send(
      new DescribeLogStreamsCommand({ logGroupName, logStreamNamePrefix: "manifest/run/" }),
    );
    expect(streams.logStreams?.length).toBeGreaterThan(0);
    const events = await logs.send(
      new GetLogEventsCommand({
        logGroupName,
        logStreamName: streams.logStreams?.[0]?.logStreamName,
        startFromHead: true,
      }),
    );
    const records = (events.events ?? []).map((event) => JSON.parse(event.message ?? "{}"));
    expect(records.at(-1)?.arn).toMatch(/:run\/\d+$/);
    const found: string[] = [];
    for await (const page of paginateFilterLogEvents(
      { client: logs },
      { logGroupName, logStreamNamePrefix: "runCache/", filterPattern: "CACHE_HIT" },
    ))
      found.push(...(page.events ?? []).map((event) => event.message ?? ""));
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((message) => JSON.parse(message).logMessage.includes("run: "))).toBe(true);
    sts.destroy();
    logs.destroy();
  });
});

describe("clients of AWS without an object store", () => {
  let server: TestServer;
  let client: omics.OmicsClient;
  beforeAll(async () => {
    server = await openServer({ keys: [key] });
    client = clientOf(server);
  });
  afterAll(async () => {
    client.destroy();
    await server.close();
    expect(server.bugs).toEqual([]);
  });

  it("every paginator walks every page once", async () => {
    const workflowId = await workflow(client, wdl("pages"));
    const outputUri = `file://${server.folder}/out`;
    for (let i = 0; i < 5; i++) {
      await client.send(
        new omics.CreateRunCacheCommand({ cacheS3Location: `file://${server.folder}/c${i}` }),
      );
      await client.send(new omics.CreateRunGroupCommand({ name: `g${i}` }));
      await client.send(new omics.CreateConfigurationCommand({ name: `conf${i}`, runConfigurations: {} }));
      await client.send(
        new omics.CreateWorkflowVersionCommand({
          workflowId,
          versionName: `v${i}`,
          definitionZip: zipOf({ "main.wdl": wdl("pages") }),
        }),
      );
      const run = await client.send(
        new omics.StartRunCommand({ workflowId, roleArn, outputUri, parameters: { names: [] } }),
      );
      await ended(client, run.id);
    }
    const count = async (pages: AsyncIterable<{ items?: readonly unknown[] | undefined }>) => {
      let items = 0;
      let seen = 0;
      for await (const page of pages) {
        items += page.items?.length ?? 0;
        seen++;
      }
      return [items, seen];
    };
    const by2 = { client, pageSize: 2 };
    expect(await count(omics.paginateListRunCaches(by2, {}))).toEqual([5, 3]);
    expect(await count(omics.paginateListRunGroups(by2, {}))).toEqual([5, 3]);
    expect(await count(omics.paginateListConfigurations(by2, {}))).toEqual([5, 3]);
    expect(await count(omics.paginateListWorkflowVersions(by2, { workflowId }))).toEqual([5, 3]);
    expect(await count(omics.paginateListRuns(by2, {}))).toEqual([5, 3]);
    expect(await count(omics.paginateListWorkflows(by2, {}))).toEqual([1, 1]);
    const run = (await client.send(new omics.ListRunsCommand({ maxResults: 1 }))).items?.[0];
    expect(await count(omics.paginateListRunTasks(by2, { id: run?.id }))).toEqual([1, 1]);
  });

  it("every waiter ends as it should", async () => {
    const go = `${server.folder}/go-waiters`;
    const workflowId = await workflow(client, waiting("waits", go));
    await client.send(
      new omics.CreateWorkflowVersionCommand({
        workflowId,
        versionName: "v",
        definitionZip: zipOf({ "main.wdl": wdl("v") }),
      }),
    );
    const quick = { client, maxWaitTime: 120, minDelay: 1, maxDelay: 1 };
    await omics.waitUntilWorkflowVersionActive(quick, { workflowId, versionName: "v" });
    const run = await client.send(
      new omics.StartRunCommand({
        workflowId,
        roleArn,
        outputUri: `file://${server.folder}/out`,
        parameters: { names: ["w"] },
      }),
    );
    await omics.waitUntilRunRunning(quick, { id: run.id });
    let taskId: string | undefined;
    await expect
      .poll(async () => {
        taskId = (await tasksOf(client, run.id)).find((task) => task.name === "join")?.taskId;
        return taskId;
      })
      .toBeDefined();
    await omics.waitUntilTaskRunning(quick, { id: run.id, taskId });
    writeFileSync(go, "");
    await omics.waitUntilTaskCompleted(quick, { id: run.id, taskId });
    await omics.waitUntilRunCompleted(quick, { id: run.id });
  });

  it("a batch merges settings, submits every run, and is processed when all have ended", async () => {
    const workflowId = await workflow(client, wdl("batch"));
    const batch = await client.send(
      new omics.StartRunBatchCommand({
        batchName: "b",
        defaultRunSetting: {
          workflowId,
          roleArn,
          outputUri: `file://${server.folder}/batch`,
          parameters: { names: ["default"] },
          runTags: { all: "1" },
        },
        batchRunSettings: {
          inlineSettings: [
            { runSettingId: "one", name: "first", runTags: { own: "2" } },
            { runSettingId: "two", parameters: { names: ["x", "y"] } },
            { runSettingId: "bad", parameters: { unknown: 1 } },
          ],
        },
      }),
    );
    await expect
      .poll(async () => (await client.send(new omics.GetBatchCommand({ batchId: batch.id }))).status)
      .toBe("PROCESSED");
    const runs: omics.RunBatchListItem[] = [];
    for await (const page of omics.paginateListRunsInBatch({ client, pageSize: 2 }, { batchId: batch.id }))
      runs.push(...(page.runs ?? []));
    expect(runs.map((run) => [run.runSettingId, run.submissionStatus])).toEqual([
      ["one", "SUCCESS"],
      ["two", "SUCCESS"],
      ["bad", "FAILED"],
    ]);
    expect(runs[2]?.submissionFailureReason).toBe("ValidationException");
    const one = await client.send(new omics.GetRunCommand({ id: runs[0]?.runId }));
    expect([one.name, one.tags, one.parameters]).toEqual([
      "first",
      { all: "1", own: "2" },
      { names: ["default"] },
    ]);
    expect(await tasksOf(client, runs[1]?.runId)).toHaveLength(3);
  });

  it("a run can be duplicated, groups queue their runs, and larger priorities go first", async () => {
    const workflowId = await workflow(client, wdl("queue"));
    const group = await client.send(new omics.CreateRunGroupCommand({ name: "one at a time", maxRuns: 1 }));
    const settings = { workflowId, roleArn, outputUri: `file://${server.folder}/q`, runGroupId: group.id };
    const go = `${server.folder}/go-queue`;
    const slow = await workflow(client, waiting("queue", go));
    const blocker = await client.send(
      new omics.StartRunCommand({ ...settings, workflowId: slow, parameters: { names: ["b"] } }),
    );
    const low = await client.send(
      new omics.StartRunCommand({ ...settings, priority: 1, parameters: { names: ["l"] } }),
    );
    const high = await client.send(
      new omics.StartRunCommand({ ...settings, priority: 9, parameters: { names: ["h"] } }),
    );
    expect((await client.send(new omics.GetRunCommand({ id: high.id }))).status).toBe("PENDING");
    await expect(client.send(new omics.DeleteRunGroupCommand({ id: group.id }))).rejects.toMatchObject({
      name: "ConflictException",
    });
    writeFileSync(go, "");
    const [first, second] = [await ended(client, high.id), await ended(client, low.id)];
    await ended(client, blocker.id);
    expect(first.startTime?.getTime()).toBeLessThanOrEqual(second.startTime?.getTime() ?? 0);
    const copy = await client.send(
      new omics.StartRunCommand({ runId: high.id, roleArn, outputUri: `file://${server.folder}/q2` }),
    );
    const copied = await ended(client, copy.id);
    expect([copied.runId, copied.workflowId, copied.parameters, copied.priority]).toEqual([
      high.id,
      workflowId,
      { names: ["h"] },
      9,
    ]);
  });

  it("a repeated request answers the first answer; another one with its id is a conflict", async () => {
    const requestId = "same-request";
    const create = (name: string) => client.send(new omics.CreateRunGroupCommand({ name, requestId }));
    const [first, second] = [await create("x"), await create("x")];
    expect(second.id).toBe(first.id);
    await expect(create("y")).rejects.toMatchObject({ name: "ConflictException" });
  });

  it("definitions that are not a workflow end FAILED with the diagnostics", async () => {
    const bad = await client.send(
      new omics.CreateWorkflowCommand({ definitionZip: zipOf({ "main.wdl": "version 1.1\nworkflow {" }) }),
    );
    const got = await client.send(new omics.GetWorkflowCommand({ id: bad.id }));
    expect(got.status).toBe("FAILED");
    expect(got.statusMessage).toContain("main.wdl:2");
    const nextflow = await client.send(
      new omics.CreateWorkflowCommand({ engine: "NEXTFLOW", definitionZip: zipOf({ "main.nf": "(" }) }),
    );
    expect((await client.send(new omics.GetWorkflowCommand({ id: nextflow.id }))).statusMessage).toContain(
      "main.nf:1",
    );
    await expect(
      client.send(
        new omics.StartRunCommand({
          workflowId: bad.id,
          roleArn,
          outputUri: `file://${server.folder}/x`,
          parameters: {},
        }),
      ),
    ).rejects.toMatchObject({ name: "ValidationException" });
  });
});
