import { describe, expect, test } from "vitest";
import { runPipeline } from "../run/testing/run-text.ts";

const trouble = async (main: string) => {
  const end = await runPipeline({ files: { "main.nf": main } });
  return [end.kind, end.trouble] as const;
};

describe("a process that cannot be meant is refused before anything runs", () => {
  test.each([
    ["process P { cpuss 2\n script: 'true' }", "main.nf:1:13: error: `cpuss` is not a directive", "cpus"],
    [
      "process P { output: stdout\n scrpt: 'true' }",
      "main.nf:2:2: error: `scrpt` is not a section of a process",
      "script",
    ],
    [
      "process P { input: vall x\n script: 'true' }",
      "main.nf:1:20: error: `vall` is not a qualifier of inputs",
      "val",
    ],
    [
      "process P { output: pth 'x'\n script: 'true' }",
      "main.nf:1:21: error: `pth` is not a qualifier of outputs",
      "path",
    ],
  ])("%j", async (text, message, near) => {
    const [kind, words] = await trouble(`${text}\nworkflow { }`);
    expect(kind).toBe("refused");
    expect(words).toContain(message);
    expect(words).toContain(`did you mean \`${near}\`?`);
  });
});

describe("a call in a workflow", () => {
  test.each([
    [
      "workflow { smaple(1) }\ndef sample(x) { x }",
      "`smaple` is not defined",
      "help: did you mean `sample`?",
    ],
    [
      "process P { input: val a\n val b\n script: 'true' }\nworkflow { P(1, 2, 3) }",
      "Process `P` declares 2 inputs but was called with 3 arguments",
      "",
    ],
    [
      "workflow W { take: a\n main: a.view() }\nworkflow { W() }",
      "Workflow `W` declares 1 input but was called with 0 arguments",
      "",
    ],
  ])("%j is refused", async (main, message, help) => {
    const [kind, words] = await trouble(main);
    expect([kind, words]).toEqual(["refused", expect.stringContaining(message)]);
    expect(words).toContain(help);
  });
  test("gives several channels by one name", async () => {
    const [kind, words] = await trouble(
      `process P { input: val a\n output: val 1, emit: x\n val 2, emit: y\n exec: true }
process Q { input: val a\n val b\n exec: true }
workflow { P(1)\n Q(P.out) }`,
    );
    expect([kind, words]).toEqual(["succeeded", ""]);
  });
  test("in a closure may be a method of what it is given to", async () => {
    const [kind] = await trouble("workflow { def a = [1].with { add(2); it }\n println a }");
    expect(kind).toBe("succeeded");
  });
});

describe("a name that nothing sets in the script of a process", () => {
  test.each([
    ['script: "echo ${smaple}"', "main.nf:2:"],
    ['script: def a = smaple + 1\n "echo $a"', "main.nf:2:"],
    ["exec: y = smaple", "main.nf:2:"],
  ])("is refused before a run: %j", async (body, place) => {
    const [kind, words] = await trouble(`process P { input: val sample\n ${body} }\nworkflow { P(1) }`);
    expect(kind).toBe("refused");
    expect(words).toContain(place);
    expect(words).toContain("error: `smaple` is not defined");
    expect(words).toContain("did you mean `sample`?");
  });
  test.each([
    [
      "a branch",
      "process P { input: val x\n script: if (x == 2) { \"echo $y\" } else { 'true' } }",
      "workflow { P(1) }",
    ],
    [
      "a script with a stub",
      "process P { script: \"echo $y\"\n stub: 'true' }",
      "workflow { }\nworkflow W { P() }",
    ],
  ])("is a warning in %s, which may never be read", async (_, process, workflows) => {
    const [kind, words] = await trouble(`${process}\n${workflows}`);
    expect(kind).toBe("succeeded");
    expect(words).toContain("warning: `y` is not defined");
  });
  test("is nobody's fault where the process is never used", async () => {
    expect(await trouble('process P { script: "echo $y" }\nworkflow { }')).toEqual(["succeeded", ""]);
  });
  test("is none that inputs, the script, its module or Nextflow set", async () => {
    const main = `base = 1
def twice(x) { x * 2 }
process P {
  input: tuple val(id), path(reads, stageAs: 'in/*')
  each mode
  output: stdout
  script:
  a = "$id-$mode"
  def (b, c) = [1, 2]
  def f = { x -> x + b }
  """echo $a \${f(c)} $base \${twice(3)} \${task.cpus} \${params.none} $projectDir \${reads.collect { it.name }} $moduleDir"""
}
workflow { P(tuple('i', file('main.nf')), ['m']).map { 'ran' }.view() }`;
    expect(await trouble(main)).toEqual(["succeeded", ""]);
  });
});

