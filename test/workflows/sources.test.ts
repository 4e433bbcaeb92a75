/** Where workflows and their inputs come from: files, folders, bundles and servers, and what is refused. */
import { mkdir, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { zipOf } from "../server/zip.ts";
import { counts, onHost, runOnHost, Sandbox } from "./sandbox.ts";

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

  it("is found wherever it is in a folder or archive, and is never guessed", async () => {
    const nested = below("deep/wf");
    await box.write("nested.zip", zipOf({ ...nested, "README.md": "", "__MACOSX/deep/wf/._main.wdl": "x" }));
    expect(await counts(box, "nested.zip", "n=1")).toBe("0 reused, 1 computed");
    expect(await counts(box, "nested.zip", "n=1", "--main", "deep/wf/main.wdl")).toBe("1 reused, 0 computed");
    await writeAll("repo/wf", documents);
    await box.write("repo/README.md", "");
    expect(await counts(box, "repo", "n=1")).toBe("1 reused, 0 computed");
    await box.write(
      "both.zip",
      zipOf({ "wf.wdl": main, "tasks/echo.wdl": echo, "tool.cwl": "cwlVersion: v1.2\n" }),
    );
    const both = await box.run("run", "both.zip", "n=1");
    expect([both.code, both.err]).toEqual([3, expect.stringMatching(/several languages \(WDL, CWL\)/)]);
    await box.write(
      "library.zip",
      zipOf({ "main.wdl": echo, "flow.wdl": main.replace("tasks/echo", "main") }),
    );
    const library = await box.run("run", "library.zip", "n=1");
    expect([library.code, library.err]).toEqual([
      3,
      expect.stringMatching(/main\.wdl has no workflow.*flow\.wdl/),
    ]);
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

  it("takes its web imports from local folders, where a map says so", async () => {
    await mkdir(box.path("vendor/1.0"), { recursive: true });
    await box.write(
      "vendor/1.0/echo.wdl",
      `import "../util.wdl" as u\n${echo}`.replace(/^(.*)\n(version.*)\n/, "$2\n$1\n"),
    );
    await box.write("vendor/util.wdl", "version 1.1\n");
    await box.write("wf.wdl", main.replace("tasks/echo.wdl", "https://wdl.invalid/lib/1.0/echo.wdl"));
    await box.write("map.json", '{"https://wdl.invalid/": "none", "https://wdl.invalid/lib/": "vendor"}');
    expect(await counts(box, "wf.wdl", "n=1", "--import-map", "map.json")).toBe("0 reused, 1 computed");
    await box.write("map.json", '{"https://wdl.invalid/lib/1.0/echo": "vendor"}');
    const missing = await box.run("check", "wf.wdl", "--import-map", "map.json");
    expect([missing.code, missing.out + missing.err]).toEqual([
      3,
      expect.stringContaining("where nothing is"),
    ]);
    await box.write("map.json", `{"HTTPS://WDL.invalid/lib/": "file://${box.path("vendor")}/"}`);
    expect((await box.run("check", "wf.wdl", "--import-map", "map.json")).code).toBe(0);
    await box.write("map.json", '{"vendor": "x"}');
    expect((await box.run("check", "wf.wdl", "--import-map", "map.json")).code).toBe(2);
  });

  it("in a bundle cannot read what is outside it", async () => {
    await box.write("secret.wdl", echo);
    const text = main.replace("tasks/echo.wdl", box.path("secret.wdl"));
    await box.write("flow.zip", zipOf({ "main.wdl": text }));
    const { code, out, err } = await box.run("check", "flow.zip");
    expect(code).toBe(3);
    expect(out + err).toContain("it is outside flow.zip");
  });

  it("in a bundle imports nothing from elsewhere, and does not reveal what exists there", async () => {
    const answerTo = async (name: string) => {
      const text = main.replace("tasks/echo.wdl", name);
      await box.write("flow.zip", zipOf({ "main.wdl": text }));
      const { code, out, err } = await box.run("check", "flow.zip");
      return [
        code,
        (out + err)
          .replaceAll(name, "NAME")
          .replace(/reading \S+:/, "reading NAME:")
          .replace(/\^+/, "^"),
      ];
    };
    const there = await answerTo(box.path("flow.zip"));
    expect(there).toEqual([3, expect.stringContaining("it is outside flow.zip")]);
    for (const name of [box.path("none.wdl"), "/etc", "/none/at/all"])
      expect(await answerTo(name), name).toEqual(there);
  });

  it("in an archive with a name that leads out of it is refused", async () => {
    await box.write("flow.zip", zipOf({ "main.wdl": main, "../evil.wdl": echo }));
    const { code, err } = await box.run("check", "flow.zip");
    expect(code).toBe(3);
    expect(err).toContain("../evil.wdl");
  });
});

describe("documents of others", () => {
  const reading = (expression: string) => `version 1.1
task show {
  input { File file }
  command <<< cat ~{file} >>>
  output { String said = read_string(stdout()) }
}
workflow wf {
  input { File? given  String? name }
  ${expression}
  output { String out = text }
}
`;
  const words = ["--executor", "host", "--no-cache", "--json"];
  beforeEach(async () => {
    await mkdir(box.path("folder"));
    await mkdir(box.path("data"));
    await box.write("secret.txt", "the secret");
    await box.write("folder/open.txt", "open");
    await symlink(box.path("secret.txt"), box.path("folder/link.txt"));
  });

  const ways = (path: string) => ({
    "read_string of a text": `String text = read_string("${path}")`,
    read_json: `Object o = read_json("${path}")  String text = "x"`,
    "read_lines in a task": `String text = read_lines("${path}")[0]`,
    "a declaration": `File f = "${path}"  String text = read_string(f)`,
    "its size": `Float s = size("${path}")  String text = "~{s}"`,
    "an input of a task": `call show { input: file = "${path}" }  String text = show.said`,
    "an array": `Array[File] f = ["${path}"]  String text = read_string(f[0])`,
  });

  it.each(Object.keys(ways("")))("do not read the machine's files by %s", async (way) => {
    const answerTo = async (path: string) => {
      const expression = ways(path)[way as keyof ReturnType<typeof ways>];
      await box.write("flow.zip", zipOf({ "main.wdl": reading(expression) }));
      const { code, out, err } = await box.run("run", "flow.zip", ...words);
      // A slow run also reports its progress.
      const answer = (out + err).replace(/^[\d.]+ \w+ \| .*\n/gm, "");
      return [code, answer.replaceAll(path, "PATH").replace(/\d{8}-\S+/g, "RUN")];
    };
    const there = await answerTo(box.path("secret.txt"));
    expect(there).toEqual([3, expect.stringContaining("outside the folders that this run may read")]);
    expect(there[1]).not.toContain("the secret");
    for (const path of [box.path("none.txt"), box.path("folder/link.txt"), "/etc", "/none/at/all"])
      expect(await answerTo(path), path).toEqual(there);
    expect((await answerTo("../../../etc/passwd"))[0]).toBe(3);
  });

  it("read what is next to them, what the user gave, and what --files allows", async () => {
    const reader = reading('String text = read_string("data/own.txt")');
    await box.write("flow.zip", zipOf({ "main.wdl": reader, "data/own.txt": "own" }));
    expect((await runOnHost(box, "flow.zip")).outputs).toEqual({ "wf.out": "own" });
    const given = reading(
      "call show { input: file = select_first([given]) }  String text = read_string(select_first([given])) + show.said",
    );
    await box.write("flow.zip", zipOf({ "main.wdl": given }));
    expect((await runOnHost(box, "flow.zip", "given=folder/link.txt")).outputs).toEqual({
      "wf.out": "the secretthe secret",
    });
    await box.write("in.json", JSON.stringify({ "wf.given": "secret.txt" }));
    expect((await runOnHost(box, "flow.zip", "-i", "in.json")).state).toBe("succeeded");
    const literal = reading(`String text = read_string("${box.path("folder/open.txt")}")`);
    await box.write("flow.zip", zipOf({ "main.wdl": literal }));
    expect((await runOnHost(box, "flow.zip", "--files", "folder")).outputs).toEqual({ "wf.out": "open" });
  });

  it("read what their own tasks made, reused or not", async () => {
    const text = reading(
      'call show { input: file = "own.txt" }  call show as again { input: file = write_lines([show.said]) }  String text = again.said',
    );
    await box.write("flow.zip", zipOf({ "main.wdl": text, "own.txt": "own" }));
    expect(await counts(box, "flow.zip")).toBe("0 reused, 2 computed");
    expect(await counts(box, "flow.zip")).toBe("2 reused, 0 computed");
  });

  it("do not take a text for a file that was given", async () => {
    await box.write(
      "flow.zip",
      zipOf({ "main.wdl": reading("String text = read_string(select_first([name]))") }),
    );
    const { code, err } = await box.run("run", "flow.zip", `name=${box.path("secret.txt")}`, ...words);
    expect([code, err]).toEqual([3, expect.stringContaining("outside the folders that this run may read")]);
  });

  it("in CWL read an index next to a file that was given, and nothing else there", async () => {
    const tool = (pattern: string) => `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [ls]
arguments: [$(inputs.f.dirname)]
inputs: {f: {type: File, secondaryFiles: [{pattern: '${pattern}', required: true}]}}
stdout: out.txt
outputs: {out: stdout}
`;
    for (const name of ["x.bam", "x.bam.bai", "x.dict"]) await box.write(`data/${name}`, "x");
    const run = async (pattern: string) => {
      await box.write("flow.zip", zipOf({ "main.cwl": tool(pattern) }));
      return box.run("run", "flow.zip", "f=data/x.bam", ...words);
    };
    for (const pattern of [".bai", "^.dict"]) expect((await run(pattern)).code, pattern).toBe(0);
    const other = await run("../../secret.txt");
    expect([other.code, other.out + other.err]).toEqual([3, expect.not.stringContaining("x.bam.bai")]);
    const made = await run(
      '$({class: "File", location: "file://SECRET"})'.replace("SECRET", box.path("secret.txt")),
    );
    expect(made.code).not.toBe(0);
  });

  it("from a server name no local files", async () => {
    const texts: Record<string, string> = {
      "/import.wdl": main.replace("tasks/echo.wdl", `file://${box.path("secret.wdl")}`),
      "/read.wdl": reading(`String text = read_string("${box.path("secret.txt")}")`),
    };
    await box.write("secret.wdl", echo);
    const server = createServer((request, response) => void response.end(texts[request.url ?? ""]));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    try {
      const { port } = server.address() as AddressInfo;
      const ended = await Promise.all(
        Object.keys(texts).map((name) => box.run("run", `http://127.0.0.1:${port}${name}`, "n=1", ...words)),
      );
      expect(ended.map(({ code }) => code)).toEqual([3, 3]);
      expect(ended.map(({ out, err }) => out + err).join("\n")).not.toContain("the secret");
    } finally {
      server.close();
    }
  });

  it("that are the user's own read what the user may read", async () => {
    await box.write("own.wdl", reading(`String text = read_string("${box.path("folder/link.txt")}")`));
    expect((await runOnHost(box, "own.wdl")).outputs).toEqual({ "wf.out": "the secret" });
  });
});

describe("inputs", () => {
  beforeEach(async () => {
    await box.write(
      "wf.wdl",
      `${echo}workflow wf { input { Int n } call echo { input: n = n } output { Int out = echo.out } }`,
    );
  });

  it("that are not JSON are shown with their position", async () => {
    await box.write("in.json", '{\n  "wf.n": 1,,\n}\n');
    const { code, err } = await box.run("run", "wf.wdl", "-i", "in.json");
    expect(code).toBe(3);
    expect(err).toMatch(/in\.json:2:\d+: error/);
    expect(err).toContain("^");
  });

  it("that are not YAML are shown with their position", async () => {
    await box.write("in.yaml", "wf.n: [1\nb: }\n");
    const { code, err } = await box.run("run", "wf.wdl", "-i", "in.yaml");
    expect(code).toBe(3);
    expect(err).toMatch(/in\.yaml:\d:\d+: error/);
  });

  it("beyond 2^53 stay exact, in files and in words", async () => {
    await box.write("in.json", '{"n": 9007199254740993}');
    const { out } = await box.run("run", "wf.wdl", "-i", "in.json", ...onHost, "--json");
    expect(out).toContain('"wf.out": 9007199254740993\n');
    expect(await counts(box, "wf.wdl", "n=9007199254740993")).toBe("1 reused, 0 computed");
  });
});
