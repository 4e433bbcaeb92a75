/** Behaviour of Nextflow that its users have often been surprised by, or found wrong. */
import { expect, test } from "vitest";
import { runPipeline, type TextRun } from "./testing/run-text.ts";

async function run(main: string, more: Omit<TextRun, "files"> & { files?: TextRun["files"] } = {}) {
  const { files, ...options } = more;
  return runPipeline({ ...options, files: { "main.nf": main, ...files } });
}

const sides = `left = channel.of(['k1', 'l1'], ['k1', 'l2'], ['k2', 'l3']EXTRA)
  right = channel.of(['k1', 'r1'], ['k2', 'r2'])`;

test.each<[string, string, string, readonly string[]]>([
  ["equal keys are joined one to one", "", "left.join(right)", ["[k1, l1, r1]", "[k2, l3, r2]"]],
  [
    "what remains is joined with null",
    ", ['k3', 'l4']",
    "left.join(right, remainder: true)",
    ["[k1, l1, r1]", "[k1, l2, null]", "[k2, l3, r2]", "[k3, l4, null]"],
  ],
  [
    "combine by a key gives every pair",
    "",
    "left.combine(right, by: 0)",
    ["[k1, l1, r1]", "[k1, l2, r1]", "[k2, l3, r2]"],
  ],
])("%s", async (_, extra, joined, expected) => {
  const { lines, trouble } = await run(
    `workflow {\n  ${sides.replace("EXTRA", extra)}\n  ${joined}.view()\n}`,
  );
  expect([lines, trouble]).toEqual([expected, ""]);
});

test("a duplicate key is an error where it is to be one", async () => {
  const { kind, trouble } = await run(
    `workflow {\n  ${sides.replace("EXTRA", "")}\n  left.join(right, failOnDuplicate: true).view()\n}`,
  );
  expect([kind, trouble]).toEqual(["failed", expect.stringContaining("duplicate emission")]);
});

test("names with blanks and other characters are escaped in scripts", async () => {
  const names = ["a b.txt", "x(1).txt", "it's.txt"];
  const { results, trouble } = await run(
    `process P { publishDir 'results', mode: 'copy'
      input: path f
      output: path '*.out'
      script: "cat $f > 'all of it.out'" }
    workflow { P(channel.fromPath("$projectDir/data/*").collect(sort: true)) }`,
    { files: Object.fromEntries(names.map((name) => [`data/${name}`, `${name}\n`])) },
  );
  expect([results, trouble]).toEqual([{ "all of it.out": "a b.txt\nit's.txt\nx(1).txt\n" }, ""]);
});

test("a name in single quotes is the escaped one, which is not there", async () => {
  const { kind } = await run(
    `process P { input: path f
      script: "cat '$f'" }
    workflow { P(file("$projectDir/a b.txt")) }`,
    { files: { "a b.txt": "" } },
  );
  expect(kind).toBe("failed");
});

test("a tuple whose optional file is missing is not sent, and the others are", async () => {
  const { lines, calls, trouble } = await run(`process P {
      output:
        tuple val(1), path('a.txt'), optional: true, emit: a
        tuple val(2), path('b.txt'), optional: true, emit: b
        path 'c.txt', emit: c
      script: 'touch b.txt c.txt' }
    process Q { input: tuple val(x), path(f)
      script: 'true' }
    workflow { P()
      Q(P.out.a)
      P.out.a.toList().view { "list $it" }
      P.out.a.collect().view { "collected $it" }
      P.out.b.view { x, f -> "b $x \${f.name}" }
      P.out.c.view { "c \${it.name}" } }`);
  expect([lines, calls, trouble]).toEqual([["b 2 b.txt", "c c.txt", "list []"], ["P"], ""]);
});

const place = `process P { publishDir params.o
    output: stdout
    script: "echo \${task.ext.o} \${task.ext.p}" }
  workflow { P().view { it.trim() } }`;

test.each<[string, Partial<TextRun>, string]>([
  ["as they are written", {}, "x x"],
  ["given parameters come first", { params: { o: "y" } }, "y y"],
])("settings are evaluated where they stand, closures for each task: %s", async (_, more, expected) => {
  const { lines, trouble } = await run(place, {
    ...more,
    files: {
      "nextflow.config": "params.o = 'x'\nprocess.ext.p = params.o\nprocess.ext.o = { params.o }\n",
    },
  });
  expect([lines, trouble]).toEqual([[expected], ""]);
});

test("two inputs of one name are refused before the task starts, unless they are staged apart", async () => {
  const files = { "d/1/file": "one\n", "d/2/file": "two\n" };
  const main = (input: string) => `process P { input: ${input}
      output: stdout
      script: 'cat */file' }
    workflow { P([file("$projectDir/d/1/file"), file("$projectDir/d/2/file")]).view() }`;
  const refused = await run(main("path x"), { files });
  expect([refused.kind, refused.calls]).toEqual(["failed", []]);
  expect(refused.trouble).toContain("input file name collision");
  const apart = await run(main("path x, stageAs: '?/*'"), { files });
  expect([apart.printed, apart.trouble]).toEqual([["one", "two"], ""]);
});

test("a template may end with a quotation mark", async () => {
  const { lines, trouble } = await run(
    `process P { input: val x
      output: stdout
      script: template 't.sh' }
    workflow { P('a').view { it.trim() } }`,
    { files: { "templates/t.sh": 'echo "$x"' } },
  );
  expect([lines, trouble]).toEqual([["a"], ""]);
});

test("a task that fails is tried again with what its attempt says, as often as it may be", async () => {
  const { lines, calls, kind } = await run(`process P {
      memory { 1.GB * task.attempt }
      errorStrategy { task.exitStatus == 5 && task.attempt < 3 ? 'retry' : 'terminate' }
      maxRetries 10
      output: stdout
      script: "[ \${task.attempt} -eq 3 ] || exit 5; echo \${task.memory} \${task.previousTrace?.exit}" }
    workflow { P().view { it.trim() } }`);
  expect([kind, lines, calls]).toEqual(["succeeded", ["3 GB 5"], ["P", "P", "P"]]);
});
