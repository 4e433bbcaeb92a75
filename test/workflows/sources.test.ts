/** Where workflows and their inputs come from: files, folders, bundles and servers, and what is refused. */
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { zipOf } from "../server/zip.ts";
import { counts, runOnHost, Sandbox } from "./sandbox.ts";

const main = `version 1.1
import "tasks/echo.wdl" as lib
workflow wf {
  input { Int n }
  call lib.echo { input: n = n }
  output { Int out = echo.out }
}
`;
const echo = `version 1.1
task echo {
  input { Int n }
  command <<< echo ~{n} >>>
  output { Int out = read_int(stdout()) }
}
`;
const documents = { "main.wdl": main, "tasks/echo.wdl": echo };

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

const writeAll = async (folder: string, files: Readonly<Record<string, string>>) => {
  await mkdir(box.path(`${folder}/tasks`), { recursive: true });
  for (const [name, text] of Object.entries(files)) await box.write(`${folder}/${name}`, text);
};
const below = (folder: string) =>
  Object.fromEntries(Object.entries(documents).map(([name, text]) => [`${folder}/${name}`, text]));

describe("a workflow", () => {
  it("is the same one as a file, a folder, a bundle, and a bundle with everything in one folder", async () => {
    await writeAll("flow", documents);
    await box.write("flow.zip", zipOf(documents));
    await box.write("repository.zip", zipOf(below("flow-1.0")));
    expect(await counts(box, "flow/main.wdl", "n=1")).toBe("0 reused, 1 computed");
    for (const named of ["flow", "flow.zip", "repository.zip"])
      expect(await counts(box, named, "n=1")).toBe("1 reused, 0 computed");
  });

  it("is chosen with --main where a folder or bundle has several", async () => {
    const { "main.wdl": text, ...others } = documents;
    await box.write(
      "flow.zip",
      zipOf({ ...others, "one.wdl": text, "two.wdl": text.replace("wf", "second") }),
    );
    const { code, err } = await box.run("run", "flow.zip", "n=1");
    expect(code).toBe(3);
    expect(err).toMatch(/flow\.zip: it has 2 documents and none is called main: one\.wdl, two\.wdl/);
    const answer = await runOnHost(box, "flow.zip", "--main", "two.wdl", "n=1");
    expect(answer.outputs).toEqual({ "second.out": 1 });
  });

  it("is read from a server, with what it imports", async () => {
    const server = createServer((request, response) => {
      const text = documents[request.url?.slice(1) as keyof typeof documents];
      response.writeHead(text === undefined ? 404 : 200).end(text);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    try {
      const { port } = server.address() as AddressInfo;
      expect(await counts(box, `http://127.0.0.1:${port}/main.wdl`, "n=1")).toBe("0 reused, 1 computed");
      const missing = await box.run("check", `http://127.0.0.1:${port}/none.wdl`);
      expect([missing.code, missing.err]).toEqual([3, expect.stringContaining("there is no such document")]);
    } finally {
      server.close();
    }
  });

  it("in a bundle cannot read what lies outside of it", async () => {
    await box.write("secret.wdl", echo);
    const text = main.replace("tasks/echo.wdl", box.path("secret.wdl"));
    await box.write("flow.zip", zipOf({ "main.wdl": text }));
    const { code, out, err } = await box.run("check", "flow.zip");
    expect(code).toBe(3);
    expect(out + err).toContain("it lies outside of flow.zip");
  });

  it("in an archive with a name that leads out of it is refused", async () => {
    await box.write("flow.zip", zipOf({ "main.wdl": main, "../evil.wdl": echo }));
    const { code, err } = await box.run("check", "flow.zip");
    expect(code).toBe(3);
    expect(err).toContain("../evil.wdl");
  });
});

describe("inputs", () => {
  beforeEach(async () => {
    await box.write(
      "wf.wdl",
      `${echo}workflow wf { input { Int n } call echo { input: n = n } output { Int out = echo.out } }`,
    );
  });

  it("that are no JSON are shown with their place", async () => {
    await box.write("in.json", '{\n  "wf.n": 1,,\n}\n');
    const { code, err } = await box.run("run", "wf.wdl", "-i", "in.json");
    expect(code).toBe(3);
    expect(err).toMatch(/in\.json:2:\d+: error/);
    expect(err).toContain("^");
  });

  it("that are no YAML are shown with their place", async () => {
    await box.write("in.yaml", "wf.n: [1\nb: }\n");
    const { code, err } = await box.run("run", "wf.wdl", "-i", "in.yaml");
    expect(code).toBe(3);
    expect(err).toMatch(/in\.yaml:\d:\d+: error/);
  });

  it("beyond 2^53 stay exact, in files and in words", async () => {
    await box.write("in.json", '{"n": 9007199254740993}');
    const { outputs } = await runOnHost(box, "wf.wdl", "-i", "in.json");
    expect(outputs).toEqual({ "wf.out": "9007199254740993" });
    expect(await counts(box, "wf.wdl", "n=9007199254740993")).toBe("1 reused, 0 computed");
  });
});
