/** The workflow's own commands, from its YAML, with a folder as the cloud: what GitHub does between them is done here. */
import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { ensureBuilt, memoirProgram } from "../../test/cli/memoir.ts";

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}

interface Job {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
}

const root = join(import.meta.dirname, "../..");
const jobsOf = (path: string) =>
  (parse(readFileSync(join(root, path), "utf8")) as { readonly jobs: Readonly<Record<string, Job>> }).jobs;
const main = jobsOf(".github/workflows/predict.yml");
const slices = main["slices"] as Job;
const slice = jobsOf(slices.uses?.slice(2) ?? "")["work"] as Job;

const folder = mkdtempSync(join(tmpdir(), "memoir-predict-"));
const artifacts = join(folder, "artifacts");
const bin = join(folder, "bin");
const inputs: Readonly<Record<string, string>> = {
  ...{
    model: "molecular-weight",
    source: "",
    library: join(folder, "library.csv"),
    rows: "40",
    stage: "dev",
  },
};
const vars: Readonly<Record<string, string>> = { MEMOIR_CLOUD: join(folder, "cloud") };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  ensureBuilt();
  mkdirSync(bin);
  writeFileSync(join(bin, "memoir"), `#!/bin/sh\nexec "${process.execPath}" "${memoirProgram}" "$@"\n`);
  chmodSync(join(bin, "memoir"), 0o755);
  // Some inputs several times.
  const rows = Array.from({ length: 120 }, (_, at) => `C${"C".repeat(at % 100)}`);
  writeFileSync(inputs["library"] ?? "", ["smiles", ...rows].map((line) => `${line}\n`).join(""));
});

interface Ran {
  readonly failedAt: string | undefined;
  readonly outputs: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly summary: string;
}

/** One job on a separate runner: a folder with nothing but what its steps bring. */
async function runJob(
  { steps = [], env = {} }: Job,
  values: Readonly<Record<string, string>>,
  onStart?: (name: string, kill: () => void) => void,
): Promise<Ran> {
  const runner = mkdtempSync(join(folder, "runner-"));
  const [output, summary] = [join(runner, ".output"), join(runner, ".summary")];
  for (const file of [output, summary]) writeFileSync(file, "");
  const filled = (text: string) =>
    text.replace(/\$\{\{ ([\w.]+) \}\}/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`nothing is called ${name}`);
      return value;
    });
  const environment = {
    ...{ PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: runner, MEMOIR_HOME: join(runner, ".memoir") },
    ...{ GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary, MEMOIR_LOG: "" },
    ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filled(value)])),
  };
  let failedAt: string | undefined;
  for (const step of steps) {
    if (step.uses?.startsWith("actions/upload-artifact@") === true) upload(runner, step.with ?? {}, filled);
    else if (step.uses?.startsWith("actions/download-artifact@") === true) download(runner, step.with ?? {});
    else if (step.run !== undefined && step.name !== "Install Memoir") {
      const code = await runStep({
        run: step.run,
        runner,
        environment,
        onStart: (kill) => onStart?.(step.name ?? "", kill),
      });
      if (code !== 0) {
        failedAt = step.name ?? step.run;
        break;
      }
    }
  }
  const outputs = readFileSync(output, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(/=(.*)/s).slice(0, 2));
  return {
    failedAt,
    folder: runner,
    outputs: Object.fromEntries(outputs),
    summary: readFileSync(summary, "utf8"),
  };
}

/** As a runner starts it. */
function runStep(what: {
  readonly run: string;
  readonly runner: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly onStart: (kill: () => void) => void;
}): Promise<number> {
  const { run, runner, environment, onStart } = what;
  return new Promise((resolve) => {
    const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", run], {
      ...{ cwd: runner, env: environment, detached: true, stdio: ["ignore", "ignore", "inherit"] },
    });
    child.on("close", (code) => resolve(code ?? 137));
    onStart(() => process.kill(-Number(child.pid), "SIGKILL"));
  });
}

function upload(
  runner: string,
  { name = "", path = "" }: Readonly<Record<string, string>>,
  filled: (text: string) => string,
): void {
  const to = join(artifacts, filled(name));
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const each of path.trim().split("\n")) {
    const [base = "", pattern] = each.split("/*");
    const filter = (from: string) =>
      pattern === undefined || from === join(runner, base) || from.endsWith(pattern);
    cpSync(join(runner, base), pattern === undefined ? join(to, base) : to, { recursive: true, filter });
  }
}

