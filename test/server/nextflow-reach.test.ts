/**
 * What Nextflow bundles of others reach on the server's machine, where places are restricted: scripts and configuration
 * are programs, and none of them reads, writes or starts anything that is not its run's own.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
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
beforeAll(async () => {
  process.env["SECRET_OF_THE_SERVER"] = "the secret";
  server = await openServer({ keys: [key] });
  elsewhere = await mkdtemp(join(tmpdir(), "memoir-elsewhere-"));
  secret = join(elsewhere, "secret.txt");
  await writeFile(secret, "the secret");
  await mkdir(join(server.folder, "data"));
  await writeFile(join(server.folder, "data/open.txt"), "open to all");
  await symlink(secret, join(server.folder, "data/link.txt"));
});
afterAll(async () => {
  delete process.env["SECRET_OF_THE_SERVER"];
  await server.close();
  await rm(elsewhere, { recursive: true, force: true });
  expect(server.bugs).toEqual([]);
});

const ask = (method: string, path: string, body?: object) => requests.ask(server, method, path, body, key);
const send = (method: string, path: string, body?: object) => requests.send(server, method, path, body, key);
const outcome = (files: Readonly<Record<string, string>>, parameters?: Readonly<Record<string, unknown>>) =>
  requests.outcome(server, key, files, parameters);

const script = (body: string) => ({ "main.nf": `workflow {\n${body}\n}` });
const shows = 'process SHOW {\n  input: path f\n  output: stdout\n  script: "cat $f"\n}\n';
const task = (directives: string, command = "echo done") =>
  `process T {\n${directives}\n  output: stdout\n  script: '''${command}'''\n}\nworkflow { T().view() }`;

describe("a script", () => {
  it("reads what the operator allows, and not what a link there leads to", async () => {
    const open = await outcome(script(`println file('${server.folder}/data/open.txt').text`));
    expect(open.files).toContain("open to all");
    const link = await outcome(script(`println file('${server.folder}/data/link.txt').text`));
    expect(link.status).toBe("FAILED");
    expect(link.files).not.toContain("the secret");
  });

  const attempts: readonly (readonly [string, () => Readonly<Record<string, string>>])[] = [
    ["a file of the machine", () => script(`println file('${secret}').text`)],
    [
      "a file through a link that it makes",
      () => script(`file('${secret}').mklink('l')\nprintln file('l').text`),
    ],
    [
      "a link in its results",
      () =>
        script(
          `file('/mnt/workflow/pubdir').mkdirs()\nfile('${secret}').mklink('/mnt/workflow/pubdir/l.txt')`,
        ),
    ],
    ["a name with dots", () => script(`println file("/mnt/workflow/pubdir/../../../../..${secret}").text`)],
    [
      "a file as an input of a task",
      () => ({ "main.nf": `${shows}workflow { SHOW(file('${secret}')).view() }` }),
    ],
    [
      "files by a pattern",
      () => ({ "main.nf": `${shows}workflow { SHOW(channel.fromPath('${elsewhere}/*')).view() }` }),
    ],
    [
      "a file in its configuration",
      () => ({ ...script("println params.s"), "nextflow.config": `params.s = new File('${secret}').text` }),
    ],
    [
      "another configuration",
      () => ({ ...script("println params"), "nextflow.config": `includeConfig '${secret}'` }),
    ],
    ["another script", () => ({ "main.nf": `include { X } from '${secret}'\nworkflow { X() }` })],
    [
      "a template",
      () => ({
        "main.nf": `process T {\n  output: stdout\n  script:\n  template '${secret}'\n}\nworkflow { T().view() }`,
      }),
    ],
    ["a program", () => script(`println "cat ${secret}".execute().text`)],
    ["a program of a list", () => script(`println ['cat', '${secret}'].execute().text`)],
    ["a program of Java", () => script(`println new ProcessBuilder('cat', '${secret}').start().text`)],
    ["the runtime of Java", () => script(`println Runtime.getRuntime().exec('cat ${secret}').text`)],
    [
      "a variable of the server",
      () => script("println System.getenv('SECRET_OF_THE_SERVER')\nprintln System.getenv()"),
    ],
    [
      "a variable in its configuration",
      () => ({ ...script("println params.s"), "nextflow.config": `params.s = "$SECRET_OF_THE_SERVER"` }),
    ],
    [
      "a mount",
      () => ({ "main.nf": task(`  container 'x'\n  containerOptions '-v ${elsewhere}:/e'`, "cat /e/*") }),
    ],
    [
      "a mount of all tasks",
      () => ({
        "main.nf": task("  container 'x'", "cat /e/*"),
        "nextflow.config": `docker.runOptions = '-v ${elsewhere}:/e'`,
      }),
    ],
    [
      "kept results",
      () => ({
        "main.nf": `process T {\n  storeDir '${elsewhere}'\n  output: path 'secret.txt'\n  script: 'echo mine > secret.txt'\n}\nworkflow { T().view { it.text } }`,
      }),
    ],
  ];
  it.each(attempts)("does not get %s", async (_, files) => {
    const { files: seen } = await outcome(files());
    expect(seen).not.toContain("the secret");
    expect(await readFile(secret, "utf8")).toBe("the secret");
  });

  const writes: readonly (readonly [string, (target: string) => Readonly<Record<string, string>>])[] = [
    ["a text", (target) => script(`file('${target}').text = 'mine'`)],
    ["a copy", (target) => script(`file('${server.folder}/data/open.txt').copyTo('${target}')`)],
    [
      "published files",
      (target) => ({
        "main.nf": `process T {\n  publishDir '${elsewhere}', saveAs: { '${target}' }, mode: 'copy'\n  output: path 'a'\n  script: 'echo mine > a'\n}\nworkflow { T() }`,
      }),
    ],
    ["collected files", (target) => script(`channel.of('mine').collectFile(name: '${target}')`)],
    ["files of the operator", () => script(`file('${server.folder}/data/open.txt').text = 'mine'`)],
    ["deleted files", () => script(`file('${server.folder}/data').deleteDir()`)],
  ];
  it.each(writes)("does not write outside its run: %s", async (_, files) => {
    await outcome(files(join(elsewhere, "made.txt")));
    expect(await readdir(elsewhere)).toEqual(["secret.txt"]);
    expect(await readFile(join(server.folder, "data/open.txt"), "utf8")).toBe("open to all");
  });

  it("sees the folder of its results by the service's name", async () => {
    const { files, status, message } = await outcome(
      script(
        "def f = file('/mnt/workflow/pubdir/a/b.txt')\nf.parent.mkdirs()\nf.text = 'made'\nprintln file('/mnt/workflow/pubdir/a').list()",
      ),
    );
    expect(status, message).toBe("COMPLETED");
    expect(files).toContain("[b.txt]");
    expect(files).toContain("made");
  });
});

it("a parameter that names a file elsewhere is refused before there is a run, a folder of results is not", async () => {
  const definitionZip = zipOf(script("println params.f")).toString("base64");
  const { id: workflowId } = await send("POST", "/workflow", { definitionZip, requestId: uniqueId() });
  const start = (f: string) =>
    ask("POST", "/run", {
      ...{ workflowId, roleArn: "arn:aws:iam::111111111111:role/r", outputUri: `file://${server.folder}/o` },
      ...{ parameters: { f }, requestId: uniqueId() },
    });
  for (const f of [secret, `file://${secret}`, "/mnt/workflow/pubdir/../../../etc/passwd"]) {
    const answer = await start(f);
    expect([answer.status, answer.errorType]).toEqual([400, "ValidationException"]);
  }
  expect((await start("/mnt/workflow/pubdir")).status).toBe(201);
});
