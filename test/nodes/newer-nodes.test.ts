/** Memoir runs on every Node that package.json admits, and prints only its own messages. The whole suites: `npm run soak`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ensureBuilt, memoirProgram } from "../cli/memoir.ts";
import { newerMajors, nodeOf } from "./newer-nodes.ts";

const folder = mkdtempSync(join(tmpdir(), "memoir-nodes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An expression that needs the sandbox process of CWL's JavaScript. */
const sumTool = `cwlVersion: v1.2
class: ExpressionTool
requirements:
  InlineJavascriptRequirement: {}
inputs:
  n: int[]
outputs:
  sum: int
expression: "\${ return { sum: inputs.n.reduce(function (a, b) { return a + b; }, 0) }; }"
`;

describe.each(newerMajors)("on Node %i", (major) => {
  const node = nodeOf(major);
  const run = (...words: readonly string[]) => {
    const env = { ...process.env, MEMOIR_HOME: join(folder, `home-${major}`) };
    const { status, stdout, stderr } = spawnSync(node ?? "", [...words], {
      cwd: folder,
      env,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };

  it("commands print what they print and nothing else", (test) => {
    if (node === undefined) return test.skip(`Node ${major} could not be installed from the registry`);
    ensureBuilt();
    expect(run("--version").stdout).toMatch(new RegExp(`^v${major}\\.`));
    expect(run(memoirProgram, "--version")).toMatchObject({ status: 0, stderr: "" });
    expect(run(memoirProgram, "--help")).toMatchObject({ status: 0, stderr: "" });
    expect(run(memoirProgram, "catalog", "--json")).toMatchObject({ status: 0, stderr: "" });
  });

  it("the demo succeeds", (test) => {
    if (node === undefined) return test.skip(`Node ${major} could not be installed from the registry`);
    const { status, stderr } = run(join(memoirProgram, "../../scripts/demo.mjs"));
    expect(status, stderr).toBe(0);
    expect(stderr.split("\n").filter((line) => /error|warning|unrecognized/i.test(line))).toEqual([]);
  });

  it("JavaScript of CWL is evaluated in its sandbox", (test) => {
    if (node === undefined) return test.skip(`Node ${major} could not be installed from the registry`);
    writeFileSync(join(folder, "sum.cwl"), sumTool);
    writeFileSync(join(folder, "job.json"), '{"n": [1, 2, 39]}');
    const ended = run(memoirProgram, "cwl-runner", "sum.cwl", "job.json");
    expect(ended.status, ended.stderr).toBe(0);
    expect(JSON.parse(ended.stdout)).toEqual({ sum: 42 });
  });
});
