/**
 * What must be computed again, and what must not, of CWL tools: ways in which the cache of the reference runner answers
 * wrongly, one by one, through real documents and real processes.
 */
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { counts, onHost, type RunAnswer, runOnHost, Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

const reused = "1 reused, 0 computed";
const computed = "0 reused, 1 computed";

/** A tool with these lines in place of what differs. */
const tool = (lines: string) => `cwlVersion: v1.2\nclass: CommandLineTool\n${lines}`;

/** What a File output holds. */
async function contentOf(output: string, ...words: readonly string[]): Promise<string> {
  const { outputs, state, failures } = await runOnHost(box, ...words);
  if (state !== "succeeded") throw new Error(JSON.stringify(failures));
  return readFile(String(outputs[output]), "utf8");
}

describe("a change is seen", () => {
  it.each([
    ["an integer beyond 2^53", "9007199254740993", "9007199254740992"],
    ["the sign of zero", "-0.0", "0"],
    ["the order of members", '{"b": 2, "a": 1}', '{"a": 1, "b": 2}'],
    ["a text for a number", '"1"', "1"],
    ["one value for a list of it", "[1]", "1"],
    ["all of these further inside", '[{"x": [9007199254740993]}]', '[{"x": [9007199254740992]}]'],
  ])("of an input that only the expressions of outputs look at: %s", async (_, before, after) => {
    await box.write(
      "t.cwl",
      tool(
        "baseCommand: 'true'\ninputs: {x: Any}\noutputs: {o: {type: Any, outputBinding: {outputEval: $(inputs.x)}}}\n",
      ),
    );
    const answer = async (x: string) => {
      await box.write("job.json", `{"x": ${x}}`);
      const { out } = await box.run("run", "t.cwl", "-i", "job.json", ...onHost, "--json");
      const { calls } = JSON.parse(out) as RunAnswer;
      // As text, since JavaScript would read some of these numbers as equal.
      const given = /"outputs": \{\s*"o": ([\s\S]*?)\n {2}\}/.exec(out)?.[1] ?? out;
      return [calls.reused, given.replace(/\s/g, "")] as const;
    };
    for (const x of [before, after]) expect(await answer(x)).toEqual([0, x.replace(/\s/g, "")]);
    for (const x of [before, after]) expect(await answer(x)).toEqual([1, x.replace(/\s/g, "")]);
  });

  it("of an input that is used only in the working directory (A)", async () => {
    await box.write(
      "t.cwl",
      tool(`requirements:
  InitialWorkDirRequirement:
    listing: [{entryname: message.txt, entry: $(inputs.text)}]
baseCommand: [cat, message.txt]
stdout: out.txt
inputs: {text: string}
outputs: {out: stdout}
`),
    );
    expect(await contentOf("out", "t.cwl", "text=one")).toBe("one");
    expect(await contentOf("out", "t.cwl", "text=two")).toBe("two");
    expect(await counts(box, "t.cwl", "text=one")).toBe(reused);
  });

  it("of the program that the tool names: another one on PATH, a new content, an interpreter of it", async () => {
    await box.write(
      "t.cwl",
      tool("baseCommand: mytool\nstdout: out.txt\ninputs: {}\noutputs: {out: stdout}\n"),
    );
    const when = new Date("2020-01-01T00:00:00Z");
    const program = async (folder: string, word: string) => {
      await mkdir(box.path(folder), { recursive: true });
      await writeFile(box.path(`${folder}/mytool`), `#!/bin/sh\necho ${word}\n`, { mode: 0o755 });
      await utimes(box.path(`${folder}/mytool`), when, when);
    };
    await program("bin1", "one");
    await program("bin2", "two");
    const path = process.env["PATH"] ?? "";
    const first = box.with({ PATH: `${box.path("bin1")}:${box.path("bin2")}:${path}` });
    const second = box.with({ PATH: `${box.path("bin2")}:${box.path("bin1")}:${path}` });
    const said = async (sandbox: Sandbox) => {
      const { outputs } = await runOnHost(sandbox, "t.cwl");
      return (await readFile(String(outputs["out"]), "utf8")).trim();
    };
    expect(await said(first)).toBe("one");
    expect(await said(second)).toBe("two");
    expect(await counts(first, "t.cwl")).toBe(reused);
    await program("bin1", "six");
    expect(await said(first)).toBe("six");
    expect(await counts(first, "t.cwl")).toBe(reused);
  });

  it("of an input that is used only in a variable (B)", async () => {
    await box.write(
      "t.cwl",
      tool(`requirements:
  EnvVarRequirement: {envDef: {MESSAGE: $(inputs.text)}}
baseCommand: [printenv, MESSAGE]
stdout: out.txt
inputs: {text: string}
outputs: {out: stdout}
`),
    );
    expect(await contentOf("out", "t.cwl", "text=one")).toBe("one\n");
    expect(await contentOf("out", "t.cwl", "text=two")).toBe("two\n");
    expect(await counts(box, "t.cwl", "text=two")).toBe(reused);
  });

  it("of an input that is used only in the name of standard output (C)", async () => {
    await box.write(
      "t.cwl",
      tool(`baseCommand: [echo, same]
stdout: $(inputs.name).txt
inputs: {name: string}
outputs: {out: stdout}
`),
    );
    const one = await runOnHost(box, "t.cwl", "name=one");
    const two = await runOnHost(box, "t.cwl", "name=two");
    expect(String(one.outputs["out"])).toMatch(/\/one\.txt$/);
    expect(String(two.outputs["out"])).toMatch(/\/two\.txt$/);
  });

  it("of an expression that says whether results may be reused (D)", async () => {
    await box.write(
      "t.cwl",
      tool(`requirements:
  WorkReuse: {enableReuse: $(inputs.reuse)}
baseCommand: [echo, same]
stdout: out.txt
inputs: {reuse: boolean}
outputs: {out: stdout}
`),
    );
    expect(await counts(box, "t.cwl", "reuse=true")).toBe(computed);
    expect(await counts(box, "t.cwl", "reuse=true")).toBe(reused);
    expect(await counts(box, "t.cwl", "reuse=false")).toBe(computed);
  });

  it("of a file inside a directory, changed or added (E)", async () => {
    await box.write(
      "t.cwl",
      tool(`baseCommand: ls
arguments: [$(inputs.folder.path)]
stdout: out.txt
inputs: {folder: Directory}
outputs: {out: stdout}
`),
    );
    await mkdir(join(box.folder, "data"));
    await box.write("data/a.txt", "one");
    await box.write("job.yml", "folder: {class: Directory, location: data}\n");
    expect(await contentOf("out", "t.cwl", "-i", "job.yml")).toBe("a.txt\n");
    expect(await counts(box, "t.cwl", "-i", "job.yml")).toBe(reused);
    await box.write("data/a.txt", "two");
    expect(await counts(box, "t.cwl", "-i", "job.yml")).toBe(computed);
    await box.write("data/b.txt", "one");
    expect(await contentOf("out", "t.cwl", "-i", "job.yml")).toBe("a.txt\nb.txt\n");
  });

  it("of the contents of a file literal (F)", async () => {
    await box.write(
      "t.cwl",
      tool(`baseCommand: cat
stdout: out.txt
inputs: {file: {type: File, inputBinding: {}}}
outputs: {out: stdout}
`),
    );
    const job = (text: string) =>
      box.write("job.yml", `file: {class: File, basename: x.txt, contents: ${text}}\n`);
    await job("one");
    expect(await contentOf("out", "t.cwl", "-i", "job.yml")).toBe("one");
    await job("two");
    expect(await contentOf("out", "t.cwl", "-i", "job.yml")).toBe("two");
    expect(await counts(box, "t.cwl", "-i", "job.yml")).toBe(reused);
  });

  it("of a secondary file of the same size and time (O)", async () => {
    await box.write(
      "t.cwl",
      tool(`baseCommand: cat
arguments: [$(inputs.file.path).idx]
stdout: out.txt
inputs: {file: {type: File, secondaryFiles: [.idx]}}
outputs: {out: stdout}
`),
    );
    await box.write("x.bam", "reads");
    await box.write("x.bam.idx", "one");
    const { atime, mtime } = await stat(join(box.folder, "x.bam.idx"));
    expect(await contentOf("out", "t.cwl", "file=x.bam")).toBe("one");
    await box.write("x.bam.idx", "two");
    await utimes(join(box.folder, "x.bam.idx"), atime, mtime);
    expect(await contentOf("out", "t.cwl", "file=x.bam")).toBe("two");
  });

  it("of a requirement that the tool inherits from its workflow (P)", async () => {
    const workflow = (variable: string, text: string) => `cwlVersion: v1.2
class: Workflow
requirements:
  EnvVarRequirement: {envDef: {MESSAGE: ${variable}}}
  InitialWorkDirRequirement: {listing: [{entryname: note.txt, entry: ${text}}]}
inputs: {}
steps:
  say:
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'printenv MESSAGE; cat note.txt']
      stdout: out.txt
      inputs: {}
      outputs: {out: stdout}
    in: {}
    out: [out]
outputs: {out: {type: File, outputSource: say/out}}
`;
    await box.write("w.cwl", workflow("one", "a"));
    expect(await contentOf("out", "w.cwl")).toBe("one\na");
    await box.write("w.cwl", workflow("two", "a"));
    expect(await contentOf("out", "w.cwl")).toBe("two\na");
    await box.write("w.cwl", workflow("two", "b"));
    expect(await contentOf("out", "w.cwl")).toBe("two\nb");
    expect(await counts(box, "w.cwl")).toBe(reused);
  });
});

describe("a result stays what it was", () => {
  it("although an expression looks at the exit code, and no process runs (G)", async () => {
    await box.write(
      "t.cwl",
      tool(`requirements: {InlineJavascriptRequirement: {}}
baseCommand: [sh, -c, 'exit 3']
successCodes: [3]
inputs: {}
outputs: {code: {type: int, outputBinding: {outputEval: $(runtime.exitCode)}}}
`),
    );
    const cold = await runOnHost(box, "t.cwl");
    const warm = await runOnHost(box, "t.cwl");
    expect([cold.outputs["code"], warm.outputs["code"]]).toEqual([3, 3]);
    expect(warm.calls.reused).toBe(1);
  });

  it("although a tool updates its input in place: every run begins again (I)", async () => {
    await box.write(
      "w.cwl",
      `cwlVersion: v1.2
class: Workflow
requirements: {InlineJavascriptRequirement: {}}
inputs: {}
steps:
  make:
    run:
      class: CommandLineTool
      baseCommand: [echo, '3']
      stdout: value
      inputs: {}
      outputs: {out: stdout}
    in: {}
    out: [out]
  raise:
    run:
      class: CommandLineTool
      requirements:
        InitialWorkDirRequirement: {listing: [{entry: $(inputs.file), writable: true}]}
        InplaceUpdateRequirement: {inplaceUpdate: true}
      baseCommand: [sh, -c, 'n=$(cat value); echo $((n + 1)) > value']
      inputs: {file: File}
      outputs: {out: {type: File, outputBinding: {glob: value}}}
    in: {file: make/out}
    out: [out]
  read:
    run:
      class: ExpressionTool
      inputs: {before: {type: File, loadContents: true}, after: {type: File, loadContents: true}}
      outputs: {values: 'int[]'}
      expression: '\${ return {values: [parseInt(inputs.before.contents), parseInt(inputs.after.contents)]}; }'
    in: {before: make/out, after: raise/out}
    out: [values]
outputs: {values: {type: 'int[]', outputSource: read/values}}
`,
    );
    for (let i = 0; i < 3; i++) expect((await runOnHost(box, "w.cwl")).outputs["values"]).toEqual([4, 4]);
  });

  it("when a file of the cache was edited: it is computed again (J)", async () => {
    await writeTool();
    expect(await contentOf("out", "t.cwl")).toBe("hello\n");
    for (const path of await cachedFiles("out.txt")) {
      await chmod(path, 0o644);
      await writeFile(path, "forged answer\n");
    }
    expect(await contentOf("out", "t.cwl")).toBe("hello\n");
  });

  it("when a file of the cache was deleted: it is computed again (K)", async () => {
    await writeTool();
    expect(await counts(box, "t.cwl")).toBe(computed);
    for (const path of await cachedFiles("out.txt")) await rm(path, { force: true });
    expect(await contentOf("out", "t.cwl")).toBe("hello\n");
    expect(await counts(box, "t.cwl")).toBe(reused);
  });
});

describe("one computation is enough", () => {
  it("for equal jobs of a scatter at the same time (L)", async () => {
    await box.write(
      "w.cwl",
      `cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}}
inputs: {words: {type: 'string[]', default: [same, same, same]}}
steps:
  say:
    run:
      class: CommandLineTool
      baseCommand: echo
      stdout: out.txt
      inputs: {word: {type: string, inputBinding: {}}}
      outputs: {out: stdout}
    scatter: word
    in: {word: words}
    out: [out]
outputs: {out: {type: 'File[]', outputSource: say/out}}
`,
    );
    expect(await counts(box, "w.cwl")).toBe("2 reused, 1 computed");
  });

  it("for a copy of a file elsewhere (M), and for one that was only touched (N)", async () => {
    await box.write(
      "t.cwl",
      tool(`baseCommand: cat
stdout: out.txt
inputs: {file: {type: File, inputBinding: {}}}
outputs: {out: stdout}
`),
    );
    await box.write("x.txt", "text");
    expect(await counts(box, "t.cwl", "file=x.txt")).toBe(computed);
    await mkdir(join(box.folder, "elsewhere"));
    await copyFile(join(box.folder, "x.txt"), join(box.folder, "elsewhere/x.txt"));
    expect(await counts(box, "t.cwl", "file=elsewhere/x.txt")).toBe(reused);
    await utimes(join(box.folder, "x.txt"), new Date(), new Date(2001, 0, 1));
    expect(await counts(box, "t.cwl", "file=x.txt")).toBe(reused);
  });

  it("for a task of WDL and a tool of CWL that run the same thing", async () => {
    await box.write(
      "greet.wdl",
      `version 1.2
task greet {
  input { String name }
  command <<<echo "Hello, ~{name}" > out.txt>>>
  output { File out = "out.txt" }
}
`,
    );
    await box.write(
      "greet.cwl",
      tool(`baseCommand: [/bin/bash, -c]
arguments: ['echo "Hello, $(inputs.name)" > out.txt']
inputs: {name: string}
outputs: {out: {type: File, outputBinding: {glob: out.txt}}}
`),
    );
    expect(await counts(box, "greet.wdl", "name=Ada")).toBe(computed);
    expect(await contentOf("out", "greet.cwl", "name=Ada")).toBe("Hello, Ada\n");
    expect(await counts(box, "greet.cwl", "name=Ada")).toBe(reused);
    expect(await counts(box, "greet.cwl", "name=Bob")).toBe(computed);
    expect(await counts(box, "greet.wdl", "name=Bob")).toBe(reused);
  });
});

it("files, lists, patterns and standard output are shared between WDL and CWL as well", async () => {
  await box.write(
    "show.wdl",
    `version 1.2
task show {
  input { File f
    Array[File] more
    Int n }
  command <<<cat ~{f} ~{sep(" ", more)}; for i in a b; do echo ~{n} > part_$i.txt; done>>>
  output { File said = stdout()
    Array[File] parts = glob("part_*.txt")
    File? none = "none.txt" }
}
`,
  );
  await box.write(
    "show.cwl",
    tool(`requirements: {InlineJavascriptRequirement: {}}
baseCommand: [/bin/bash, -c]
arguments:
  - 'cat $(inputs.f.path) $(inputs.more.map(function (x) { return x.path; }).join(" ")); for i in a b; do echo $(inputs.n) > part_$i.txt; done'
inputs: {f: File, more: 'File[]', n: int}
outputs:
  said: stdout
  parts: {type: 'File[]', outputBinding: {glob: 'part_*.txt'}}
  none: {type: File?, outputBinding: {glob: none.txt}}
`),
  );
  for (const name of ["one", "two", "three"]) {
    await mkdir(join(box.folder, name));
    await box.write(`${name}/${name}.txt`, `${name}\n`);
  }
  const inputs = ["f=one/one.txt", "more=two/two.txt", "more=three/three.txt", "n=3"];
  expect(await counts(box, "show.wdl", ...inputs)).toBe(computed);
  expect(await counts(box, "show.cwl", ...inputs)).toBe(reused);
  expect(await contentOf("said", "show.cwl", ...inputs)).toBe("one\ntwo\nthree\n");
});

it("a tool that asks for the time is computed again", async () => {
  await box.write(
    "t.cwl",
    tool(`requirements: {InlineJavascriptRequirement: {}}
baseCommand: echo
arguments: ['\${ return String(Date.now() > 0); }']
stdout: out.txt
inputs: {}
outputs: {out: stdout}
`),
  );
  expect(await counts(box, "t.cwl")).toBe(computed);
  expect(await counts(box, "t.cwl")).toBe(computed);
});

const writeTool = () =>
  box.write(
    "t.cwl",
    tool(`baseCommand: [echo, hello]
stdout: out.txt
inputs: {}
outputs: {out: stdout}
`),
  );

async function cachedFiles(name: string): Promise<readonly string[]> {
  const root = join(box.folder, "cache");
  const found = await readdir(root, { recursive: true });
  return found.filter((path) => path.endsWith(`/${name}`)).map((path) => join(root, path));
}
