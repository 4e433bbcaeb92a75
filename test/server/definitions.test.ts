/** What a bundle may be: languages, main documents, places; and what is reported of one that is not a workflow. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openServer, type TestServer, uniqueId } from "./harness.ts";
import { type Body, ended, get, logOf, post, start } from "./plain-client.ts";
import { zipOf } from "./zip.ts";

const wdl =
  "version 1.1\nworkflow w {\n  input {\n    Int n = 1\n  }\n  output {\n    Int m = n + 1\n  }\n}\n";
const task = "version 1.1\ntask t {\n  command <<< true >>>\n}\n";
const cwl = "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: 'true'\ninputs: {}\noutputs: {}\n";

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(async () => {
  await server.close();
  expect(server.bugs).toEqual([]);
});

async function created(members: Readonly<Record<string, string>>, settings: Body = {}): Promise<Body> {
  const definitionZip = zipOf(members).toString("base64");
  const { id } = await post(server, "/workflow", { definitionZip, requestId: uniqueId(), ...settings });
  return get(server, `/workflow/${id}`);
}

const facts = ({ status, engine, main }: Body) => [status, engine, main];

it.each([
  ["one WDL document", { "x.wdl": wdl }, {}, ["ACTIVE", "WDL", "x.wdl"]],
  ["one CWL document", { "x.cwl": cwl }, {}, ["ACTIVE", "CWL", "x.cwl"]],
  [
    "both, and CWL is asked for",
    { "main.cwl": cwl, "main.wdl": wdl },
    { engine: "CWL" },
    ["ACTIVE", "CWL", "main.cwl"],
  ],
  [
    "both, and WDL is asked for",
    { "main.cwl": cwl, "main.wdl": wdl },
    { engine: "WDL" },
    ["ACTIVE", "WDL", "main.wdl"],
  ],
  [
    "both, and a main document",
    { "a.cwl": cwl, "b.wdl": wdl },
    { main: "b.wdl" },
    ["ACTIVE", "WDL", "b.wdl"],
  ],
  ["a lenient WDL", { "x.wdl": wdl }, { engine: "WDL_LENIENT" }, ["ACTIVE", "WDL_LENIENT", "x.wdl"]],
  [
    "a folder, named from outside",
    { "a/b/x.wdl": wdl, "a/b/y.wdl": wdl },
    { main: "a/b/x.wdl" },
    ["ACTIVE", "WDL", "a/b/x.wdl"],
  ],
  [
    "a folder, named from inside",
    { "a/x.wdl": wdl, "a/y.wdl": wdl },
    { main: "y.wdl" },
    ["ACTIVE", "WDL", "y.wdl"],
  ],
  [
    "a library above its main document",
    {
      "a/b/main.wdl": `import "../t.wdl" as l\n${wdl}`.replace(/^(.*)\n(version.*)\n/, "$2\n$1\n"),
      "a/t.wdl": task,
    },
    {},
    ["ACTIVE", "WDL", "b/main.wdl"],
  ],
  [
    "what macOS adds",
    { "proj/main.wdl": wdl, "__MACOSX/proj/._main.wdl": "x", "proj/.DS_Store": "x", ".DS_Store": "x" },
    {},
    ["ACTIVE", "WDL", "main.wdl"],
  ],
  [
    "a README next to its folder",
    { "proj/main.wdl": wdl, "README.md": "x" },
    {},
    ["ACTIVE", "WDL", "proj/main.wdl"],
  ],
  [
    "a README and a named document",
    { "proj/x.wdl": wdl, "proj/y.wdl": wdl, "README.md": "x" },
    { main: "proj/y.wdl" },
    ["ACTIVE", "WDL", "proj/y.wdl"],
  ],
  [
    "main documents below others",
    { "wf/main.wdl": wdl, "tasks/t.wdl": task },
    {},
    ["ACTIVE", "WDL", "wf/main.wdl"],
  ],
  [
    "one main document of all languages",
    { "main.wdl": wdl, "tools/t.cwl": cwl },
    {},
    ["ACTIVE", "WDL", "main.wdl"],
  ],
] as const)("a bundle with %s becomes a workflow that runs", async (_, members, settings, expected) => {
  const workflow = await created(members, settings);
  expect(facts(workflow), String(workflow["statusMessage"])).toEqual(expected);
  const run = await ended(server, (await start(server, String(workflow["id"])))["id"]);
  expect(run["status"], String(run["statusMessage"])).toBe("COMPLETED");
});

it.each([
  [
    "two languages and no engine",
    { "main.cwl": cwl, "main.wdl": wdl },
    {},
    "WDL",
    /several languages \(WDL, CWL\)/,
  ],
  ["another language than asked for", { "x.cwl": cwl }, { engine: "WDL" }, "WDL", /no WDL document/],
  [
    "Nextflow with an error",
    { "main.nf": "workflow {", "nextflow.config": "" },
    {},
    "NEXTFLOW",
    /^main\.nf:1:\d+: error/,
  ],
  [
    "Nextflow with an inclusion that is not there",
    { "main.nf": "include { X } from './x'\nworkflow { X() }" },
    { engine: "NEXTFLOW" },
    "NEXTFLOW",
    /there is no script \.\/x/,
  ],
  ["no document", { "readme.txt": "" }, {}, "WDL", /no document of a supported language/],
  [
    "two documents and no main one",
    { "x.wdl": wdl, "y.wdl": wdl },
    {},
    "WDL",
    /none is called main: x\.wdl, y\.wdl/,
  ],
  [
    "two main documents",
    { "a/main.wdl": wdl, "b/main.wdl": wdl },
    {},
    "WDL",
    /2 documents called main: a\/main\.wdl, b\/main\.wdl; say which one to run with main/,
  ],
  [
    "a library called main",
    { "main.wdl": task, "flow.wdl": wdl },
    {},
    "WDL",
    /main\.wdl has no workflow, and another document has a workflow: flow\.wdl/,
  ],
  [
    "a library above the workflow",
    { "t.wdl": task, "x/flow.wdl": wdl },
    {},
    "WDL",
    /none is called main: t\.wdl, x\/flow\.wdl/,
  ],
  [
    "no such main document",
    { "x.wdl": wdl },
    { main: "no.wdl" },
    "WDL",
    /no\.wdl: there is no such document/,
  ],
  ["a mistake", { "x.wdl": "version 1.1\nworkflow {" }, {}, "WDL", /x\.wdl:2/],
])(
  "a bundle with %s is FAILED and says why, without local paths",
  async (_, members, settings, engine, words) => {
    const workflow = await created(members, settings);
    expect([workflow["status"], workflow["engine"]]).toEqual(["FAILED", engine]);
    expect(workflow["statusMessage"]).toMatch(words);
    expect(workflow["statusMessage"]).not.toContain(server.folder);
  },
);

it("what cannot be a bundle at all is refused at once", async () => {
  await writeFile(join(server.folder, "x.zip"), zipOf({ "x.wdl": wdl }));
  const refusal = async (settings: Body) => {
    const body = JSON.stringify({ requestId: uniqueId(), ...settings });
    const { status, errorType, message } = await server.raw({ method: "POST", path: "/workflow", body });
    return status === 201 ? "created" : `${errorType} ${message}`;
  };
  const definitionZip = zipOf({ "x.wdl": wdl }).toString("base64");
  expect(await refusal({ definitionUri: `file://${server.folder}/x.zip` })).toBe("created");
  expect(await refusal({ definitionUri: `file://${server.folder}/%zz.zip` })).toMatch(
    /reading the store address/,
  );
  expect(await refusal({ definitionUri: `file://${server.folder}/none.zip` })).toMatch(
    /^ValidationException .*none\.zip: there is no such object/,
  );
  for (const main of [
    "../x.wdl",
    "/etc/passwd",
    "a/../../x.wdl",
    "file:///etc/passwd",
    "https://example.com/x.wdl",
  ])
    expect(await refusal({ definitionZip, main })).toMatch(
      /^ValidationException The main document .* is not a path/,
    );
  expect(await refusal({})).toMatch(/^ValidationException Exactly one of/);
  expect(await refusal({ definitionZip, definitionUri: "s3://b/k" })).toMatch(
    /^ValidationException Exactly one/,
  );
  expect(await refusal({ definitionZip, readmeUri: `file://${server.folder}/none.md` })).toMatch(
    /^ValidationException .*none\.md/,
  );
  const connectionArn = "arn:aws:codeconnections:us-east-1:000000000000:connection/x";
  expect(await refusal({ definitionRepository: { connectionArn, fullRepositoryId: "a/b" } })).toMatch(
    /^ValidationException definitionRepository needs a code connection/,
  );
});

it("workflows of others, Ready2Run ones and networks without a configuration are not there", async () => {
  const { id } = await created({ "x.wdl": wdl });
  const answerTo = async (method: string, path: string, body?: Body) => {
    const text = body === undefined ? {} : { body: JSON.stringify({ requestId: uniqueId(), ...body }) };
    const { status, errorType } = await server.raw({ method, path, ...text });
    return `${status} ${errorType}`;
  };
  expect(await answerTo("GET", `/workflow/${id}?type=READY2RUN`)).toBe("404 ResourceNotFoundException");
  expect(await answerTo("GET", `/workflow/${id}?workflowOwnerId=999999999999`)).toBe(
    "404 ResourceNotFoundException",
  );
  expect(await answerTo("GET", `/workflow/${id}?workflowOwnerId=000000000000&type=PRIVATE`)).toMatch(/^200/);
  const settings = {
    workflowId: id,
    roleArn: "arn:aws:iam::000000000000:role/r",
    outputUri: `file://${server.folder}/o`,
  };
  expect(await answerTo("POST", "/run", { ...settings, workflowOwnerId: "999999999999" })).toMatch(/^404/);
  expect(await answerTo("POST", "/run", { ...settings, workflowType: "READY2RUN" })).toMatch(
    /^400 Validation/,
  );
  expect(await answerTo("POST", "/run", { ...settings, networkingMode: "VPC" })).toMatch(/^400 Validation/);
  const batch = (more: Body) => ({
    defaultRunSetting: { ...settings, ...more },
    batchRunSettings: { inlineSettings: [{ runSettingId: "a" }] },
  });
  expect(await answerTo("POST", "/runBatch", batch({ workflowType: "READY2RUN" }))).toMatch(
    /^400 Validation/,
  );
  expect(await answerTo("POST", "/runBatch", batch({ cacheBehavior: "CACHE_ALWAYS" }))).toMatch(
    /^400 Validation/,
  );
});

it("the manifest of a run has every setting, with parameters as they were sent", async () => {
  const { id } = await created({ "x.wdl": wdl.replace("Int n = 1", "Int n = 1\n    Float f = 0.5") });
  const group = await post(server, "/runGroup", { name: "g", requestId: uniqueId() });
  const body = `{"workflowId":"${id}","roleArn":"arn:aws:iam::000000000000:role/r","requestId":"${uniqueId()}",
    "outputUri":"file://${server.folder}/o","runGroupId":"${group["id"]}","priority":7,"name":"m","retentionMode":"REMOVE",
    "parameters":{"f":1.0,"n":9007199254740993}}`;
  const { body: run } = await server.raw({ method: "POST", path: "/run", body });
  expect((await ended(server, run["id"]))["status"]).toBe("COMPLETED");
  const line = (await logOf(server, `manifest/run/${run["id"]}/${run["uuid"]}`)).at(-1) ?? "";
  expect(line).toContain('"parameters":{"f":1.0,"n":9007199254740993}');
  const arn = (rest: string) => `arn:aws:omics:us-east-1:000000000000:${rest}`;
  expect(JSON.parse(line)).toMatchObject({
    arn: arn(`run/${run["id"]}`),
    workflow: arn(`workflow/${id}`),
    runGroup: arn(`runGroup/${group["id"]}`),
    ...{ name: "m", priority: 7, retentionMode: "REMOVE", storageType: "DYNAMIC", logLevel: "ALL" },
    parameterTemplate: { n: { optional: true }, f: { optional: true } },
  });
});
