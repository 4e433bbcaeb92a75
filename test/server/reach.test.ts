/**
 * What documents of bundles may read on the server's machine, where places are restricted: their own folder, the run's,
 * and what the operator allows. Whatever else they try fails, and its content is not revealed.
 */
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openServer, type TestKey, type TestServer, uniqueId } from "./harness.ts";
import * as requests from "./requests.ts";
import { zipOf } from "./zip.ts";

const key: TestKey = { accessKeyId: "AKIDOURS", secretAccessKey: "secret", account: "111111111111" };

let server: TestServer;
let elsewhere: string;
let secret: string;
let site: Server;
let url: string;
let visits = 0;
beforeAll(async () => {
  server = await openServer({ keys: [key] });
  elsewhere = await mkdtemp(join(tmpdir(), "memoir-elsewhere-"));
  secret = join(elsewhere, "secret.txt");
  await writeFile(secret, "the secret");
  await mkdir(join(server.folder, "data"));
  await writeFile(join(server.folder, "data/open.txt"), "open to all");
  await symlink(secret, join(server.folder, "data/link.txt"));
  site = createServer((_, response) => {
    visits++;
    response.end("the secret");
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/secret.txt`;
});
afterAll(async () => {
  await new Promise((resolve) => site.close(resolve));
  await server.close();
  await rm(elsewhere, { recursive: true, force: true });
  expect(server.bugs).toEqual([]);
});

const send = (method: string, path: string, body?: object) => requests.send(server, method, path, body, key);
const outcome = (files: Readonly<Record<string, string>>) => requests.outcome(server, key, files);

async function refused(files: Readonly<Record<string, string>>, why: RegExp): Promise<void> {
  const ended = await outcome(files);
  expect([ended.status, ended.files]).toEqual(["FAILED", expect.not.stringContaining("the secret")]);
  expect(ended.message).toMatch(why);
}

const tool = (file: string, more = "") => `cwlVersion: v1.2
class: CommandLineTool
requirements: {InlineJavascriptRequirement: {}}
baseCommand: cat
inputs: {file: {type: [File, Directory], ${more} inputBinding: {}, default: ${file}}}
stdout: out.txt
outputs: {out: stdout}
`;
const made = (value: string) => `cwlVersion: v1.2
class: ExpressionTool
requirements: {InlineJavascriptRequirement: {}}
inputs: {}
outputs: {out: Any}
expression: ${JSON.stringify(`$({"out": ${value}})`)}
`;
const outside = /outside the folders that this run may read|outside|are not fetched|no file|does not exist/;

describe("CWL documents", () => {
  it("read what the operator allows, and what is next to them", async () => {
    const open = tool(`{class: File, path: ${server.folder}/data/open.txt}`);
    expect(await outcome({ "main.cwl": open })).toMatchObject({ status: "COMPLETED" });
    const sibling = tool("{class: File, path: sibling.txt}");
    const ended = await outcome({ "main.cwl": sibling, "sibling.txt": "sibling" });
    expect([ended.status, ended.files]).toEqual(["COMPLETED", expect.stringContaining("sibling")]);
  });

  it("have no default elsewhere, not even through a link", async () => {
    for (const file of [
      `{class: File, path: ${secret}}`,
      `{class: File, location: 'file://${secret}'}`,
      `{class: File, path: ../../../../../../../../../../../../..${secret}}`,
      `{class: File, path: ${server.folder}/data/link.txt}`,
      `{class: File, path: ${server.folder}/keys.json/../../${elsewhere.split("/").at(-1)}/secret.txt}`,
      `{class: Directory, path: ${elsewhere}}`,
      `{class: File, location: '${url}'}`,
      `{class: File, path: sibling.txt, secondaryFiles: [{class: File, path: ${secret}}]}`,
      `{class: Directory, basename: d, listing: [{class: File, path: ${secret}}]}`,
    ])
      await refused({ "main.cwl": tool(file), "sibling.txt": "sibling" }, outside);
  });

  it("do not look into files elsewhere with loadContents, listings or secondary files", async () => {
    await refused(
      {
        "main.cwl": tool(`{class: File, path: ${secret}}`, "loadContents: true,").replace(
          "[File, Directory]",
          "File",
        ),
      },
      outside,
    );
    const listed = tool(`{class: Directory, path: ${elsewhere}}`, "loadListing: deep_listing,");
    await refused({ "main.cwl": listed.replace("[File, Directory]", "Directory") }, outside);
    const pattern = `secondaryFiles: ['\${ return {class: "File", location: "file://${secret}"}; }'],`;
    const sibling = tool("{class: File, path: sibling.txt}", pattern).replace("[File, Directory]", "File");
    await refused({ "main.cwl": sibling, "sibling.txt": "sibling" }, outside);
  });

  it("have no expressions that bring files from elsewhere", async () => {
    const file = `{"class": "File", "location": "file://${secret}"}`;
    for (const value of [file, `[${file}]`, `{"class": "Directory", "basename": "d", "listing": [${file}]}`])
      await refused({ "main.cwl": made(value) }, outside);
    const staged = `cwlVersion: v1.2
class: CommandLineTool
requirements:
  InlineJavascriptRequirement: {}
  InitialWorkDirRequirement: {listing: ${JSON.stringify(`$([${file}])`)}}
baseCommand: [cat, secret.txt]
inputs: {}
stdout: out.txt
outputs: {out: stdout}
`;
    await refused({ "main.cwl": staged }, outside);
  });

  it("import and include nothing from elsewhere, nor from web sites", async () => {
    const before = visits;
    for (const target of [secret, `file://${secret}`, `../../../../../../../../../../..${secret}`, url]) {
      const reference = JSON.stringify(target);
      const library = tool("{class: File, path: main.cwl}").replace(
        "InlineJavascriptRequirement: {}",
        `InlineJavascriptRequirement: {expressionLib: [{$include: ${reference}}]}`,
      );
      await refused({ "main.cwl": library }, outside);
      await refused({ "main.cwl": `${made("1")}hints: [{$import: ${reference}}]\n` }, outside);
      const step = `cwlVersion: v1.2
class: Workflow
inputs: {}
steps: {one: {run: ${reference}, in: {}, out: []}}
outputs: {}
`;
      await refused({ "main.cwl": step }, outside);
    }
    expect(visits).toBe(before);
  });
});

