/** Nextflow through the server: bundles, versions, profiles, published files, tasks and reuse, as AWS HealthOmics has them. */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openServer, type TestServer, uniqueId } from "./harness.ts";
import * as requests from "./requests.ts";
import { zipOf } from "./zip.ts";

const greet = `process GREET {
  tag "$word"
  publishDir '/mnt/workflow/pubdir/greetings', mode: 'symlink'
  input: val word
  output: path "\${word}.txt"
  script:
  """
  echo "$word, \\$USER_WORD" > \${word}.txt
  """
}
workflow {
  GREET(channel.of('hello', 'moin'))
  GREET.out.collectFile(name: 'all.txt', storeDir: '/mnt/workflow/pubdir', sort: { it.name })
}
`;

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(async () => {
  await server.close();
  expect(server.bugs).toEqual([]);
});

type Body = Record<string, unknown>;

const send = (method: string, path: string, body?: object) => requests.send(server, method, path, body);

async function register(files: Readonly<Record<string, string>>, more: object = {}): Promise<Body> {
  const definitionZip = zipOf(files).toString("base64");
  const { id } = await send("POST", "/workflow", { definitionZip, requestId: uniqueId(), ...more });
  return send("GET", `/workflow/${id}`);
}

function order(workflow: Body, more: object) {
  return {
    workflowId: workflow["id"],
    roleArn: "arn:aws:iam::000000000000:role/r",
    outputUri: `file://${server.folder}/out`,
    requestId: uniqueId(),
    ...more,
  };
}

async function run(workflow: Body, more: object = {}): Promise<Body> {
  expect(workflow["status"], String(workflow["statusMessage"])).toBe("ACTIVE");
  const { id } = await send("POST", "/run", order(workflow, more));
  let found: Body = {};
  await expect
    .poll(
      async () => {
        found = await send("GET", `/run/${id}`);
        return found["status"];
      },
      { interval: 30 },
    )
    .toMatch(/^(COMPLETED|FAILED|CANCELLED)$/);
  return found;
}

async function completed(workflow: Body, more: object = {}): Promise<Body> {
  const found = await run(workflow, more);
  expect(found["status"], String(found["statusMessage"])).toBe("COMPLETED");
  return found;
}

async function tasksOf(found: Body): Promise<readonly Body[]> {
  const { items } = await send("GET", `/run/${found["id"]}/task`);
  return items as readonly Body[];
}

function outputOf(found: Body, name: string): Promise<string> {
  return readFile(`${server.folder}/out/${found["id"]}/${name}`, "utf8");
}

describe("a bundle", () => {
  it("runs, exports what it publishes, and is reused by its second run", async () => {
    const workflow = await register({ "main.nf": greet, "nextflow.config": "env.USER_WORD = 'world'" });
    expect([workflow["engine"], workflow["main"]]).toEqual(["NEXTFLOW", "main.nf"]);
    const cache = await send("POST", "/runCache", {
      ...{ cacheS3Location: `file://${server.folder}/cache`, cacheBehavior: "CACHE_ALWAYS" },
      requestId: uniqueId(),
    });
    const hits: unknown[] = [];
    for (let round = 0; round < 2; round++) {
      const found = await completed(workflow, { cacheId: cache["id"] });
      expect(found["engineVersion"]).toBe("23.10.0");
      expect(await outputOf(found, "pubdir/greetings/hello.txt")).toBe("hello, world\n");
      expect(await outputOf(found, "pubdir/all.txt")).toBe("hello, world\nmoin, world\n");
      expect(existsSync(`${server.folder}/out/${found["id"]}/logs/outputs.json`)).toBe(false);
      expect(await outputOf(found, "logs/engine.log")).toContain("/mnt/workflow/pubdir/greetings/hello.txt");
      const tasks = await tasksOf(found);
      expect(tasks.map(({ name }) => name).sort()).toEqual(["GREET (hello)", "GREET (moin)"]);
      hits.push(...tasks.map(({ cacheHit }) => cacheHit));
    }
    expect(hits).toEqual([false, false, true, true]);
  });
});

