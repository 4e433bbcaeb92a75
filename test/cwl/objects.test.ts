/**
 * File and Directory objects become files: as inputs, in the working directory, as outputs of tools and of runs. Whatever
 * the way, names stand for one thing, secondary files are next to their file, and what a tool changed is what it changed.
 */
import { mkdir, readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onHost, type RunAnswer, Sandbox } from "../workflows/sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

/** The summary, with outputs as the run's own file has them. */
async function run(...words: readonly string[]): Promise<RunAnswer> {
  const answer = await box.json<RunAnswer>("run", ...words, ...onHost);
  return { ...answer, outputs: JSON.parse(await readFile(`${answer.directory}/outputs.json`, "utf8")) };
}
const text = (value: unknown, below = "") => readFile(`${placeOf(value)}${below}`, "utf8");
const placeOf = (value: unknown) =>
  decodeURI(String((value as { location: string }).location)).replace("file://", "");

const passOn = `cwlVersion: v1.2
class: Workflow
inputs: {d: Directory}
steps: {}
outputs: {d: {type: Directory, outputSource: d}}
`;

const listFolder = `cwlVersion: v1.2
class: CommandLineTool
inputs: {d: Directory}
baseCommand: [sh, -c, 'cd "$0" && find . -type f | LC_ALL=C sort']
arguments: [$(inputs.d.path)]
stdout: names.txt
outputs: {names: {type: string, outputBinding: {glob: names.txt, loadContents: true, outputEval: "$(self[0].contents)"}}}
`;

describe("a Directory that is made of words", () => {
  beforeEach(async () => {
    await box.write("pass.cwl", passOn);
    await box.write("list.cwl", listFolder);
    for (const folder of ["p", "q", "p/sub", "q/sub"]) await mkdir(box.path(folder));
    for (const name of ["p/x.txt", "q/x.txt", "p/sub/1", "q/sub/2", "x.bam", "x.bam.bai"])
      await box.write(name, name);
  });

  it.each(["pass.cwl", "list.cwl"])(
    "two files of one name are an error, whoever gets them: %s",
    async (tool) => {
      await box.write(
        "job.yml",
        "d: {class: Directory, basename: res, listing: [{class: File, path: p/x.txt}, {class: File, path: q/x.txt}]}\n",
      );
      const { code, err, out } = await box.run("run", tool, "job.yml", ...onHost);
      expect(code).not.toBe(0);
      expect(err + out).toContain("two different objects in the directory res are called x.txt");
    },
  );

  it("a file and a folder of one name are an error, and the same file twice is one", async () => {
    const listing = (second: string) =>
      `d: {class: Directory, basename: res, listing: [{class: File, path: p/x.txt}, ${second}]}\n`;
    await box.write("job.yml", listing("{class: Directory, basename: x.txt, listing: []}"));
    expect((await box.run("run", "pass.cwl", "job.yml", ...onHost)).code).not.toBe(0);
    await box.write("job.yml", listing("{class: File, path: p/x.txt}"));
    const { outputs } = await run("pass.cwl", "job.yml");
    expect(await text(outputs["d"], "/x.txt")).toBe("p/x.txt");
  });

  it("folders of one name become one folder with the members of both, at every depth", async () => {
    await box.write(
      "job.yml",
      "d: {class: Directory, basename: res, listing: [{class: Directory, basename: s, listing: [{class: Directory, path: p/sub, basename: in}]}, {class: Directory, basename: s, listing: [{class: Directory, path: q/sub, basename: in}]}]}\n",
    );
    const { outputs } = await run("pass.cwl", "job.yml");
    const names = (each: unknown): unknown => {
      const { basename, listing } = each as { basename: string; listing?: readonly unknown[] };
      return listing === undefined ? basename : [basename, ...listing.map(names)];
    };
    expect(names(outputs["d"])).toEqual(["res", ["s", ["in", "1", "2"]]]);
    expect(await text(outputs["d"], "/s/in/1")).toBe("p/sub/1");
    expect(await text(outputs["d"], "/s/in/2")).toBe("q/sub/2");
    const listed = await run("list.cwl", "job.yml");
    expect(listed.outputs["names"]).toBe("./s/in/1\n./s/in/2\n");
  });

  it("secondary files are next to their file, in steps and in final outputs", async () => {
    await box.write(
      "job.yml",
      "d: {class: Directory, basename: res, listing: [{class: File, path: x.bam, secondaryFiles: [{class: File, path: x.bam.bai}]}]}\n",
    );
    const { outputs } = await run("pass.cwl", "job.yml");
    expect(await text(outputs["d"], "/x.bam.bai")).toBe("x.bam.bai");
    expect((await run("list.cwl", "job.yml")).outputs["names"]).toBe("./x.bam\n./x.bam.bai\n");
  });
});

