import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshAsk } from "../../../../kernel/index.ts";
import type { TaskCall } from "../../../../task/index.ts";
import { readInputs } from "../../run/read-inputs.ts";
import { folderFiles } from "../../run/testing/process-host.ts";
import { targetOf } from "../../run/testing/run-text.ts";
import { ValueBounds } from "../../values/limits.ts";
import { prepareTask } from "./prepare-task.ts";
import { planTask } from "./task-plan.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-task-"));
  for (const name of ["one", "two"]) {
    await mkdir(join(folder, name));
    for (const file of ["a.bam", "a.bai", "b.txt"]) await writeFile(join(folder, name, file), file);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function callOf(source: string, inputs: Readonly<Record<string, unknown>> = {}): Promise<TaskCall> {
  const target = await targetOf({ "main.wdl": source }, undefined);
  if (target.kind !== "task") throw new Error("expected a task");
  const { tree, diagnostics } = await readInputs(target, { values: inputs, baseDir: folder }, {});
  expect(diagnostics).toEqual([]);
  const prepared = await prepareTask(
    {
      plan: planTask(target),
      path: "t",
      given: tree.values,
      overrides: tree.attributes,
      host: folderFiles(join(folder, "scratch")),
      folders: [folder],
      bounds: new ValueBounds(),
    },
    freshAsk(),
  );
  return prepared.call;
}

/** What decides the result: everything but resources, retries, time limits and the call's own place. */
function deciding(call: TaskCall): unknown {
  const { resources: _1, maxRetries: _2, timeoutMs: _3, path: _4, inputs, ...rest } = call;
  return { ...rest, inputs: inputs.map((input) => input.path) };
}

const base = `version 1.2
task t {
  input {
    String who = "Ann"
    Int times = 2
    File? table
  }
  command <<<
    echo ~{who} ~{times} > out.txt
  >>>
  output {
    File out = "out.txt"
    Int count = length(read_lines(stdout())) + times
  }
}`;

describe("the call of a task", () => {
  it("has the rendered command, dedented, and its outputs as rules", async () => {
    const call = await callOf(base);
    expect(call.command.trim()).toBe("echo Ann 2 > out.txt");
    expect(call.command).not.toMatch(/^ /m);
    expect(call.outputRules).toEqual([
      { name: "out", type: "file", from: { kind: "path", path: "out.txt" } },
      {
        name: "count",
        type: "int",
        from: {
          kind: "expression",
          language: "wdl 1.2",
          text: "length(read_lines(stdout())) + times",
          facts: { times: { int: "2" } },
        },
      },
    ]);
    expect(call).toMatchObject({
      name: "t",
      language: "wdl",
      shell: ["/bin/bash"],
      images: [],
      maxRetries: 0,
    });
    expect(call.resources).toEqual({ cpu: 1, memoryBytes: 2 * 1024 ** 3, gpu: 0 });
    expect(call.cachePolicy).toEqual({ kind: "reusable" });
  });

  it.each<[string, string, Readonly<Record<string, unknown>>?]>([
    ["comments, spaces and line breaks", base.replace("Int times = 2", "# a comment\n\n  Int   times=2 ")],
    [
      "quotes and spaces of output expressions",
      base.replace('"out.txt"\n    Int', "'out.txt'\n    Int").replace(" + times", "+times"),
    ],
    ["meta sections", base.replace("task t {", 'task t { meta { author: "x" } parameter_meta { who: "y" }')],
    [
      "resources",
      base.replace("task t {", 'task t { requirements { cpu: 7 memory: "9 GB" disks: 3 max_retries: 4 }'),
    ],
    ["re-indented commands", base.replace(/^ {4}echo/m, "          echo")],
    ["a default that is given explicitly", base, { who: "Ann", times: 2 }],
    ["None for a default", base, { who: null }],
    [
      "an input that reaches nothing",
      base.replace("String who", "String unused = 'x'\n    String who"),
      { unused: "y" },
    ],
    ["a file that reaches nothing", base, { table: "one/b.txt" }],
    [
      "a declaration that reaches nothing",
      base.replace("command", 'Array[String] extra = read_lines(write_lines(["x"]))\n  command'),
    ],
  ])("does not change with %s", async (_, source, inputs) => {
    expect(deciding(await callOf(source, inputs))).toEqual(deciding(await callOf(base)));
  });

  it.each<[string, string, Readonly<Record<string, unknown>>?]>([
    ["an input that the command shows", base, { who: "Bob" }],
    ["an input that only an output shows", base.replace("~{times} ", ""), { times: 3 }],
    ["an output's expression", base.replace("+ times", "- times")],
    ["an output's type", base.replace("Int count", "Float count")],
    ["an output's name", base.replace("Int count", "Int number")],
    ["another output", base.replace("Int count", 'File? more = "more.txt"\n    Int count')],
    ["accepted exit codes", base.replace("task t {", "task t { requirements { return_codes: [0, 1] }")],
    ["the image", base.replace("task t {", 'task t { requirements { container: "ubuntu:24.04" }')],
    ["exported variables", base.replace("String who", "env String who")],
  ])("changes with %s", async (_, source, inputs) => {
    const one = base.replace(source.includes("~{times}") ? "" : "~{times} ", "");
    expect(deciding(await callOf(source, inputs))).not.toEqual(deciding(await callOf(one)));
  });
});

describe("staged inputs", () => {
  const two = `version 1.1
task t {
  input { File bam File bai File other }
  command { cat ~{bam} ~{bai} ~{other} ~{write_lines([basename(bam)])} }
  output { String s = read_string(stdout()) }
}`;

  it("keep files of one folder side by side and never show where they came from", async () => {
    const call = await callOf(two, { bam: "one/a.bam", bai: "one/a.bai", other: "two/b.txt" });
    expect(call.inputs.map((input) => input.path)).toEqual([
      "/mnt/memoir/inputs/0/a.bam",
      "/mnt/memoir/inputs/0/a.bai",
      "/mnt/memoir/inputs/1/b.txt",
    ]);
    expect(call.command).not.toContain(folder);
    expect(call.literalFiles).toHaveLength(1);
    expect(call.literalFiles[0]?.content).toBe("a.bam\n");
    expect(call.command).toContain(call.literalFiles[0]?.path);
    const moved = await callOf(two, { bam: "two/a.bam", bai: "two/a.bai", other: "one/b.txt" });
    expect(deciding(moved)).toEqual(deciding(call));
  });

  it("give files of equal names from different folders different places", async () => {
    const call = await callOf(two, { bam: "one/a.bam", bai: "two/a.bam", other: "one/b.txt" });
    expect(call.inputs.map((input) => input.path)).toEqual([
      "/mnt/memoir/inputs/0/a.bam",
      "/mnt/memoir/inputs/1/a.bam",
      "/mnt/memoir/inputs/0/b.txt",
    ]);
  });

  it("take directories as a whole", async () => {
    const call = await callOf(
      "version 1.2\ntask t { input { Directory d } command { ls ~{d} } output { String s = read_string(stdout()) } }",
      { d: "one/" },
    );
    expect(call.inputs).toMatchObject([
      { path: "/mnt/memoir/inputs/0/one", source: { kind: "directory", basename: "one" } },
    ]);
  });

  it("put together a directory that the inputs list piece by piece", async () => {
    const call = await callOf(
      "version 1.2\ntask t { input { Directory d } command { ls ~{d} } output { String s = read_string(stdout()) } }",
      {
        d: {
          basename: "mixed",
          listing: [
            { type: "File", location: join(folder, "one/a.bam"), basename: "x.bam" },
            {
              type: "Directory",
              basename: "sub",
              listing: [{ type: "File", location: join(folder, "two/b.txt") }],
            },
          ],
        },
      },
    );
    expect(call.inputs[0]?.path).toBe("/mnt/memoir/inputs/0/mixed");
  });
});

describe("disks", () => {
  const disks = (words: string, version = "1.2") =>
    callOf(
      `version ${version}\ntask t { command { ls /mnt/outputs /cromwell_root } output { File o = "o" } ${version === "1.2" ? "requirements" : "runtime"} { disks: ${words} } }`,
    );

  it("with mount points are folders of the call, and their places are part of what decides it", async () => {
    const call = await disks('["2", "/mnt/outputs/ 4 GiB", "/mnt/tmp 1 GiB"]');
    expect(call.disks).toEqual([
      { path: "/mnt/outputs", needed: true },
      { path: "/mnt/tmp", needed: false },
    ]);
    expect(call.resources.diskBytes).toBe(7 * 1024 ** 3);
    expect(call.extraKey).toEqual({ mounts: ["/mnt/outputs", "/mnt/tmp"] });
    expect(deciding(await disks('["/mnt/tmp 3", "/mnt/outputs 9 TB"]'))).toMatchObject({
      extraKey: call.extraKey,
    });
  });

  it("without mount points leave no trace", async () => {
    for (const words of ["10", '"10 GiB"', '"local-disk 10 SSD"']) {
      const call = await disks(words);
      expect([call.disks, call.extraKey]).toEqual([undefined, undefined]);
    }
  });

  it("were advice before 1.1", async () => {
    expect((await disks('"/cromwell_root 10 HDD"', "1.0")).disks).toEqual([
      { path: "/cromwell_root", needed: false },
    ]);
  });

  it.each(["/", "/mnt", "/mnt/memoir", "/mnt/memoir/work/x", "/proc", "/mnt/x/../memoir"])(
    "cannot be mounted at %s",
    async (place) => {
      await expect(disks(`"${place} 1 GiB"`)).rejects.toThrow("which is taken");
    },
  );
});

describe("attributes", () => {
  async function withRuntime(lines: string): Promise<TaskCall> {
    return callOf(`version 1.0\ntask t { command { true } runtime { ${lines} } }`);
  }

  it.each<[string, Partial<TaskCall>]>([
    ['docker: "ubuntu:22.04"', { images: ["ubuntu:22.04"] }],
    ['container: ["docker://a/b:1", "c"]', { images: ["a/b:1", "c"] }],
    ['memory: "4 GiB" cpu: "2"', { resources: { cpu: 2, memoryBytes: 4 * 1024 ** 3, gpu: 0 } }],
    ['memory: "1.5G"', { resources: { cpu: 1, memoryBytes: 1_500_000_000, gpu: 0 } }],
    ["memory: 1000", { resources: { cpu: 1, memoryBytes: 1000, gpu: 0 } }],
    [
      'disks: "local-disk 10 SSD"',
      { resources: { cpu: 1, memoryBytes: 2 ** 31, gpu: 0, diskBytes: 10 * 2 ** 30 } },
    ],
    [
      'disks: "/mnt/x 2 GB, /mnt/y 1"',
      { resources: { cpu: 1, memoryBytes: 2 ** 31, gpu: 0, diskBytes: 2e9 + 2 ** 30 } },
    ],
    [
      'acceleratorType: "nvidia-tesla-t4" acceleratorCount: 2 gpuCount: 1',
      { resources: { cpu: 1, memoryBytes: 2 ** 31, gpu: 2 } },
    ],
    ["gpu: true", { resources: { cpu: 1, memoryBytes: 2 ** 31, gpu: 1 } }],
    ["maxRetries: 3 preemptible: 2", { maxRetries: 3 }],
    ["returnCodes: [0, 3]", { acceptedExit: { kind: "codes", codes: [0, 3] } }],
    ['returnCodes: "*"', { acceptedExit: { kind: "any" } }],
    ["continueOnReturnCode: true", { acceptedExit: { kind: "any" } }],
    ["omicsTimeout: 130", { timeoutMs: 120_000 }],
    ["time_minutes: 5", { timeoutMs: 300_000 }],
    ["failOnStderr: true", { extraKey: { failOnStderr: true } }],
    ["cacheable: false", { cachePolicy: { kind: "never", reason: "the hint cacheable is false" } }],
    ['zones: "us-east1-b" noAddress: true unknown: 1', { images: [] }],
  ])("%s", async (lines, expected) => {
    expect(await withRuntime(lines)).toMatchObject(expected);
  });

  it("from the inputs win over the document's", async () => {
    const call = await callOf('version 1.1\ntask t { command { true } runtime { container: "a" cpu: 1 } }', {
      "t.runtime.container": "b",
      "t.runtime.cpu": 3,
    });
    expect(call).toMatchObject({ images: ["b"], resources: { cpu: 3 } });
  });

  it("say what is wrong with a value", async () => {
    await expect(withRuntime('memory: "much"')).rejects.toThrow(
      /the attribute "memory" is String "much", expected bytes/,
    );
  });

  it("meta volatile keeps results out of caches", async () => {
    const call = await callOf("version 1.0\ntask t { command { date } meta { volatile: true } }");
    expect(call.cachePolicy).toEqual({ kind: "never", reason: "meta says volatile: true" });
  });
});

describe("output rules", () => {
  it.each([
    ['File x = "~{who}.txt"', { kind: "path", path: "Ann.txt" }],
    ['File x = sub("a.bam", "bam", "bai")', { kind: "path", path: "a.bai" }],
    ['Array[File] x = glob("~{who}*.txt")', { kind: "glob", pattern: "Ann*.txt" }],
    ["File x = stdout()", { kind: "stdout" }],
    ["File? x = stderr()", { kind: "stderr" }],
  ])("%s needs no expression", async (output, from) => {
    const source = `version 1.2\ntask t { input { String who = "Ann" } command { true } output { ${output} } }`;
    expect((await callOf(source)).outputRules[0]?.from).toEqual(from);
  });

  it("take in what a choice of an enum stands for and what members a struct has", async () => {
    const source = (value: string) => `version 1.3
enum Color { red = "${value}" }
struct P { String s Float f }
task t { command { true } output { P p = P { s: value(Color.red), f: 1 } } }`;
    const [one, two] = await Promise.all([callOf(source("r")), callOf(source("g"))]);
    expect(one?.outputRules).not.toEqual(two?.outputRules);
    expect(one?.outputRules[0]?.from).toMatchObject({
      facts: { "enum Color": [["red", '"r"']], "struct P": "record{s:string,f:float}" },
    });
  });

  it("take in only those members of the task variable that they look at", async () => {
    const call = await callOf(
      "version 1.2\ntask t { command { true } output { Int m = task.memory Int c = task.return_code } }",
    );
    expect(
      call.outputRules.map((rule) => (rule.from.kind === "expression" ? rule.from.facts : undefined)),
    ).toEqual([{ "task.memory": { int: String(2 ** 31) } }, {}]);
  });
});
