/** Scripts that never end, or want more than there is, end as failures of the run, and the process is as before. */
import { expect, test } from "vitest";
import { runPipeline, type TextRun } from "./testing/run-text.ts";

const end = (main: string, more: Partial<TextRun> = {}) =>
  runPipeline({ ...more, files: { "main.nf": main, ...more.files } });

const endless = "while (true) {}";
const backtracking = "('a' * 50) ==~ /(a+)+b/";

test.each<[string, string]>([
  ["a loop in a workflow", `workflow { ${endless} }`],
  [
    "a loop that catches everything",
    `workflow { try { ${endless} } catch (Throwable e) { println 'caught' } }`,
  ],
  ["a loop in an operator", `workflow { channel.of(1).map { ${endless} }.view() }`],
  ["a loop in the script of a process", `process P { script: ${endless}\n"true" }\nworkflow { P() }`],
  ["a loop in a directive", `process P { cpus { ${endless} }\n script: "true" }\nworkflow { P() }`],
  ["a regular expression that backtracks", `workflow { println(${backtracking}) }`],
  ["a replacement that backtracks", "workflow { println(('a' * 50).replaceAll(/(a|a)*b/, '')) }"],
  ["a list that is filled without end", "workflow { for (x in 1..2000000000) { } }"],
])("%s is ended by the limit on time", async (_, main) => {
  const { kind, trouble, printed } = await end(main, { limitMs: 1000 });
  expect([kind, printed]).toEqual(["failed", []]);
  expect(trouble).toMatch(/did not get further within 1 s|too large|need more memory/);
});

test("a loop in the configuration is ended by the limit on time", async () => {
  const { kind, trouble } = await end("workflow {}", {
    limitMs: 1000,
    files: { "nextflow.config": `def f() { ${endless} }\nparams.x = f()` },
  });
  expect(kind).toBe("failed");
  expect(trouble).toContain("did not get further within 1 s");
});

test("a handler that never ends is ended, and the run has succeeded all the same", async () => {
  const { kind, trouble } = await end(
    `workflow { workflow.onComplete { ${endless} } }\nworkflow.onComplete { ${endless} }`,
    { limitMs: 3000 },
  );
  expect(kind).toBe("succeeded");
  expect(trouble).toContain("did not get further within 3 s");
});

test.each<[string, string, string]>([
  ["a function that calls itself", "def f(x) { f(x) + 1 }\nworkflow { f(1) }", "too deeply"],
  ["a text that doubles", "workflow { def a = 'a' * 1000\n while (true) a = a + a }", "too large"],
  ["a device that never ends", "workflow { println file('/dev/zero').text }", "is not a file"],
])("%s ends the run as a failure that says so", async (_, main, message) => {
  const { kind, trouble } = await end(main);
  expect(kind).toBe("failed");
  expect(trouble).toContain(message);
});

test("a configuration that includes itself is refused", async () => {
  const { kind, trouble } = await end("workflow {}", {
    files: { "nextflow.config": "includeConfig 'a.config'", "a.config": "includeConfig 'nextflow.config'" },
  });
  expect([kind, trouble]).toEqual(["failed", expect.stringContaining("files that include each other")]);
});

test("a configuration whose inclusions multiply is refused", async () => {
  const files: Record<string, string> = { "nextflow.config": "includeConfig '0.config'" };
  for (let i = 0; i < 20; i++)
    files[`${i}.config`] = `includeConfig '${i + 1}.config'\nincludeConfig '${i + 1}.config'`;
  files["20.config"] = "params.x = 1";
  const { kind, trouble } = await end("workflow {}", { files });
  expect([kind, trouble]).toEqual(["failed", expect.stringContaining("more than 2000 inclusions")]);
});

test("one configuration may be included in several places", async () => {
  const { kind, printed } = await end("workflow { println params.x }", {
    files: {
      "nextflow.config": "includeConfig 'a.config'\nincludeConfig 'b.config'",
      "a.config": "includeConfig 'b.config'",
      "b.config": "params.x = 1",
    },
  });
  expect([kind, printed]).toEqual(["succeeded", ["1"]]);
});