describe("the main script", () => {
  const says = (word: string) => `workflow { println "this is ${word}" }`;
  it.each([
    ["the only one", { "flow.nf": says("it") }, {}, "flow.nf"],
    ["in a folder of the archive", { "p/main.nf": says("it"), "p/lib.nf": "" }, {}, "main.nf"],
    ["as it is named", { "main.nf": says("not"), "other.nf": says("it") }, { main: "other.nf" }, "other.nf"],
    [
      "as the manifest names it",
      { "a.nf": says("it"), "b.nf": says("not"), "nextflow.config": "manifest.mainScript = 'a.nf'" },
      { engine: "NEXTFLOW" },
      "a.nf",
    ],
  ])("is %s", async (_, files, more, main) => {
    const workflow = await register(files as Readonly<Record<string, string>>, more);
    expect(workflow["main"], String(workflow["statusMessage"])).toBe(main);
    expect(await outputOf(await completed(workflow), "logs/engine.log")).toContain("this is it");
  });
});

describe("the version", () => {
  const says = `workflow { println "follows \${nextflow.version}" }`;
  const manifest = (version: string) => ({
    "main.nf": says,
    "nextflow.config": `manifest.nextflowVersion = '${version}'`,
  });

  it.each([
    ["without a requirement, 23.10", undefined, "23.10.0"],
    ["an exact one that is offered", "24.10.8", "24.10.8"],
    ["for a range 23.10 where it fits", ">=22.10.1", "23.10.0"],
    ["for a later range the newest that fits", "!>=24.04.2", "26.04.0"],
    ["the newest of a range with an end", ">=24.04,<26", "25.10.0"],
    ["the newest, with a warning, where none fits", "24.10.5", "26.04.0"],
  ])("%s", async (_, required, version) => {
    const workflow = await register(required === undefined ? { "main.nf": says } : manifest(required));
    const found = await completed(workflow);
    expect(found["engineVersion"]).toBe(version);
    const log = await outputOf(found, "logs/engine.log");
    expect(log).toContain(`follows ${version}`);
    expect(log.includes("asks for 24.10.5")).toBe(required === "24.10.5");
  });

  it("fails the run for a requirement with ! that none meets, and says which", async () => {
    const found = await run(await register(manifest("!>=27.01")));
    expect([found["status"], found["failureReason"]]).toEqual(["FAILED", "WORKFLOW_RUN_FAILED"]);
    expect(found["statusMessage"]).toContain("does not match workflow required version: >=27.01");
  });

  it("is that of engineSettings before that of the manifest", async () => {
    const engineSettings = { engineVersion: "25.10.0" };
    const found = await completed(await register(manifest(">=23.10")), { engineSettings });
    expect(found).toMatchObject({ engineVersion: "25.10.0", engineSettings });
    expect(await outputOf(found, "logs/engine.log")).toContain("follows 25.10.0");
  });

  it("is that of a chosen profile before that of the manifest outside it", async () => {
    const config =
      "manifest.nextflowVersion = '>=23.10'\nprofiles { later { manifest.nextflowVersion = '25.10.0' } }";
    const workflow = await register({ "main.nf": says, "nextflow.config": config });
    expect((await completed(workflow))["engineVersion"]).toBe("23.10.0");
    const found = await completed(workflow, { engineSettings: { profile: "later" } });
    expect(found["engineVersion"]).toBe("25.10.0");
    expect(await outputOf(found, "logs/engine.log")).toContain("follows 25.10.0");
    const engineSettings = { profile: "later", engineVersion: "24.10.8" };
    expect((await completed(workflow, { engineSettings }))["engineVersion"]).toBe("24.10.8");
  });

  it("may be one that reads the scripts although that of the manifest does not", async () => {
    const older = { ...manifest(">=26"), "main.nf": `for (i in 1..2) println "loop $i"\nworkflow { }` };
    const workflow = await register(older);
    expect(workflow["status"], String(workflow["statusMessage"])).toBe("ACTIVE");
    expect(workflow["statusMessage"]).toContain(`engineSettings {"syntaxVersion": "v1"}`);
    expect((await run(workflow))["status"]).toBe("FAILED");
    const found = await completed(workflow, { engineSettings: { syntaxVersion: "v1" } });
    expect(await outputOf(found, "logs/engine.log")).toContain("loop 2");
  });
});

