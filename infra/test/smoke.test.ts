/** `npm run smoke` as far as it goes without an account: what it would call, and that it never destroys a stage of others. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureBuilt, memoirProgram } from "../../test/cli/memoir.ts";

const script = join(import.meta.dirname, "../scripts/smoke.mjs");
const folder = mkdtempSync(join(tmpdir(), "memoir-smoke-test-"));
const called = join(folder, "called");
const { AWS_REGION: _region, AWS_DEFAULT_REGION: _other, ...environment } = process.env;
beforeAll(() => ensureBuilt());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Programs of these names first in PATH: they note that they were called. */
function plant(name: string, lines: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >> "${called}"\n${lines}\n`);
  chmodSync(join(folder, name), 0o755);
}

function smoke(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const env = { ...environment, ...more, PATH: [folder, process.env["PATH"]].join(delimiter) };
  return spawnSync(process.execPath, [script, ...args], { cwd: folder, env, encoding: "utf8" });
}

const commandsIn = (text: string) =>
  text.split("\n").flatMap((line) => line.match(/^ {2}\$ (.*)$/)?.[1] ?? []);

it("a dry run calls nothing, and prints ten calls of the API, a query of Athena, the destruction and the price", () => {
  for (const name of ["aws", "npx", "npm"]) plant(name, "exit 9");
  const { status, stdout, stderr } = smoke(["--stage", "dev", "--dry-run"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(existsSync(called)).toBe(false);
  const commands = commandsIn(stdout);
  expect(commands.filter((command) => command.includes("https://ID.execute-api"))).toHaveLength(10);
  expect(commands.filter((command) => command.includes("athena://"))).toHaveLength(1);
  expect(commands.at(-1)).toContain("destroy --all");
  const total = Number(/^ {2}([\d.]+) {2}in all$/m.exec(stdout)?.[1]);
  expect(total).toBeGreaterThan(0);
  expect(total).toBeLessThan(1);
});

it("its commands compute, store and find every row, with a folder in place of the cloud", () => {
  const here = join(folder, "work");
  const inputs = Array.from({ length: 50 }, (_, at) => `C${"C".repeat(at)}`);
  const commands = commandsIn(smoke(["--stage", "dev", "--dry-run"]).stdout).filter((line) =>
    line.startsWith("memoir "),
  );
  // One of each kind: storing, a look-up, the sample, all rows.
  const kinds = [commands[0], commands[1], ...commands.slice(-3, -1)];
  const wordsOf = (command = "") =>
    command
      .split(" ")
      .slice(1)
      .map((word) => word.replaceAll("'", ""))
      .map((word) => (/^(dynamodb|https|athena):/.test(word) ? join(here, "cloud") : word))
      .map((word) => word.replace(/^FOLDER/, here));
  mkdirSync(here);
  writeFileSync(join(here, "library.csv"), `smiles\n${inputs.join("\n")}\n`);
  for (const command of kinds) {
    const env = { ...environment, MEMOIR_HOME: join(here, "home") };
    const ran = spawnSync(process.execPath, [memoirProgram, ...wordsOf(command)], { env, encoding: "utf8" });
    expect({ command, status: ran.status, said: ran.status === 0 ? "" : ran.stderr }).toMatchObject({
      status: 0,
    });
  }
  const linesOf = (name: string) => readFileSync(join(here, name), "utf8").trim().split("\n");
  const computed = linesOf("computed.csv");
  expect(computed.slice(1).every((line) => /,[\d.]+$/.test(line))).toBe(true);
  expect(linesOf("api-1.csv")).toEqual(computed);
  expect(linesOf("all.csv").toSorted()).toEqual(computed.toSorted());
  expect(linesOf("sample.csv")).toHaveLength(6);
});

it("a stage that is there, or that nobody can say is not there, is neither deployed over nor destroyed", () => {
  const region = { AWS_REGION: "us-east-1" };
  for (const [lines, words] of [
    ["exit 0", "deployed already"],
    ["echo 'Unable to locate credentials' >&2; exit 253", "Unable to locate credentials"],
    [
      `case "$*" in *-trust) exit 0;; esac; echo "$* does not exist" >&2; exit 254`,
      "Memoir-dev-trust is deployed",
    ],
  ] as const) {
    rmSync(called, { force: true });
    plant("aws", lines);
    for (const name of ["npx", "npm"]) plant(name, "exit 0");
    const { status, stderr } = smoke(["--stage", "dev"], region);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(words) });
    expect(readFileSync(called, "utf8")).not.toMatch(/^np[mx] /m);
  }
});

it("a stage whose deployment failed is destroyed, and the failure is reported", () => {
  rmSync(called, { force: true });
  plant("aws", `echo "$* does not exist" >&2; exit 254`);
  plant("npm", "exit 0");
  plant("npx", `case "$*" in *deploy*) exit 7;; esac`);
  const { status, stderr } = smoke(["--stage", "dev"], { AWS_REGION: "us-east-1" });
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("ended with 7") });
  expect(readFileSync(called, "utf8")).toMatch(/^npx .*destroy --all/m);
});

it("only the stage dev may be given", () => {
  expect(smoke(["--stage", "prod", "--dry-run"]).status).toBe(2);
});