function download(runner: string, { name, pattern, path = "." }: Readonly<Record<string, string>>): void {
  const prefix = pattern?.replace("*", "") ?? "";
  const names = name === undefined ? listArtifacts().filter((each) => each.startsWith(prefix)) : [name];
  for (const each of names) cpSync(join(artifacts, each), join(runner, path), { recursive: true });
}

function listArtifacts(): readonly string[] {
  return ["plan", ...Array.from({ length: 256 }, (_, at) => `slice-${at + 1}`)].filter((name) =>
    existsSync(join(artifacts, name)),
  );
}

const given = (of: Readonly<Record<string, string>>, prefix: string) =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [`${prefix}.${name}`, value]));

/** With what the caller hands to the workflow of a slice, by its own `with`. */
function runSlice(number: number, onStart?: (name: string, kill: () => void) => void): Promise<Ran> {
  const values: Readonly<Record<string, string>> = {
    "matrix.slice": String(number),
    ...given(inputs, "inputs"),
  };
  const handed = Object.entries(slices.with ?? {}).map(([name, expression]) => [
    `inputs.${name}`,
    values[/\$\{\{ ([\w.]+) \}\}/.exec(expression)?.[1] ?? ""] ?? "",
  ]);
  return runJob(slice, { ...Object.fromEntries(handed), ...given(vars, "vars") }, onStart);
}

it("plan, slices, a killed slice, its repetition, and verify: every row of the library exactly once", async () => {
  const values = { ...given(inputs, "inputs"), ...given(vars, "vars") };
  const planned = await runJob(main["plan"] as Job, values);
  expect(planned.failedAt).toBeUndefined();
  const matrix = JSON.parse(planned.outputs["matrix"] ?? "") as { readonly slice: readonly number[] };
  expect(matrix.slice.length).toBeGreaterThan(2);
  const [killed = 0, ...others] = matrix.slice;
  const dead = await runSlice(killed, (name, kill) => {
    if (name === "Work") kill();
  });
  expect(dead.failedAt).toBe("Work");
  for (const number of others) expect((await runSlice(number)).failedAt).toBeUndefined();

  const early = await runJob(main["verify"] as Job, values);
  expect(early.failedAt).toBe("Merge");
  expect(early.summary).toContain("waiting");
  expect(existsSync(join(early.folder, "predictions.csv"))).toBe(false);

  expect((await runSlice(killed)).failedAt).toBeUndefined();
  // Once more, as when somebody repeats all jobs: nothing is computed.
  const again = await runSlice(killed);
  expect(JSON.parse(readFileSync(join(again.folder, "worked.json"), "utf8")).counts).toMatchObject({
    computed: 0,
  });

  const verified = await runJob(main["verify"] as Job, values);
  expect(verified.failedAt).toBeUndefined();
  const library = readFileSync(inputs["library"] ?? "", "utf8")
    .trim()
    .split("\n")
    .slice(1);
  const rows = readFileSync(join(verified.folder, "predictions.csv"), "utf8").trim().split("\n").slice(1);
  expect(rows.map((row) => row.split(",")[1])).toEqual(library);
  expect(rows.every((row) => /,\d+(\.\d+)?(,|$)/.test(row))).toBe(true);

  expect((await runJob(main["compact"] as Job, values)).failedAt).toBeUndefined();
  const counted = await runJob(
    {
      steps: [{ name: "Count", run: "memoir dump --model molecular-weight --cloud-cache-only -o all.csv" }],
      env: { MEMOIR_CLOUD: vars["MEMOIR_CLOUD"] ?? "" },
    },
    values,
  );
  expect(counted.failedAt).toBeUndefined();
  const stored = readFileSync(join(counted.folder, "all.csv"), "utf8").trim().split("\n").slice(1);
  expect(stored).toHaveLength(new Set(library).size);
});

it("a model that a shell would take for a command is only a text", async () => {
  const values = {
    ...given({ ...inputs, model: '$(touch "$HOME/harm"); touch harm' }, "inputs"),
    ...given(vars, "vars"),
  };
  const ran = await runJob(main["plan"] as Job, values);
  expect(ran.failedAt).toBe("Plan");
  expect(existsSync(join(ran.folder, "harm"))).toBe(false);
});