describe("what is refused", () => {
  it("is refused in the same words whether it is there or not", async () => {
    await symlink(join(elsewhere, "none.txt"), join(server.folder, "data/nowhere.txt"));
    await symlink(elsewhere, join(server.folder, "data/folder"));
    const { data } = { data: join(server.folder, "data") };
    const documents = [
      (path: string) => ({ "main.wdl": `version 1.0\nimport "${path}" as x\nworkflow w { }\n` }),
      (path: string) => ({
        "main.wdl": `version 1.0\nworkflow w { output { String s = read_string("${path}") } }\n`,
      }),
      (path: string) => ({
        "main.wdl": `version 1.1\nworkflow w { File f = "${path}" output { Float s = size(f) } }\n`,
      }),
      (path: string) => ({ "main.cwl": tool(`{class: File, path: ${path}}`) }),
      (path: string) => ({ "main.cwl": `${made("1")}hints: [{$import: ${path}}]\n` }),
    ];
    for (const document of documents) {
      const answerTo = async (path: string) =>
        (await outcome(document(path))).message.replaceAll(path, "PATH").replace(/\^+/, "^");
      const there = await answerTo(secret);
      expect(there).toMatch(/it is outside/);
      const others = ["/none/at/all", "/etc", "/root/.profile", join(elsewhere, "none.txt")];
      const links = ["link.txt", "nowhere.txt", "folder/secret.txt", "folder/none.txt", "folder/none/x"];
      for (const path of [...others, ...links.map((name) => join(data, name))])
        expect(await answerTo(path), path).toBe(there);
    }
  });

  it("is refused as an input of a run as well, through a link that leads out", async () => {
    const definitionZip = zipOf({
      "main.wdl": "version 1.1\nworkflow w { input { File f } output { Float s = size(f) } }\n",
    }).toString("base64");
    const { id: workflowId } = await send("POST", "/workflow", { definitionZip, requestId: uniqueId() });
    const answerTo = async (name: string) => {
      const f = join(server.folder, "data", name);
      const { id } = await send("POST", "/run", {
        ...{ workflowId, roleArn: "arn:aws:iam::111111111111:role/r", requestId: uniqueId() },
        ...{ parameters: { f }, outputUri: `file://${server.folder}/out` },
      });
      await expect
        .poll(async () => (await send("GET", `/run/${id}`))["status"], { interval: 30 })
        .toMatch(/^(COMPLETED|FAILED)$/);
      return String((await send("GET", `/run/${id}`))["statusMessage"]).replaceAll(f, "PATH");
    };
    const there = await answerTo("link.txt");
    expect(there).toMatch(/outside the folders that this run may read/);
    for (const name of ["nowhere.txt", "folder/secret.txt", "folder/none.txt"])
      expect(await answerTo(name), name).toBe(there);
    expect(await answerTo("open.txt")).toBe("undefined");
  });
});

