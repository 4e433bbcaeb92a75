/** The suites' own tools, on small texts, and the page that lists what does not pass. BLESS=1 rewrites its tables. */

import { readFileSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWith } from "../servers/requirement.ts";
import { type SlurmCluster, slurmRequirement, startSlurm } from "../servers/slurm.ts";
import { type KnownCases, summarise } from "./case-result.ts";
import { difference } from "./compare.ts";
import { runCwlSuite } from "./cwl-suite.ts";
import { runFixtureSuite } from "./fixture-suite.ts";
import { corrected, type Errata, readSpecText } from "./spec-examples.ts";
import { runSpecSuite } from "./spec-suite.ts";

const env = { PATH: process.env["PATH"] ?? "" };
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-conformance-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function example(name: string, source: string, sections: Readonly<Record<string, string>>): string {
  const blocks = Object.entries(sections).map(
    ([title, text]) => `${title}:\n\n\`\`\`json\n${text}\n\`\`\`\n`,
  );
  return `<details>\n<summary>\nExample: ${name}.wdl\n\n\`\`\`wdl\n${source}\n\`\`\`\n</summary>\n<p>\n${blocks.join("\n")}</p>\n</details>\n`;
}

const count = `version 1.1
task count {
  input { File words }
  command <<< wc -l < ~{words} >>>
  output { Int lines = read_int(stdout()) File same = words }
}`;

const text = [
  "# A specification\n",
  example("count_task", count, {
    "Example input": '{"count.words": "words.txt"}',
    "Example output": '{"count.lines": 2, "count.same": "words.txt"}',
  }),
  example("wrong_task", count.replaceAll("count", "wrong"), {
    "Example input": '{"wrong.words": "words.txt"}',
    "Example output": '{"wrong.lines": 3}',
  }),
  example("stop_fail_task", "version 1.1\ntask stop { command { exit 3 } }", {
    "Test config": '{"fail": true, "return_code": 3}',
  }),
  example("broken", "version 1.1\nworkflow broken { output { Int x = 1 } }", {
    "Example output": '{"broken.x" 1}',
  }),
].join("\ntext between them\n");

describe("the suites", () => {
  test("read the examples of a specification", () => {
    const { examples } = readSpecText(text);
    expect(examples.map((each) => each.name)).toEqual([
      "count_task",
      "wrong_task",
      "stop_fail_task",
      "broken",
    ]);
    expect(examples[0]?.source).toContain("task count");
    expect(examples[2]).toMatchObject({
      input: "{}",
      output: "{}",
      config: '{"fail": true, "return_code": 3}\n',
    });
  });

  test("run them, cold and warm, and say which passed", async () => {
    await mkdir(join(folder, "spec/tests/data"), { recursive: true });
    await writeFile(join(folder, "spec/SPEC.md"), text);
    await writeFile(join(folder, "spec/tests/data/words.txt"), "a\nb\n");
    const results = await runSpecSuite({ folder: join(folder, "spec"), env });
    expect(results).toEqual([
      { name: "count_task", kind: "passed" },
      { name: "wrong_task", kind: "failed", why: "lines: expected 3, got 2" },
      { name: "stop_fail_task", kind: "passed" },
      { name: "broken", kind: "excluded", why: "the JSON in the specification cannot be read" },
    ]);
  });

  test("run a text with its mistakes put right", async () => {
    const errata = {
      wrong_task: { what: "counts wrongly", replace: [['lines": 3', 'lines": 2']] },
      broken: { what: "no colon", replace: [['x" 1', 'x": 1']] },
    } as const;
    const results = await runSpecSuite({ folder: join(folder, "spec"), env, errata });
    expect(results.map((each) => each.kind)).toEqual(Array(4).fill("passed"));
  });

  test("refuse a correction whose text is not there", () => {
    const [example] = readSpecText(text).examples;
    expect(() => example && corrected(example, { what: "?", replace: [["nowhere", ""]] })).toThrow(
      'correcting count_task: its text does not have "nowhere"',
    );
  });

  test("run fixtures, one folder a case", async () => {
    for (const [name, files] of Object.entries({
      good: {
        "source.wdl": count,
        "inputs.json": '{"count.words": "w.txt"}',
        "w.txt": "a\n",
        "outputs.json": '{"count.lines": 1}',
      },
      bad: { "source.wdl": "version 1.1\nworkflow w { Int x = }", "error.txt": "a mistake" },
    })) {
      await mkdir(join(folder, "fixtures", name), { recursive: true });
      for (const [file, content] of Object.entries(files))
        await writeFile(join(folder, "fixtures", name, file), content);
    }
    expect(await runFixtureSuite({ folder: join(folder, "fixtures"), env })).toEqual([
      { name: "bad", kind: "passed" },
      { name: "good", kind: "passed" },
    ]);
  });

  test("distinguish known failures from new ones, and report what is listed although it passes", () => {
    const known: KnownCases = {
      a: { because: "text", reason: "x" },
      b: { because: "ours", reason: "y" },
    };
    const summary = summarise(
      [
        { name: "a", kind: "failed", why: "1" },
        { name: "b", kind: "passed" },
        { name: "c", kind: "failed", why: "2" },
      ],
      known,
    );
    expect(summary).toEqual({
      passed: 1,
      failed: [{ name: "c", kind: "failed", why: "2" }],
      known: [{ name: "a", known: known["a"] }],
      surprising: ["b"],
    });
  });

  test("compare files by their names and numbers by their values", () => {
    expect(difference({ a: [1.0, "x.txt"] }, { a: [1, "/run/out/x.txt"] }, "o")).toBeUndefined();
    expect(difference({ a: 1 }, { a: 1, b: null }, "o")).toBeUndefined();
    expect(difference({ a: 1, b: 2 }, { a: 1 }, "o")).toMatch(/^o: expected/);
    expect(difference("x", "y", "o")).toBe('o: expected "x", got "y"');
  });
});