describe("settings of the engine", () => {
  const files = {
    "main.nf": `workflow { println "word: \${params.word}, in \${workflow.profile}" }`,
    "nextflow.config": `params.word = 'none'
profiles {
  loud { params.word = 'LOUD' }
  quiet { includeConfig 'conf/quiet.config' }
}
if (System.getenv('AWS_WORKFLOW_RUN')) { params.service = 'yes' }`,
    "conf/quiet.config": "params.word = 'quiet'",
  };

  it("choose profiles, over which the parameters of the run win", async () => {
    const workflow = await register(files);
    expect(workflow["profiles"]).toEqual(["loud", "quiet"]);
    const quiet = await completed(workflow, { engineSettings: { profile: "loud,quiet" } });
    expect(await outputOf(quiet, "logs/engine.log")).toContain("word: quiet, in loud,quiet");
    const given = await completed(workflow, {
      engineSettings: { profile: "loud" },
      parameters: { word: "mine" },
    });
    expect(await outputOf(given, "logs/engine.log")).toContain("word: mine, in loud");
  });

  it.each([
    [{ profile: "lout" }, "no profile lout; there are loud, quiet"],
    [{ engineVersion: "22.04.0" }, "22.04.0 is not offered"],
    [{ syntaxVersion: "v3" }, "syntaxVersion"],
    [{ engineversion: "23.10.0" }, "no member engineversion"],
  ])("are refused where they mean nothing: %o", async (engineSettings, words) => {
    const workflow = await register(files);
    const answer = await server.raw({
      method: "POST",
      path: "/run",
      body: JSON.stringify(order(workflow, { engineSettings })),
    });
    expect([answer.status, answer.errorType]).toEqual([400, "ValidationException"]);
    expect(answer.message).toContain(words);
  });
});

describe("the template of parameters", () => {
  const schema = JSON.stringify({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $defs: {
      io: {
        type: "object",
        required: ["input", "outdir"],
        properties: {
          input: { type: "string", format: "file-path", description: "Sheet of samples" },
          outdir: { type: "string", format: "directory-path" },
          tool: { type: "string", default: "fast" },
          secretive: { type: "boolean", hidden: true },
        },
      },
    },
    allOf: [{ $ref: "#/$defs/io" }],
  });
  const files = {
    "main.nf": "workflow { println params }",
    "nextflow.config": "params { input = null\n outdir = '/mnt/workflow/pubdir'\n depth = 3 }",
    "nextflow_schema.json": schema,
  };

  it("is the schema of the pipeline, without what its configuration sets", async () => {
    const workflow = await register(files);
    expect(workflow["parameterTemplate"]).toEqual({
      input: { optional: false, description: "Sheet of samples" },
      outdir: { optional: true },
      tool: { optional: true },
    });
    const missing = await server.raw({
      method: "POST",
      path: "/run",
      body: JSON.stringify(order(workflow, { parameters: {} })),
    });
    expect(missing.message).toContain("Missing required parameters: input");
    const wrong = { input: "a.csv", dept: 1 };
    const unknown = await server.raw({
      method: "POST",
      path: "/run",
      body: JSON.stringify(order(workflow, { parameters: wrong })),
    });
    expect(unknown.message).toContain("does not have: dept");
    await completed(workflow, { parameters: { input: "a.csv", secretive: true, depth: 4 } });
  });

  it("does without what a profile sets, in runs that choose it", async () => {
    const sheets = "profiles { test { params.input = 'a.csv' }\n plain { params.depth = 1 } }";
    const workflow = await register({
      ...files,
      "nextflow.config": `params { input = null\n outdir = 'x'\n depth = 3 }\n${sheets}`,
    });
    const input = { description: "Sheet of samples" };
    expect(workflow["profileParameterTemplates"]).toMatchObject({
      test: { input: { ...input, optional: true } },
      plain: { input: { ...input, optional: false } },
    });
    await completed(workflow, { parameters: {}, engineSettings: { profile: "plain,test" } });
    const refused = await server.raw({
      method: "POST",
      path: "/run",
      body: JSON.stringify(order(workflow, { parameters: {}, engineSettings: { profile: "plain" } })),
    });
    expect(refused.message).toContain("Missing required parameters: input");
  });

  it("leaves out nothing that a script without a schema names", async () => {
    const workflow = await register({
      "main.nf": 'params.a = 1\nworkflow { println "a ${params.a}, b ${params.b}" }',
    });
    expect(workflow["parameterTemplate"]).toEqual({ a: { optional: true } });
    const found = await completed(workflow, { parameters: { b: "two" } });
    expect(await outputOf(found, "logs/engine.log")).toContain("a 1, b two");
  });
});