describe("places that requests name", () => {
  const task = (command: string) => `version 1.1
task t {
  command <<< ${command}; echo hi > o >>>
  output { File f = "o" }
}
workflow w { call t output { File f = t.f } }
`;
  let workflowId: unknown;
  const registered = async (command: string) => {
    const definitionZip = zipOf({ "main.wdl": task(command) }).toString("base64");
    return (await send("POST", "/workflow", { definitionZip, requestId: uniqueId() }))["id"];
  };
  const answerTo = async (path: string, body: object) => {
    const whole = { requestId: uniqueId(), ...body };
    const { status, message } = await requests.ask(server, "POST", path, whole, key);
    return status < 300 ? "accepted" : `${status} ${message}`;
  };
  const startOf = (id: unknown, outputUri: string) => ({
    ...{ workflowId: id, roleArn: "arn:aws:iam::111111111111:role/r", parameters: {}, outputUri },
  });
  let out: string;
  beforeAll(async () => {
    workflowId = await registered("true");
    out = await mkdtemp(join(tmpdir(), "memoir-out-"));
    await symlink(out, join(server.folder, "leads-out"));
    await symlink(join(out, "none"), join(server.folder, "leads-nowhere"));
    await mkdir(join(server.folder, "inner"));
    await symlink("inner", join(server.folder, "stays-in"));
  });
  afterAll(() => rm(out, { recursive: true, force: true }));

  it.each(["leads-out", "leads-out/o", "leads-nowhere", "leads-nowhere/o", "inner/../leads-out"])(
    "are refused for outputs, caches and definitions where %s leads out",
    async (name) => {
      const uri = `file://${server.folder}/${name}`;
      const refusals = [
        await answerTo("/run", startOf(workflowId, uri)),
        await answerTo("/runCache", { cacheS3Location: uri }),
        await answerTo("/workflow", { definitionUri: `${uri}/x.zip` }),
      ];
      for (const refusal of refusals) expect(refusal).toMatch(/^400 /);
      expect(refusals.join("\n")).not.toContain(out);
      expect(await readdir(out)).toEqual([]);
    },
  );

  it("may be reached through links that stay inside", async () => {
    expect(await answerTo("/runCache", { cacheS3Location: `file://${server.folder}/stays-in/c` })).toBe(
      "accepted",
    );
  });

  it("do not lead out when somebody puts a link in their place while a run is under way", async () => {
    const folder = join(server.folder, "swapped");
    const swap = `rm -rf ${folder} && ln -s ${out} ${folder}`;
    const cache = await send("POST", "/runCache", {
      ...{ cacheS3Location: `file://${folder}/c`, cacheBehavior: "CACHE_ALWAYS", requestId: uniqueId() },
    });
    const { id } = await send("POST", "/run", {
      ...startOf(await registered(swap), `file://${folder}/o`),
      ...{ cacheId: cache["id"], requestId: uniqueId() },
    });
    const status = async () => (await send("GET", `/run/${id}`))["status"];
    await expect.poll(status, { interval: 30 }).toBe("FAILED");
    expect(await readdir(out)).toEqual([]);
  });
});

describe("WDL documents", () => {
  const workflow = (body: string, output: string) => `version 1.1
workflow w {
  ${body}
  output { String out = ${output} }
}
task show {
  input { File file }
  command <<< cat ~{file} >>>
  output { String said = read_string(stdout()) }
}
`;

  it.each([
    ["read_string", (path: string) => workflow("", `read_string("${path}")`)],
    ["a declaration", (path: string) => workflow(`File f = "${path}"`, "read_string(f)")],
    ["a task's input", (path: string) => workflow(`call show { input: file = "${path}" }`, "show.said")],
  ])("read nothing elsewhere by %s", async (_, document) => {
    for (const path of [secret, `file://${secret}`, `${server.folder}/data/link.txt`, url])
      await refused({ "main.wdl": document(path) }, outside);
    const ended = await outcome({ "main.wdl": document(`${server.folder}/data/open.txt`) });
    expect([ended.status, ended.files], ended.message).toEqual([
      "COMPLETED",
      expect.stringContaining("open to all"),
    ]);
  });
});
