/** `memoir cwl-runner`: one object on standard output, outputs in one folder, exit codes that other programs know. */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

interface FileObject {
  readonly class: string;
  readonly path: string;
  readonly basename: string;
  readonly size?: number;
  readonly checksum?: string;
  readonly secondaryFiles?: readonly FileObject[];
  readonly listing?: readonly FileObject[];
}

async function outputs<T>(...words: readonly string[]): Promise<T> {
  const { code, out, err } = await box.run("cwl-runner", "--no-container", "--quiet", ...words);
  if (code !== 0) throw new Error(`ended with ${code}:\n${err}`);
  return JSON.parse(out) as T;
}

const hello = `cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
stdout: out.txt
inputs: {word: {type: string, inputBinding: {}}}
outputs: {out: stdout}
`;

describe("a process and its job", () => {
  it("may be named by file: addresses, also where a job names its tool", async () => {
    await box.write("hello.cwl", hello);
    await box.write("job.json", '{"word": "hi", "https://w3id.org/cwl/cwl#requirements": []}');
    const address = `file://${box.path("hello.cwl")}`;
    const ended = await box.run("cwl-runner", "--no-container", address, `file:${box.path("job.json")}`);
    expect([ended.code, ended.err]).toEqual([0, expect.not.stringContaining("warning")]);
    await box.write("own.json", JSON.stringify({ word: "hi", "cwl:tool": address }));
    await outputs<{ out: FileObject }>("own.json");
    await box.write("own.json", JSON.stringify({ "cwl:tool": "file:///none/%zz.cwl" }));
    const missing = await box.run("cwl-runner", "own.json");
    expect([missing.code, missing.err]).toEqual([3, expect.stringContaining("there is no such file")]);
  });

  it.each([
    ["$mixin: other.yml", /\$mixin, which Memoir does not support/],
    ["$import: a.yml\nlabel: x", /\$import, which has to be the only field of its object/],
  ])("with %s are refused instead of read without it", async (directive, message) => {
    await box.write("d.cwl", `${hello}${directive}\n`);
    const ended = await box.run("check", "d.cwl");
    expect([ended.code, ended.out + ended.err]).toEqual([3, expect.stringMatching(message)]);
  });

  it("that fail are reported once", async () => {
    const fails = `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, "echo broken >&2; exit 7"]
inputs: []
outputs: []
`;
    await box.write("f.cwl", fails);
    const { code, err } = await box.run("cwl-runner", "--no-container", "f.cwl");
    expect([code, err.match(/exit code 7/g), err.match(/broken/g)]).toEqual([1, ["exit code 7"], ["broken"]]);
  });
});