describe("outputs", () => {
  it("of the workflow are exported below output, with the files next to them below pubdir", async () => {
    const workflow = await register({
      "main.nf": `process T {
  output: path 't.txt'
  script: 'echo t > t.txt'
}
workflow {
  main: T()
  publish: made = T.out
}
output { made { path 'deep' } }`,
      "nextflow.config": "manifest.nextflowVersion = '25.10.0'",
    });
    const found = await completed(workflow, { engineSettings: { outputFormat: "json" } });
    expect(await outputOf(found, "output/deep/t.txt")).toBe("t\n");
    expect(await outputOf(found, "logs/engine.log")).toContain("/mnt/workflow/output/deep/t.txt");
  });

  it("that are published elsewhere are not exported, and fail nothing", async () => {
    const workflow = await register({
      "main.nf": `process T {
  publishDir 'results'
  output: path 't.txt'
  script: 'echo t > t.txt'
}
workflow { T() }`,
    });
    const found = await completed(workflow);
    expect(await readdir(`${server.folder}/out/${found["id"]}`)).toEqual(["logs"]);
  });
});

describe("inputs on this machine", () => {
  it("are files, patterns and folders", async () => {
    await mkdir(`${server.folder}/in/deep`, { recursive: true });
    for (const name of ["a", "b"]) await writeFile(`${server.folder}/in/${name}.fq`, `${name}\n`);
    await writeFile(`${server.folder}/in/deep/c.fq`, "c\n");
    await writeFile(`${server.folder}/in/sheet.csv`, `sample,file\nx,${server.folder}/in/a.fq\n`);
    const workflow = await register({
      "main.nf": `process LIST {
  publishDir '/mnt/workflow/pubdir'
  input: path 'file?'
         path folder
         tuple val(id), path(sample)
  output: path 'list.txt'
  script: "(cat file*; find -L $folder -name '*.fq' | wc -l; echo $id; cat $sample) > list.txt"
}
workflow {
  rows = channel.fromPath(params.sheet).splitCsv(header: true).map { [it.sample, file(it.file)] }
  LIST(channel.fromPath(params.reads).collect(sort: { it.name }), file(params.folder), rows)
}`,
    });
    const parameters = {
      reads: `${server.folder}/in/*.fq`,
      folder: `${server.folder}/in`,
      sheet: `file://${server.folder}/in/sheet.csv`,
    };
    const found = await completed(workflow, { parameters });
    expect(await outputOf(found, "pubdir/list.txt")).toBe("a\nb\n3\nx\na\n");
  });
});

