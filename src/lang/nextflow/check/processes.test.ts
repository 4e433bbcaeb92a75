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
