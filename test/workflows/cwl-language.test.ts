/** What CWL documents mean, from the command line that a tool gets to the outputs of a workflow. */
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onHost, Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

async function ran<T>(document: string, job: unknown = {}): Promise<T> {
  await box.write("main.cwl", document);
  await box.write("job.json", JSON.stringify(job));
  const { code, out, err } = await box.run("cwl-runner", "--no-container", "--quiet", "main.cwl", "job.json");
  if (code !== 0) throw new Error(`ended with ${code}:\n${err}`);
  return JSON.parse(out) as T;
}

/** The words that a tool with these inputs is started with. */
async function wordsOf(inputs: string, job: unknown, more = ""): Promise<readonly string[]> {
  const { out } = await ran<{ out: { path: string } }>(
    `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [printf, '%s\\n']
stdout: words.txt
${more}
inputs:
${inputs}
outputs: {out: stdout}
`,
    job,
  );
  return (await readFile(out.path, "utf8")).trimEnd().split("\n");
}

describe("a command line", () => {
  it("has its words by position, then by name; numbers in full, switches alone", async () => {
    const inputs = `  zed: {type: string, inputBinding: {position: 1}}
  also: {type: string, inputBinding: {position: 1, prefix: -a}}
  first: {type: int, inputBinding: {position: -1, prefix: -n=, separate: false}}
  flag: {type: boolean, inputBinding: {prefix: --flag}}
  off: {type: boolean, inputBinding: {prefix: --off}}
  none: {type: string?, inputBinding: {prefix: --none}}
  big: {type: double, inputBinding: {position: 2}}`;
    const job = { zed: "z z", also: "$x", first: 7, flag: true, off: false, big: 1e21 };
    expect(await wordsOf(inputs, job)).toEqual([
      "-n=7",
      "--flag",
      "-a",
      "$x",
      "z z",
      "1000000000000000000000",
    ]);
  });

  it("joins, repeats or leaves out the items of arrays, and takes records apart", async () => {
    const inputs = `  joined: {type: 'int[]', inputBinding: {position: 1, prefix: -j, itemSeparator: ','}}
  each: {type: {type: array, items: string, inputBinding: {prefix: -e}}, inputBinding: {position: 2}}
  once: {type: 'string[]', inputBinding: {position: 3, prefix: -o}}
  empty: {type: 'string[]', inputBinding: {position: 4, prefix: -x}}
  pair:
    type:
      type: record
      fields:
        b: {type: string, inputBinding: {prefix: -b, position: 1}}
        a: {type: string, inputBinding: {prefix: -a, position: 2}}
    inputBinding: {position: 5}`;
    const job = { joined: [1, 2], each: ["x", "y"], once: ["p", "q"], empty: [], pair: { a: "A", b: "B" } };
    const expected = "-j 1,2 -e x -e y -o p q -b B -a A";
    expect((await wordsOf(inputs, job)).join(" ")).toBe(expected);
  });

  it("has arguments and expressions among its words", async () => {
    const inputs = `  n: {type: int, inputBinding: {position: 1, valueFrom: '$(self * 2)'}}`;
    const more = `requirements: {InlineJavascriptRequirement: {}}
arguments: [{valueFrom: '$(runtime.cores)', position: 2, prefix: --cores}, lead]`;
    expect(await wordsOf(inputs, { n: 21 }, more)).toEqual(["lead", "42", "--cores", "1"]);
  });
});

it("a working directory holds literals, copies that may be written to, and JSON", async () => {
  await box.write("data.txt", "old\n");
  const { out } = await ran<{ out: { path: string } }>(
    `cwlVersion: v1.2
class: CommandLineTool
requirements:
  InlineJavascriptRequirement: {}
  InitialWorkDirRequirement:
    listing:
      - {entry: $(inputs.file), entryname: sub/copy.txt, writable: true}
      - {entry: '$({"b": 1, "a": [2]})', entryname: x.json}
      - {entry: 'n=$(inputs.n)', entryname: n.txt}
baseCommand: [sh, -c, 'echo new >> sub/copy.txt; cat sub/copy.txt x.json n.txt']
stdout: out.txt
inputs: {file: File, n: int}
outputs: {out: stdout}
`,
    { file: { class: "File", location: "data.txt" }, n: 5 },
  );
  expect(await readFile(out.path, "utf8")).toBe('old\nnew\n{"a": [2], "b": 1}n=5');
  expect(await box.read("data.txt")).toBe("old\n");
});

