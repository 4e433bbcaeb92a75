/** `memoir cwl-runner`: one object on standard output, outputs in one folder, exit codes that other programs know. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
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

describe("outputs", () => {
  it("are brought to --outdir and told with size and checksum", async () => {
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
    expect(err).toMatch(/outside of the task|is not there/);
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
    expect(err).toContain("outside of the task");
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

describe("exit codes", () => {
  it("tell what is legal and not supported: 33", async () => {
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

  it("tell failures of tools and of documents", async () => {
    await box.write("fails.cwl", hello.replace("baseCommand: echo", "baseCommand: 'false'"));
    await box.write("job.json", '{"word": "hi"}');
    expect((await box.run("cwl-runner", "--no-container", "fails.cwl", "job.json")).code).toBe(1);
    await box.write("wrong.cwl", "cwlVersion: v1.2\nclass: Tool\n");
    expect((await box.run("cwl-runner", "wrong.cwl")).code).toBe(3);
    expect(existsSync(join(box.folder, "out.txt"))).toBe(false);
  });
});
