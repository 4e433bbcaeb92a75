import { describe, expect, it } from "vitest";
import { loadText } from "../testing/memory-tree.ts";

const step = (name: string, more: string) =>
  `  ${name}:\n    run: {class: ExpressionTool, inputs: {i: int}, outputs: {o: int}, expression: $(inputs)}\n    out: [o]\n${more}`;
const workflow = (steps: string, rest = "requirements: []\n") =>
  `cwlVersion: v1.2\nclass: Workflow\ninputs: {n: int, s: string, ns: "int[]"}\noutputs: []\n${rest}steps:\n${steps}`;
const all =
  "requirements: {ScatterFeatureRequirement: {}, StepInputExpressionRequirement: {}, MultipleInputFeatureRequirement: {}}\n";

async function codes(text: string): Promise<string[]> {
  return (await loadText(text)).said.map((each) => /\[([\w-]+)\]$/.exec(each)?.[1] ?? each);
}

describe("links", () => {
  it("a source that is near something is asked about", async () => {
    const { said } = await loadText(workflow(step("a", "    in: {i: m}\n")));
    expect(said).toEqual([
      "main.cwl:10:13: error: source is m, which is neither an input of the workflow nor an output of a step [cwl-unknown-source]",
    ]);
  });

  it.each([
    ["an int for an int", "    in: {i: n}\n", []],
    ["a text for an int", "    in: {i: s}\n", ["cwl-type"]],
    ["an array for an int", "    in: {i: ns}\n", ["cwl-type"]],
    ["an array that is scattered over", "    in: {i: ns}\n    scatter: i\n", []],
    ["an int that is scattered over", "    in: {i: n}\n    scatter: i\n", ["cwl-type"]],
    ["a text that an expression replaces", "    in: {i: {source: s, valueFrom: $(1)}}\n", []],
    ["two ints for an int", "    in: {i: {source: [n, n]}}\n", ["cwl-type"]],
    ["the first of two", "    in: {i: {source: [n, n], pickValue: first_non_null}}\n", []],
    ["nothing for an int", "    in: []\n", ["cwl-missing-step-input"]],
    ["a default for an int", "    in: {i: {default: 3}}\n", []],
    ["a scatter over nothing", "    in: {i: n}\n    scatter: j\n", ["cwl-unknown-scatter"]],
  ])("%s", async (_what, text, expected) => {
    const requirements = all.replace("{Scatter", "{InlineJavascriptRequirement: {}, Scatter");
    expect(await codes(workflow(step("a", text), requirements))).toEqual(expected);
  });

  it("steps that wait for each other are a cycle, however long", async () => {
    const { said } = await loadText(
      workflow(
        step("a", "    in: {i: c/o}\n") + step("b", "    in: {i: a/o}\n") + step("c", "    in: {i: b/o}\n"),
      ),
    );
    expect(said).toEqual(["main.cwl:7:3: error: steps wait for each other: a -> c -> b -> a [cwl-cycle]"]);
  });

  it("an output of a conditional step may be null", async () => {
    const text = workflow(
      step("a", "    in: {i: n}\n    when: $(true)\n"),
      `${all}hints: [{class: InlineJavascriptRequirement}]\n`,
    );
    expect(await codes(text.replace("outputs: []", "outputs: {x: {type: int, outputSource: a/o}}"))).toEqual(
      [],
    );
    expect(
      await codes(text.replace("outputs: []", "outputs: {x: {type: string, outputSource: a/o}}")),
    ).toEqual(["cwl-type"]);
  });
});

describe("features must be asked for", () => {
  it.each([
    ["    in: {i: ns}\n    scatter: i\n"],
    ["    in: {i: {source: [n, n], pickValue: first_non_null}}\n"],
    ["    in: {i: {source: n, valueFrom: $(self)}}\n"],
  ])("%j", async (text) => {
    expect(await codes(workflow(step("a", text)))).toEqual(["cwl-missing-feature"]);
    expect(await codes(workflow(step("a", text), all))).toEqual([]);
  });

  it("those of inputs are a warning where a workflow around may ask for them", async () => {
    const inner = step("a", "    in: {i: {source: n, valueFrom: $(self)}}\n");
    const { said } = await loadText(workflow(inner));
    expect(said).toEqual([expect.stringMatching(/warning: i has valueFrom/)]);
    const outer = workflow(
      "  outer:\n    in: {n: n, s: s, ns: ns}\n    out: []\n    run: inner.cwl\n",
      "requirements: {SubworkflowFeatureRequirement: {}}\n",
    );
    const nested = await loadText({ "main.cwl": outer, "inner.cwl": workflow(inner) });
    expect(nested.said).toEqual([expect.stringMatching(/error: i has valueFrom/)]);
  });
});

describe("JavaScript", () => {
  const tool = (text: string) =>
    `cwlVersion: v1.2\nclass: CommandLineTool\nrequirements: {InlineJavascriptRequirement: {}}\nbaseCommand: echo\narguments: [${JSON.stringify(text)}]\ninputs: {x: int}\noutputs: []\n`;

  it.each([
    "$(inputs.x +)",
    "${ return 1 +; }",
    "${ if (x) { return 1; } else else }",
    "a $(1 2) b",
    "$(basename file)",
  ])("%s is reported before anything runs", async (text) => {
    expect((await loadText(tool(text))).said).toEqual([
      expect.stringMatching(/^main\.cwl:5:13: error: invalid JavaScript: .*\[cwl-syntax\]$/),
    ]);
  });

  it.each([
    "$(inputs.x + 1)",
    "${ const f = async () => { await 1; }; return `${inputs.x}`; }",
    "$({a: 1}.a /* it's } fine */)",
    "${ return /[/')]/.test('x'); // end\n}",
    "${ function inner() { return 1; } return inner(); }",
    "$((() => { throw new Error('at run time'); })())",
  ])("%s is fine", async (text) => {
    expect((await loadText(tool(text))).said).toEqual([]);
  });
});