describe("outputs", () => {
  it("are folders with nothing in them but the result", async () => {
    await box.write(
      "d.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, "mkdir d; echo new > d/x"]
inputs: []
outputs: {d: {type: Directory, outputBinding: {glob: d}}}
`,
    );
    await mkdir(box.path("results/d"), { recursive: true });
    await box.write("results/d/stray", "mine");
    const ended = await box.run("cwl-runner", "--no-container", "--outdir", "results", "d.cwl");
    expect(ended.err).toContain(box.path("results/d.previous"));
    const first = JSON.parse(ended.out) as { d: FileObject };
    const second = await outputs<{ d: FileObject }>("--outdir", "results", "d.cwl");
    for (const { d } of [first, second]) expect(d.listing?.map((each) => each.basename)).toEqual(["x"]);
    expect((await readdir(box.path("results"))).sort()).toEqual(["d", "d.previous"]);
    expect(await box.read("results/d.previous/stray")).toBe("mine");
  });

  it("do not replace an input", async () => {
    await box.write(
      "i.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, 'cat "$0"; echo new']
stdout: x.txt
inputs: {i: {type: File, inputBinding: {}}}
outputs: {out: stdout}
`,
    );
    await box.write("x.txt", "mine\n");
    const refused = await box.run("cwl-runner", "--no-container", "i.cwl", "--i", "x.txt");
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain("OUTPUT_OVER_INPUT");
    expect(refused.err).toContain("--outdir");
    expect(await box.read("x.txt")).toBe("mine\n");
    const { out } = await outputs<{ out: FileObject }>("--outdir", "results", "i.cwl", "--i", "x.txt");
    expect(await readFile(out.path, "utf8")).toBe("mine\nnew\n");
  });

  it("are brought to --outdir and listed with size and checksum", async () => {
    await box.write("hello.cwl", hello);
    await box.write("job.json", '{"word": "hi"}');
    const { out } = await outputs<{ out: FileObject }>("--outdir", "results", "hello.cwl", "job.json");
    expect(out.path).toBe(join(box.folder, "results/out.txt"));
    expect(await readFile(out.path, "utf8")).toBe("hi\n");
    expect(out).toMatchObject({
      class: "File",
      basename: "out.txt",
      size: 3,
      checksum: "sha1$55ca6286e3e4f4fba5d0448333fa99fc5a404a73",
    });
  });

  it("of one name are all kept", async () => {
    await box.write(
      "w.cwl",
      `cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}}
inputs: {words: {type: 'string[]', default: [a, b, c]}}
steps:
  say: {run: hello.cwl, scatter: word, in: {word: words}, out: [out]}
outputs: {out: {type: 'File[]', outputSource: say/out}}
`,
    );
    await box.write("hello.cwl", hello);
    const { out } = await outputs<{ out: readonly FileObject[] }>("--outdir", "results", "w.cwl");
    expect(await Promise.all(out.map((each) => readFile(each.path, "utf8")))).toEqual(["a\n", "b\n", "c\n"]);
  });

  it("carry secondary files and listings", async () => {
    await box.write(
      "t.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, 'echo x > x.bam; echo i > x.bam.bai; mkdir -p d/e; echo y > d/e/y.txt']
inputs: {}
outputs:
  bam: {type: File, secondaryFiles: [.bai], outputBinding: {glob: '*.bam'}}
  folder: {type: Directory, outputBinding: {glob: d}}
`,
    );
    const { bam, folder } = await outputs<{ bam: FileObject; folder: FileObject }>("t.cwl");
    expect(bam.secondaryFiles?.map((each) => each.basename)).toEqual(["x.bam.bai"]);
    expect(folder.listing?.[0]?.listing?.[0]?.basename).toBe("y.txt");
  });

  it("that the tool writes itself replace the bindings", async () => {
    await box.write(
      "t.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, 'echo x > x.txt; echo "{\\"n\\": 7, \\"file\\": {\\"class\\": \\"File\\", \\"path\\": \\"x.txt\\"}}" > cwl.output.json']
inputs: {}
outputs: {n: int, file: File}
`,
    );
    expect(await outputs("t.cwl")).toMatchObject({ n: 7, file: { basename: "x.txt", size: 2 } });
  });

  it.each([
    ["a path that leads out of the output directory", "../../../../../../etc/passwd"],
    ["an absolute path elsewhere", "/etc/passwd"],
  ])("never are files of elsewhere: %s", async (_, path) => {
    await box.write(
      "t.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, 'echo "{\\"file\\": {\\"class\\": \\"File\\", \\"path\\": \\"${path}\\"}}" > cwl.output.json']
inputs: {}
outputs: {file: File}
`,
    );
    const { code, err } = await box.run("cwl-runner", "--no-container", "t.cwl");
    expect(code).toBe(1);
    expect(err).toMatch(/outside the task|does not exist/);
  });

  it("never are what a link of the tool leads to", async () => {
    await box.write(
      "t.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [ln, -s, /etc/passwd, out.txt]
inputs: {}
outputs: {file: {type: File, outputBinding: {glob: out.txt}}}
`,
    );
    const { code, err } = await box.run("cwl-runner", "--no-container", "t.cwl");
    expect(code).toBe(1);
    expect(err).toContain("outside the task");
  });
});

describe("calls", () => {
  it("take a process by its fragment, and a job that names its tool", async () => {
    await box.write(
      "packed.cwl",
      `cwlVersion: v1.2
$graph:
  - id: one
    class: CommandLineTool
    baseCommand: [echo, one]
    stdout: one.txt
    inputs: {}
    outputs: {out: stdout}
  - id: two
    class: CommandLineTool
    baseCommand: [echo, two]
    stdout: two.txt
    inputs: {}
    outputs: {out: stdout}
`,
    );
    await box.write("job.yml", 'cwl:tool: "packed.cwl#two"\n');
    expect(await outputs("packed.cwl#one")).toMatchObject({ out: { basename: "one.txt" } });
    expect(await outputs("job.yml")).toMatchObject({ out: { basename: "two.txt" } });
  });

  it("reuse results when they are given a cache", async () => {
    await box.write("t.cwl", hello.replace("baseCommand: echo", "baseCommand: [sh, -c, 'date +%s%N', echo]"));
    await box.write("job.json", '{"word": "hi"}');
    const one = await outputs<{ out: FileObject }>("--cache", "./cache", "t.cwl", "job.json");
    const two = await outputs<{ out: FileObject }>("--cache", "./cache", "t.cwl", "job.json");
    const other = await outputs<{ out: FileObject }>("t.cwl", "job.json");
    expect(two.out.checksum).toBe(one.out.checksum);
    expect(other.out.checksum).not.toBe(one.out.checksum);
  });
});