describe("a tool with hints that cannot be followed", () => {
  const tool = (section: string) => `cwlVersion: v1.2
class: CommandLineTool
${section}:
  ResourceRequirement: {coresMin: 5, coresMax: 2}
  ToolTimeLimit: {timelimit: -5}
  EnvVarRequirement: {envDef: {A: $(inputs.none)}}
  WorkReuse: {enableReuse: $(none.a)}
  NetworkAccess: {networkAccess: $(none.a)}
  InitialWorkDirRequirement: {listing: [{entryname: ../x, entry: a}]}
baseCommand: [echo, hi]
stdout: o.txt
inputs: []
outputs: {out: stdout}
`;
  it("runs without them, names each, and is not reused when one of them is about reuse", async () => {
    await box.write("main.cwl", tool("hints"));
    const words = ["run", "main.cwl", ...onHost];
    for (let run = 0; run < 2; run++) {
      const { code, err } = await box.run(...words);
      expect([code, err.match(/warning: main: it runs without one of its hints/g)?.length]).toEqual([0, 6]);
      expect(err).toContain("computed main");
    }
  });

  it("fails where they are requirements", async () => {
    await expect(ran(tool("requirements"))).rejects.toThrow("at least 5 and at most 2 of cores");
  });

  it("and with variables that no environment can hold is refused", async () => {
    const document = `cwlVersion: v1.2
class: CommandLineTool
requirements: {EnvVarRequirement: {envDef: {"A=B": x}}}
baseCommand: env
inputs: []
outputs: []
`;
    await expect(ran(document)).rejects.toThrow('no environment can hold the variable "A=B"');
  });
});

describe("a workflow", () => {
  const add = `
      class: ExpressionTool
      inputs: {a: int, b: {type: int, default: 10}}
      outputs: {sum: int}
      expression: '$({"sum": inputs.a + inputs.b})'`;

  it("scatters, evaluates inputs of steps, runs workflows in workflows, and merges", async () => {
    const answer = await ran(
      `cwlVersion: v1.2
class: Workflow
requirements:
  InlineJavascriptRequirement: {}
  ScatterFeatureRequirement: {}
  StepInputExpressionRequirement: {}
  SubworkflowFeatureRequirement: {}
  MultipleInputFeatureRequirement: {}
inputs: {xs: 'int[]', ys: 'int[]'}
steps:
  cross:
    run: ${add}
    scatter: [a, b]
    scatterMethod: nested_crossproduct
    in: {a: xs, b: ys}
    out: [sum]
  inner:
    run:
      class: Workflow
      inputs: {n: int}
      steps:
        more:
          run: ${add.replaceAll("\n", "\n      ")}
          in: {a: n}
          out: [sum]
      outputs: {sum: {type: int, outputSource: more/sum}}
    scatter: n
    in: {n: {source: xs, valueFrom: $(self * 100)}}
    out: [sum]
outputs:
  grid: {type: Any, outputSource: cross/sum}
  all: {type: 'int[]', outputSource: [inner/sum, xs], linkMerge: merge_flattened}
`,
      { xs: [1, 2], ys: [10, 20, 30] },
    );
    expect(answer).toEqual({
      grid: [
        [11, 21, 31],
        [12, 22, 32],
      ],
      all: [110, 210, 1, 2],
    });
  });

  it("skips steps and picks among values", async () => {
    const document = `cwlVersion: v1.2
class: Workflow
requirements: {InlineJavascriptRequirement: {}, MultipleInputFeatureRequirement: {}}
inputs: {n: int}
steps:
  small:
    run: ${add}
    when: $(inputs.a < 10)
    in: {a: n}
    out: [sum]
  large:
    run: ${add}
    when: $(inputs.a >= 10)
    in: {a: n, b: {default: 1000}}
    out: [sum]
outputs:
  sum: {type: int, outputSource: [small/sum, large/sum], pickValue: the_only_non_null}
  maybe: {type: 'int?', outputSource: small/sum}
`;
    expect(await ran(document, { n: 5 })).toEqual({ sum: 15, maybe: 15 });
    expect(await ran(document, { n: 50 })).toEqual({ sum: 1050, maybe: null });
  });

  it("names what failed, and the position of an expression", async () => {
    await box.write(
      "main.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
requirements: {InlineJavascriptRequirement: {}}
baseCommand: echo
arguments: [$(inputs.missing.name)]
inputs: {}
outputs: {}
`,
    );
    const { code, err } = await box.run("cwl-runner", "--no-container", "main.cwl");
    expect(code).toBe(1);
    expect(err).toContain("main.cwl:5:13");
  });
});
