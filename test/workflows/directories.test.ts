/**
 * Folders and files as tasks see them: names of any bytes, links, execute bits, and what is not a regular file. Through the
 * real command line on the host, with and without a cache.
 */
import { execFileSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { counts, onHost, runOnHost, Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

const latin1 = (path: string) => Buffer.from(path, "latin1");

const reads = `version 1.2
task t { input { Directory d } command <<< cd ~{d}; find . -type f -exec cat {} + >>> output { String s = read_string(stdout()) } }
workflow w { input { Directory d } call t { input: d } output { String s = t.s } }`;

describe("a folder that is an input", () => {
  it("is another one when a file changes whose name is not UTF-8", async () => {
    await box.write("w.wdl", reads);
    await mkdir(box.path("d"));
    await writeFile(latin1(box.path("d/caf\xe9")), "A");
    expect((await runOnHost(box, "w.wdl", "d=d")).outputs["w.s"]).toBe("A");
    await writeFile(latin1(box.path("d/caf\xe9")), "B");
    const again = await runOnHost(box, "w.wdl", "d=d");
    expect(again.outputs["w.s"]).toBe("B");
    expect(await counts(box, "w.wdl", "d=d")).toBe("1 reused, 0 computed");
  });

  it("may hold folders that link to each other many times over", async () => {
    await box.write("w.wdl", reads);
    for (let i = 0; i < 24; i++) await mkdir(box.path(`d/n${i}`), { recursive: true });
    for (let i = 0; i < 23; i++)
      for (const name of ["a", "b"]) await symlink(`../n${i + 1}`, box.path(`d/n${i}/${name}`));
    await writeFile(box.path("d/n23/f"), "once");
    expect((await runOnHost(box, "w.wdl", "d=d")).outputs["w.s"]).toBe("once");
  });

  it("with a pipe in it is refused by name, with and without a cache", async () => {
    await box.write("w.wdl", reads);
    await mkdir(box.path("d/sub"), { recursive: true });
    execFileSync("mkfifo", [box.path("d/sub/p")]);
    for (const cache of [["--no-cache"], onHost.slice(2)]) {
      const { code, err } = await box.run("run", "w.wdl", "d=d", "--executor", "host", ...cache);
      expect(code).toBe(1);
      expect(err).toContain("d/sub/p is a named pipe (FIFO)");
    }
  });
});

it("a tool that looks at execute bits is run again when one changes", async () => {
  await box.write(
    "tool.cwl",
    `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [bash, -c, 'cd "$0"; find . -perm -100 -type f; test -x "$1" && echo one']
inputs:
  d: {type: Directory, inputBinding: {position: 1}}
  f: {type: File, inputBinding: {position: 2}}
outputs: {o: {type: string, outputBinding: {glob: o.txt, loadContents: true, outputEval: "$(self[0].contents)"}}}
successCodes: [0, 1]
stdout: o.txt`,
  );
  await mkdir(box.path("d"));
  await box.write("d/a", "1");
  await box.write("f", "1");
  const answer = async () => (await runOnHost(box, "tool.cwl", "d=d", "f=f")).outputs["o"];
  expect(await answer()).toBe("");
  await chmod(box.path("d/a"), 0o755);
  expect(await answer()).toBe("./a\n");
  await chmod(box.path("f"), 0o755);
  expect(await answer()).toBe("./a\none\n");
});

describe("a folder that is an output", () => {
  const document = `version 1.2
task t {
  command <<<
    mkdir -p o/empty o/sub; cd o
    echo 1 > b; ln -s b a; ln -s nowhere l; ln -s sub s; ln -s .. sub/up
    echo 2 > "$(printf 'caf\\351').txt"; echo 3 > z.txt; printf 'exit 0' > run; chmod +x run
  >>>
  output { Directory o = "o" }
}
task u {
  input { Directory d }
  command <<< cd ~{d}; find . -printf '%P %y %l\\n' | sort | cat -v; find . -type f -perm -100; cat caf* >>>
  output { String s = read_string(stdout()) }
}
workflow w { call t  call u { input: d = t.o }  output { Directory o = t.o  String s = u.s } }`;

  it("is the same for the next task and for the user, with a cache, from a cache and without one", async () => {
    await box.write("w.wdl", document);
    const first = await runOnHost(box, "w.wdl", "--out", "first");
    const second = await runOnHost(box, "w.wdl", "--out", "second");
    const { out } = await box.run(
      "run",
      "w.wdl",
      "--executor",
      "host",
      "--no-cache",
      "--out",
      "third",
      "--json",
    );
    const third = JSON.parse(out) as typeof first;
    expect(second.calls.reused).toBe(2);
    expect(first.outputs["w.s"]).toContain("a l b");
    expect(first.outputs["w.s"]).toContain("l l nowhere");
    expect(first.outputs["w.s"]).toContain("empty d");
    expect(second.outputs["w.s"]).toBe(first.outputs["w.s"]);
    expect(third.outputs["w.s"]).toBe(first.outputs["w.s"]);
    const picture = (folder: string) =>
      execFileSync("sh", [
        "-c",
        'cd "$0/o/o" && find . -printf "%P %y %l\\n" | sort',
        box.path(folder),
      ]).toString("latin1");
    expect(picture("first")).toContain("caf\xe9.txt f");
    expect(picture("second")).toBe(picture("first"));
    expect(picture("third")).toBe(picture("first"));
  });
});

it("patterns find files whose names are not UTF-8, and the next task gets them, in WDL and in CWL", async () => {
  await box.write(
    "g.wdl",
    `version 1.2
task t { command <<< mkdir o; echo 1 > "o/$(printf 'caf\\351').txt"; echo 2 > o/z.txt >>> output { Array[File] g = glob("o/*.txt") } }
task u { input { Array[File] g } command <<< cat ~{sep(" ", g)} >>> output { String s = read_string(stdout()) } }
workflow w { call t  call u { input: g = t.g }  output { Array[File] g = t.g  String s = u.s } }`,
  );
  await box.write(
    "g.cwl",
    `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [bash, -c, 'mkdir o; echo 1 > "o/$(printf "caf\\351").txt"; echo 2 > o/z.txt']
inputs: []
outputs:
  g: {type: "File[]", outputBinding: {glob: "o/*.txt"}}`,
  );
  for (const [document, where] of [
    ["g.wdl", "g/0"],
    ["g.cwl", "g/0"],
  ] as const)
    for (const cache of [["--no-cache"], onHost.slice(2), onHost.slice(2)]) {
      const out = `out-${document}-${cache.length}`;
      const { code, err } = await box.run("run", document, "--executor", "host", ...cache, "--out", out);
      expect(err).not.toContain("failed");
      expect(code).toBe(0);
      const names = execFileSync("find", [box.path(out), "-name", "caf*"]).toString("latin1");
      expect(names).toContain(`${where}/caf\xe9.txt`);
    }
});

describe("what is not a regular file", () => {
  it.each(["d", "g", "f", "r"])("is refused by name as an output: %s", async (which) => {
    await box.write(
      "o.wdl",
      `version 1.2
task t {
  input { String which }
  command <<< mkfifo p; mkdir d; mkfifo d/p >>>
  output {
    File? f = if which == "f" then "p" else "x"
    Directory? d = if which == "d" then "d" else "y"
    Array[File] g = glob(if which == "g" then "*" else "z*")
    String s = if which == "r" then read_string("p") else ""
  }
}`,
    );
    for (const cache of [["--no-cache"], onHost.slice(2)]) {
      const { code, err } = await box.run("run", "o.wdl", `which=${which}`, "--executor", "host", ...cache);
      expect(code).toBe(1);
      expect(err).toContain("p is a named pipe (FIFO)");
    }
  });

  it("is refused by name as an output of a CWL tool", async () => {
    await box.write(
      "o.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [bash, -c, 'mkfifo p; mkdir d; mkfifo d/p']
inputs: []
outputs:
  d: {type: Directory, outputBinding: {glob: d}}`,
    );
    const { code, err } = await box.run("run", "o.cwl", ...onHost);
    expect(code).toBe(1);
    expect(err).toContain("d/p is a named pipe (FIFO)");
  });

  it.each(["pipe", "/dev/zero"])("is refused at once as an input: %s", async (name) => {
    execFileSync("mkfifo", [box.path("pipe")]);
    await box.write(
      "w.wdl",
      `version 1.1
task t { input { File f } command <<< head -c 3 ~{f} | od -c >>> output { String s = read_string(stdout()) } }
workflow w { input { File f  String? path } call t { input: f } output { String s = t.s  String? x = if defined(path) then read_string(select_first([path])) else "" } }`,
    );
    await box.write(
      "t.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
baseCommand: cat
inputs: {f: {type: File, inputBinding: {position: 1}, loadContents: true}}
outputs: {o: stdout}`,
    );
    for (const document of ["w.wdl", "t.cwl"])
      for (const cache of [["--no-cache"], onHost.slice(2)]) {
        const { code, err } = await box.run("run", document, `f=${name}`, "--executor", "host", ...cache);
        expect(code).toBe(3);
        expect(err).toMatch(/is a (named pipe \(FIFO\)|character device)/);
      }
    await box.write("plain", "x");
    const path = name === "pipe" ? box.path("pipe") : name;
    const { code, err } = await box.run("run", "w.wdl", "f=plain", `path=${path}`, ...onHost);
    expect(code).toBe(1);
    expect(err).toMatch(/is a (named pipe \(FIFO\)|character device)/);
  });

  it("is refused as a bundle and bounded as an inputs file", async () => {
    execFileSync("mkfifo", [box.path("w.zip")]);
    const bundle = await box.run("run", "w.zip", ...onHost);
    expect(bundle.code).toBe(3);
    expect(bundle.err).toContain("not a regular file");
    await box.write("w.wdl", reads);
    const inputs = await box.run("run", "w.wdl", "-i", "/dev/zero", ...onHost);
    expect(inputs.code).toBe(3);
    expect(inputs.err).toContain("it has more than 268435456 bytes");
  });
});