describe("inputs as flags", () => {
  const tool = `cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
stdout: out.txt
inputs:
  word: {type: string, inputBinding: {position: 1}}
  my_count: {type: int?, inputBinding: {position: 2}}
  loud: {type: boolean?, inputBinding: {position: 3, prefix: --loud}}
  item: {type: 'string[]?', inputBinding: {position: 4}}
  f: {type: File?, inputBinding: {position: 5, valueFrom: $(self.basename)}}
  outdir: {type: string?, inputBinding: {position: 6}}
outputs: {out: stdout}
`;
  const text = async (...words: readonly string[]) => {
    const { out } = await outputs<{ out: FileObject }>("--outdir", "results", ...words);
    return (await readFile(out.path, "utf8")).trim();
  };

  it("stand after the process, alone or above a job", async () => {
    await box.write("t.cwl", tool);
    await box.write("job", "word: from the job\nmy_count: 1\n");
    const flags = ["--my_count", "3", "--loud", "--item", "1", "--item", "b", "-f", "t.cwl"];
    expect(await text("t.cwl", "--word", "hi", ...flags)).toBe("hi 3 --loud 1 b t.cwl");
    expect(await text("t.cwl", "job", ...flags)).toBe("from the job 3 --loud 1 b t.cwl");
    expect(await text("t.cwl", "--word=hi", "--loud", "false")).toBe("hi");
  });

  it("may have the names of the runner's own after --", async () => {
    await box.write("t.cwl", tool);
    const twofold = await box.run("cwl-runner", "t.cwl", "--word", "hi", "--outdir", "x");
    expect([twofold.code, twofold.err]).toEqual([
      2,
      expect.stringContaining("--outdir is an input and a flag"),
    ]);
    expect(await text("t.cwl", "--", "--word", "hi", "--outdir", "x")).toBe("hi x");
  });

  it("that nobody knows are reported with those that the process takes", async () => {
    await box.write("t.cwl", tool);
    const { code, err } = await box.run("cwl-runner", "t.cwl", "--wort", "hi");
    expect(code).toBe(2);
    expect(err).toMatch(/no input wort; did you mean word\?.*--word <string>.*\[--my_count <int\?>\]/);
    const before = await box.run("cwl-runner", "--wort", "t.cwl");
    expect([before.code, before.err]).toEqual([2, expect.stringContaining("unknown option '--wort'")]);
    expect((await box.run("cwl-runner")).code).toBe(2);
  });
});