describe("a run that ends early", () => {
  const steps = (last: string) => ({
    "main.nf": `process FIRST {
  output: path 'f.txt'
  script: 'echo first > f.txt'
}
process SECOND {
  publishDir '/mnt/workflow/pubdir'
  input: path f
  output: path 's.txt'
  script: '''${last}'''
}
workflow { SECOND(FIRST()) }`,
  });
  const cacheWith = (cacheBehavior: string) =>
    send("POST", "/runCache", {
      ...{ cacheS3Location: `file://${server.folder}/cache-${uniqueId()}`, cacheBehavior },
      requestId: uniqueId(),
    });
  const hitsOf = async (found: Body) =>
    Object.fromEntries((await tasksOf(found)).map(({ name, cacheHit }) => [name, cacheHit]));

  it("fails with the task and its exit code, and keeps its results for the next with CACHE_ON_FAILURE", async () => {
    const cache = await cacheWith("CACHE_ON_FAILURE");
    const failed = await run(await register(steps("exit 3")), { cacheId: cache["id"] });
    expect([failed["status"], failed["failureReason"]]).toEqual(["FAILED", "RUN_TASK_FAILED"]);
    expect(failed["statusMessage"]).toMatch(/^SECOND: .*exit.* 3/);
    const corrected = await register(steps("cat f.txt > s.txt"));
    const found = await completed(corrected, { cacheId: cache["id"] });
    expect(await hitsOf(found)).toEqual({ FIRST: true, SECOND: false });
    expect(await outputOf(found, "pubdir/s.txt")).toBe("first\n");
    // It was completed, so nothing of it is kept.
    expect(await hitsOf(await completed(corrected, { cacheId: cache["id"] }))).toEqual({
      FIRST: true,
      SECOND: false,
    });
  });

  it("is cancelled, and what had finished is reused", async () => {
    const cache = await cacheWith("CACHE_ALWAYS");
    const held = await register(steps("touch started; while :; do sleep 0.1; done"));
    const { id } = await send("POST", "/run", order(held, { cacheId: cache["id"] }));
    const statusOf = async (name: string) =>
      (await tasksOf({ id })).find((task) => task["name"] === name)?.["status"];
    await expect.poll(() => statusOf("SECOND"), { interval: 30 }).toBe("RUNNING");
    await send("POST", `/run/${id}/cancel`);
    await expect
      .poll(async () => (await send("GET", `/run/${id}`))["status"], { interval: 30 })
      .toBe("CANCELLED");
    expect(await statusOf("SECOND")).toBe("CANCELLED");
    const found = await completed(await register(steps("cat f.txt > s.txt")), { cacheId: cache["id"] });
    expect(await hitsOf(found)).toEqual({ FIRST: true, SECOND: false });
    const [second] = (await tasksOf(found)).filter(({ name }) => name === "SECOND");
    const task = await send("GET", `/run/${found["id"]}/task/${second?.["taskId"]}`);
    expect(task["statusMessage"]).toMatch(/^not reused: /);
  });

  it("lists each attempt of a task that is repeated", async () => {
    const workflow = await register({
      "main.nf": `process T {
  errorStrategy 'retry'
  maxRetries 1
  output: stdout
  script: "echo attempt $task.attempt; test $task.attempt = 2"
}
workflow { T().view() }`,
    });
    const found = await completed(workflow);
    expect((await tasksOf(found)).map(({ name, status }) => `${name} ${status}`)).toEqual([
      "T FAILED",
      "T COMPLETED",
    ]);
  });
});

it("the manifest of a cached task has the context of Nextflow", async () => {
  const location = `${server.folder}/context`;
  const cache = await send("POST", "/runCache", {
    ...{ cacheS3Location: `file://${location}`, cacheBehavior: "CACHE_ALWAYS", requestId: uniqueId() },
  });
  const workflow = await register({
    "main.nf": "process T {\n  output: path 'a'\n  script: 'echo a > a'\n}\nworkflow { T() }",
  });
  const found = await completed(workflow, { cacheId: cache["id"] });
  const [task] = await tasksOf(found);
  const uuid = String(task?.["cacheS3Uri"]).split("/").at(-1);
  const names = await readdir(location, { recursive: true });
  const manifest = names.find((name) => name.endsWith(`${uuid}.json`));
  const { nextflowContext, taskArn } = JSON.parse(await readFile(`${location}/${manifest}`, "utf8"));
  expect(nextflowContext).toEqual({
    ...{ process: "T", task: expect.stringMatching(/^T/), exit: 0 },
    hash: expect.stringMatching(/^[0-9a-f]{2}\/[0-9a-f]{6}$/),
  });
  expect(taskArn).toContain(`task/${task?.["taskId"]}`);
});