describe("an operator or a factory that does not exist", () => {
  test.each([
    ["channel.of(1).mapp { it }.view()", "main.nf:1:26: error: there is no operator `mapp`", "map"],
    ["channel.of(1).map { it }.veiw()", "there is no operator `veiw`", "view"],
    ["ch = Channel.fromPth('x')", "there is no channel factory `fromPth`", "fromPath"],
  ])("is refused: %j", async (body, message, near) => {
    const [kind, words] = await trouble(`workflow { ${body} }`);
    expect(kind).toBe("refused");
    expect(words).toContain(message);
    expect(words).toContain(`did you mean \`${near}\`?`);
  });
  test("is a warning where it may never be called", async () => {
    const [kind, words] = await trouble("workflow { if (params.x) channel.of(1).mapp { it } }");
    expect([kind, words]).toEqual([
      expect.stringMatching("succeeded"),
      expect.stringContaining("warning: there is no operator `mapp`"),
    ]);
  });
  test("is none of what several channels have", async () => {
    const main = `workflow { channel.of(1, 2).branch { x -> a: x == 1
 b: true }.a.view()
 (channel.of(1) + 1).view()
 channel.of(1).with { it.view() } }`;
    expect(await trouble(main)).toEqual(["succeeded", ""]);
  });
});

describe("a process that is called twice in a workflow", () => {
  const process = "process P { input: val x\n exec: true }";
  test.each(["P(1)\n P(2)", "P(1)\n channel.of(2) | P", "a = P(1)\n if (params.x) { println 1 }\n b = P(2)"])(
    "is refused: %j",
    async (body) => {
      const [kind, words] = await trouble(`${process}\nworkflow { ${body} }`);
      expect(kind).toBe("refused");
      expect(words).toContain("Process 'P' has been already used in this workflow");
      expect(words).toContain("include { P as P_AGAIN }");
    },
  );
  test.each(["if (params.x) { P(1) } else { P(2) }", "P(1)\n if (!params.x) return\n P(2)", "P(1)\n W(2)"])(
    "is not where one call alone runs: %j",
    async (body) => {
      const text = `${process}\nworkflow W { take: x\n main: P(x) }\nworkflow { ${body} }`;
      expect(await trouble(text)).toEqual(["succeeded", ""]);
    },
  );
  test("is refused from another script, too, and not by another name", async () => {
    const files = (main: string) => ({ "main.nf": main, "m.nf": process });
    const twice = await runPipeline({ files: files("include { P } from './m'\nworkflow { P(1)\n P(2) }") });
    expect(twice.trouble).toContain("main.nf:3:2: error: Process 'P' has been already used");
    const aliased = await runPipeline({
      files: files("include { P; P as Q } from './m'\nworkflow { P(1)\n Q(2) }"),
    });
    expect([aliased.kind, aliased.trouble]).toEqual(["succeeded", ""]);
  });
});

describe("workflow outputs", () => {
  test.each([
    [
      "workflow { main: a = channel.of(1)\n publish: resluts = a }\noutput { results { } }",
      "Workflow output 'resluts' was assigned in the workflow but not declared in the output block",
      "did you mean `results`?",
    ],
    [
      "workflow { main: a = channel.of(1)\n publish: x = a }\noutput { x { }\n other { } }",
      "main.nf:5:2: error: Workflow output 'other' was declared in the output block but not assigned",
      "",
    ],
  ])("that are named on one side alone are refused before a run: %j", async (text, message, help) => {
    const [kind, words] = await trouble(`nextflow.preview.output = true\n${text}`);
    expect(kind).toBe("refused");
    expect(words).toContain(message);
    expect(words).toContain(help);
  });
});