describe("flags of other runners", () => {
  it("that ask for what is done anyway are accepted", async () => {
    await box.write("t.cwl", hello);
    const flags =
      "--parallel --strict --debug --verbose --timestamps --disable-color --enable-dev --enable-pull --rm-container --rm-tmpdir --move-outputs --compute-checksum --relax-path-checks";
    const found = await outputs(...flags.split(" "), "--outdir=out", "t.cwl", "--word", "hi");
    expect(found).toMatchObject({ out: { basename: "out.txt" } });
  });

  it("--version and --basedir are supported, and temporary folders are created where an option says", async () => {
    expect((await box.run("cwl-runner", "--version")).out).toMatch(/^memoir \d+\.\d+\.\d+\n$/);
    await box.write(
      "t.cwl",
      hello.replace("type: string", "type: File").replace("baseCommand: echo", "baseCommand: cat"),
    );
    await mkdir(join(box.folder, "data/deep"), { recursive: true });
    await mkdir(join(box.folder, "jobs"));
    await box.write("data/x.txt", "here\n");
    await box.write("jobs/job.yml", "word: {class: File, path: x.txt}\n");
    expect((await box.run("cwl-runner", "t.cwl", "jobs/job.yml")).code).toBe(3);
    await outputs("--basedir", "data", "--outdir", "out", "t.cwl", "jobs/job.yml");
    expect(await readFile(join(box.folder, "out/out.txt"), "utf8")).toBe("here\n");
    await box.write("where.cwl", hello.replace("baseCommand: echo", "baseCommand: [sh, -c, pwd]"));
    for (const flag of ["--tmpdir-prefix", "--tmp-outdir-prefix"]) {
      await outputs(flag, "scratch/run-", "--outdir", "out", "where.cwl", "--word", "x");
      expect(await readFile(join(box.folder, "out/out.txt"), "utf8")).toContain(
        join(box.folder, "scratch/run-"),
      );
    }
    expect(await readdir(join(box.folder, "scratch"))).toEqual([]);
  });

  it("--cachedir keeps results, --on-error continues, --non-strict accepts unknown fields", async () => {
    await box.write("t.cwl", hello.replace("baseCommand: echo", "baseCommand: [sh, -c, 'date +%s%N', echo]"));
    const flags = ["--cachedir", "kept", "--outdir", "out", "t.cwl", "--word", "hi"];
    const one = await outputs<{ out: FileObject }>(...flags);
    expect((await outputs<{ out: FileObject }>(...flags)).out.checksum).toBe(one.out.checksum);
    await box.write("strange.cwl", `${hello}strange: 1\n`);
    expect((await box.run("cwl-runner", "strange.cwl", "--word", "x")).code).toBe(3);
    await outputs("--non-strict", "--outdir", "out", "strange.cwl", "--word", "x");
    // The run knows of the failure before the other step ends.
    const known = `grep -qsr --include=events.jsonl call.failed ${box.folder}/runs-*`;
    await box.write(
      "w.cwl",
      `cwlVersion: v1.2
class: Workflow
inputs: {}
steps:
  bad: {run: {class: CommandLineTool, baseCommand: 'false', inputs: {}, outputs: {}}, in: {}, out: []}
  late: {run: {class: CommandLineTool, baseCommand: [sh, -c, 'until ${known}; do sleep 0.05; done; echo x > x'], inputs: {}, outputs: {x: {type: File, outputBinding: {glob: x}}}}, in: {}, out: [x]}
  later: {run: {class: CommandLineTool, baseCommand: [touch, ${join(box.folder, "went-on")}], inputs: {x: File}, outputs: {}}, in: {x: late/x}, out: []}
outputs: {}
`,
    );
    const words = ["--no-container", "--tmpdir-prefix", box.path("runs-"), "w.cwl"];
    expect((await box.run("cwl-runner", "--on-error", "stop", ...words)).code).toBe(1);
    expect(existsSync(join(box.folder, "went-on"))).toBe(false);
    expect((await box.run("cwl-runner", "--on-error", "continue", ...words)).code).toBe(1);
    expect(existsSync(join(box.folder, "went-on"))).toBe(true);
  });

  it("a job that cannot be read, and names a tool, is reported with its position", async () => {
    await box.write("job.yml", "cwl:tool: t.cwl\nword: [\n");
    const broken = await box.run("cwl-runner", "job.yml");
    expect([broken.code, broken.err]).toEqual([3, expect.stringContaining("job.yml:")]);
    await box.write("deep.yml", `cwl:tool: t.cwl\nword: ${"[".repeat(20_000)}\n`);
    expect((await box.run("cwl-runner", "deep.yml")).code).toBe(3);
    const laughs = Array.from(
      { length: 9 },
      (_, i) =>
        `a${i}: &a${i} [${
          i === 0
            ? "x"
            : Array(10)
                .fill(`*a${i - 1}`)
                .join(", ")
        }]`,
    );
    await box.write("laughs.yml", `cwl:tool: t.cwl\n${laughs.join("\n")}\n`);
    expect((await box.run("cwl-runner", "laughs.yml")).code).toBe(3);
  });
});

describe("exit codes", () => {
  it("show what is legal and not supported: 33", async () => {
    await box.write(
      "docker.cwl",
      hello.replace("baseCommand", "requirements: {DockerRequirement: {dockerPull: alpine}}\nbaseCommand"),
    );
    await box.write("job.json", '{"word": "hi"}');
    const { code, out, err } = await box.run("cwl-runner", "--no-container", "docker.cwl", "job.json");
    expect([code, out]).toEqual([33, ""]);
    expect(err).toContain("container");
    await box.write("operation.cwl", "cwlVersion: v1.2\nclass: Operation\ninputs: {}\noutputs: {n: int}\n");
    expect((await box.run("cwl-runner", "operation.cwl")).code).toBe(33);
  });

  it("show failures of tools and of documents", async () => {
    await box.write("fails.cwl", hello.replace("baseCommand: echo", "baseCommand: 'false'"));
    await box.write("job.json", '{"word": "hi"}');
    expect((await box.run("cwl-runner", "--no-container", "fails.cwl", "job.json")).code).toBe(1);
    await box.write("wrong.cwl", "cwlVersion: v1.2\nclass: Tool\n");
    expect((await box.run("cwl-runner", "wrong.cwl")).code).toBe(3);
    expect(existsSync(join(box.folder, "out.txt"))).toBe(false);
  });
});