describeWith([slurmRequirement], "the suites on a Slurm cluster", () => {
  let cluster: SlurmCluster;
  beforeAll(async () => {
    cluster = await startSlurm();
  });
  afterAll(() => cluster?.stop());

  test("pass and fail as on the host, with tasks as jobs", async () => {
    const spec = join(folder, "spec-on-slurm");
    await mkdir(join(spec, "tests/data"), { recursive: true });
    await writeFile(join(spec, "SPEC.md"), text);
    await writeFile(join(spec, "tests/data/words.txt"), "a\nb\n");
    const results = await runSpecSuite({ folder: spec, env: cluster.env, executor: "slurm" });
    expect(results.map(({ name, kind }) => [name, kind])).toEqual([
      ["count_task", "passed"],
      ["wrong_task", "failed"],
      ["stop_fail_task", "passed"],
      ["broken", "excluded"],
    ]);
    const jobs = await cluster.ask("squeue", "-h", "-r", "-t", "all", "-o", "%i");
    expect(jobs.trim().split("\n").length).toBeGreaterThan(2);
  });

  test("of CWL run their tools as jobs", async () => {
    const suite = join(folder, "cwl-on-slurm");
    await mkdir(suite, { recursive: true });
    await writeFile(
      join(suite, "tool.cwl"),
      `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, 'echo $SLURM_JOB_ID | grep -c . || true']
inputs: []
stdout: out.txt
outputs: { n: { type: string, outputBinding: { glob: out.txt, loadContents: true, outputEval: "$(self[0].contents)" } } }
`,
    );
    await writeFile(
      join(suite, "tests.yaml"),
      `- { id: here, tool: tool.cwl, output: { n: "0\\n" }, tags: [] }\n- { id: other, tool: tool.cwl, output: { n: "1\\n" }, tags: [] }\n`,
    );
    const before = (await cluster.ask("squeue", "-h", "-r", "-t", "all", "-o", "%i")).trim().split("\n");
    const results = await runCwlSuite({
      suite: join(suite, "tests.yaml"),
      env: cluster.env,
      containers: "never",
      executor: { name: "slurm", options: { "job-engine": "none" } },
      jobs: 2,
    });
    // Tasks get nothing of a job's environment.
    expect(results.map(({ name, kind }) => [name, kind])).toEqual([
      ["here", "passed"],
      ["other", "failed"],
    ]);
    const after = (await cluster.ask("squeue", "-h", "-r", "-t", "all", "-o", "%i")).trim().split("\n");
    expect(after.length - before.length).toBe(2);
  });
});

test("docs/wdl-conformance.md lists exactly what is known not to pass, and what is put right", () => {
  const page = join(import.meta.dirname, "../../docs/wdl-conformance.md");
  const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8"));
  const lists: Record<string, KnownCases> = read("wdl-known.json");
  const errata: Record<string, Errata> = read("wdl-errata.json");
  const tables = Object.entries(lists).map(([suite, cases]) => {
    const rows = Object.entries(cases).map(
      ([name, { because, reason, executor }]) =>
        `| ${name} | ${because} | ${reason}${executor === undefined ? "" : ` (only with --executor ${executor})`} |`,
    );
    return `### ${suite}\n\n| case | because of | what |\n|---|---|---|\n${rows.join("\n")}\n`;
  });
  const marker = "<!-- Written by BLESS=1 npx vitest run test/conformance: -->\n";
  const corrections = Object.entries(errata).map(([suite, cases]) => {
    const rows = Object.entries(cases).map(([name, { what }]) => `| ${name} | ${what} |`);
    return `### ${suite}: corrected before it is run\n\n| case | what is wrong |\n|---|---|\n${rows.join("\n")}\n`;
  });
  const wanted = `${marker}\n${[...tables, ...corrections].join("\n")}`;
  const before = readFileSync(page, "utf8");
  const at = before.indexOf(marker);
  expect(at).toBeGreaterThan(0);
  if (process.env["BLESS"] === "1") writeFileSync(page, before.slice(0, at) + wanted);
  expect(readFileSync(page, "utf8").slice(at)).toBe(wanted);
  expect(tables.length).toBeGreaterThan(4);
});