describe("what a tool changed in its working directory", () => {
  it("is what an output is that names the input", async () => {
    await box.write(
      "tool.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
requirements:
  InlineJavascriptRequirement: {}
  InitialWorkDirRequirement:
    listing: [{entry: $(inputs.f), writable: true}, {entry: $(inputs.d), writable: true}]
inputs: {f: File, d: Directory}
baseCommand: [sh, -c, "echo changed >> f.txt; echo changed >> d/x"]
outputs:
  whole: {type: File, outputBinding: {outputEval: $(inputs.f)}}
  folder: {type: Directory, outputBinding: {outputEval: $(inputs.d)}}
  member: {type: File, outputBinding: {outputEval: "\${ return {class: 'File', path: inputs.d.path + '/x'}; }"}}
`,
    );
    await mkdir(box.path("d"));
    for (const name of ["f.txt", "d/x"]) await box.write(name, "original\n");
    await box.write("job.yml", "f: {class: File, path: f.txt}\nd: {class: Directory, path: d}\n");
    for (const _ of ["computed", "reused"]) {
      const { outputs } = await run("tool.cwl", "job.yml");
      expect(await text(outputs["whole"])).toBe("original\nchanged\n");
      expect(await text(outputs["folder"], "/x")).toBe("original\nchanged\n");
      expect(await text(outputs["member"])).toBe("original\nchanged\n");
    }
    expect(await box.read("f.txt")).toBe("original\n");
  });
});

describe("expressions of outputs that ask for the clock or for chance", () => {
  it.each([
    ["outputEval", "type: float, outputBinding: {outputEval: $(Date.now())}"],
    ["outputEval of a file", "type: float, outputBinding: {glob: o.txt, outputEval: $(Math.random())}"],
    [
      "secondaryFiles",
      "type: File, outputBinding: {glob: o.txt}, secondaryFiles: ['${ return Date.now() > 0 ? [] : null; }']",
    ],
    ["format", "type: File, outputBinding: {glob: o.txt}, format: \"${ return 'http://e/' + Date.now(); }\""],
  ])("make the call one that is not recorded: %s", async (_, output) => {
    await box.write(
      "tool.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
requirements: {InlineJavascriptRequirement: {}}
inputs: {}
baseCommand: [touch, o.txt]
outputs:
  o: {${output}}
`,
    );
    const first = await box.run("run", "tool.cwl", ...onHost);
    expect(first.code, first.err).toBe(0);
    expect(first.err).toMatch(/not recorded: tool: (the clock|a random number)/);
    expect((await run("tool.cwl")).calls).toMatchObject({ computed: 1, reused: 0 });
  });
});

describe("streams", () => {
  it("may be written into folders that nobody made", async () => {
    await box.write(
      "tool.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
inputs: {n: string}
baseCommand: [sh, -c, "echo out; echo err >&2"]
stdout: logs/$(inputs.n).txt
stderr: logs/deep er/e.txt
outputs: {o: {type: stdout}, e: {type: stderr}}
`,
    );
    const { outputs } = await run("tool.cwl", "n=a");
    expect(placeOf(outputs["o"])).toMatch(/\/a\.txt$/);
    expect([await text(outputs["o"]), await text(outputs["e"])]).toEqual(["out\n", "err\n"]);
  });
});

describe("paths and patterns", () => {
  it("a `path` that is a file URI is a location, in expressions of outputs and in jobs", async () => {
    await box.write(
      "tool.cwl",
      `cwlVersion: v1.0
class: CommandLineTool
requirements: {InlineJavascriptRequirement: {}}
inputs: {f: File}
baseCommand: [sh, -c, 'cat "$0" > "i 1.idx"; echo 2 > "i 2.idx"']
arguments: [$(inputs.f.path)]
outputs:
  o:
    type: File
    outputBinding: {glob: i 1.idx}
    secondaryFiles: '\${ var l = self.location; return [{"class": "File", "path": l.substring(0, l.lastIndexOf("/")) + "/i%202.idx"}]; }'
`,
    );
    await box.write("in put.txt", "given\n");
    await box.write("job.yml", `f: {class: File, path: "file://${encodeURI(box.path("in put.txt"))}"}\n`);
    const { outputs } = await run("tool.cwl", "job.yml");
    expect(await text(outputs["o"])).toBe("given\n");
    const [second] = (outputs["o"] as { secondaryFiles: readonly unknown[] }).secondaryFiles;
    expect(await text(second)).toBe("2\n");
  });

  it("a pattern that ends with a slash finds folders only", async () => {
    await box.write(
      "tool.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
inputs: {}
baseCommand: [sh, -c, "mkdir a b; touch c a/x"]
outputs: {o: {type: "Directory[]", outputBinding: {glob: "*/"}}, p: {type: "Directory[]", outputBinding: {glob: $(runtime.outdir)/*/}}}
`,
    );
    const { outputs } = await run("tool.cwl");
    const names = (list: unknown) => (list as { basename: string }[]).map(({ basename }) => basename);
    expect([names(outputs["o"]), names(outputs["p"])]).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
  });
});

describe("hints", () => {
  it("that ask for more than the machine has do not fail a run, and expressions see what the document says", async () => {
    await box.write(
      "tool.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
hints: {ResourceRequirement: {coresMin: 64, ramMin: 9000000}}
baseCommand: echo
arguments: [$(runtime.cores), $(runtime.ram)]
inputs: {}
outputs: {o: {type: stdout}}
stdout: o.txt
`,
    );
    expect(await text((await run("tool.cwl")).outputs["o"])).toBe("64 9000000\n");
    await box.write("must.cwl", (await box.read("tool.cwl")).replace("hints:", "requirements:"));
    const { code, err, out } = await box.run("run", "must.cwl", ...onHost);
    expect(code).toBe(1);
    expect(err + out).toContain("asks for 64 cpus");
  });
});

describe("schemas that cannot be read", () => {
  it("are reported in one line", async () => {
    const names = Array.from({ length: 40 }, (_, n) => `missing-${n}.rdf`);
    await box.write(
      "tool.cwl",
      `cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {}\noutputs: {}\nbaseCommand: "true"\n$schemas: [${names.join(", ")}]\n`,
    );
    const { code, out } = await box.run("check", "tool.cwl");
    expect(code).toBe(0);
    expect(out.match(/cwl-schema-missing/g)).toHaveLength(1);
    expect(out).toContain("and 39 more that cannot be read");
  });
});

describe("flags of cwltool", () => {
  beforeEach(() =>
    box.write(
      "t.cwl",
      "cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {n: int}\noutputs: {}\nbaseCommand: 'true'\n",
    ),
  );

  it("that change nothing here are accepted", async () => {
    const words = ["--no-warnings", "--skip-schemas", "--no-match-user", "--enable-ext", "--strict"];
    expect(await box.run("cwl-runner", ...words, "--no-container", "t.cwl", "--n", "3")).toMatchObject({
      code: 0,
    });
  });

  it.each(["--print-dot", "--provenance=p", "--leave-tmpdir", "--make-template"])(
    "that ask for something else are answered with what to use: %s",
    async (flag) => {
      const { code, err } = await box.run("cwl-runner", flag, "t.cwl");
      expect(code).toBe(2);
      expect(err).toContain(`${flag.split("=")[0]} is a flag of cwltool; `);
    },
  );

  it("--validate checks document and job, and runs nothing", async () => {
    expect(await box.run("cwl-runner", "--validate", "t.cwl")).toMatchObject({
      code: 0,
      out: "t.cwl is valid CWL\n",
    });
    await box.write("job.yml", "n: many\n");
    const wrong = await box.run("cwl-runner", "--validate", "t.cwl", "job.yml");
    expect(wrong).toMatchObject({ code: 1, out: "t.cwl is not valid CWL\n" });
    expect(wrong.err).toContain("job.yml");
  });
});
