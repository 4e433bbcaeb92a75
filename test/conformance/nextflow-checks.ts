/**
 * Nextflow's own scripts with their checks, through the command line: `bash -ex .checks` in a private copy of the folder,
 * with an executable `nextflow` that is Memoir. A script without checks has to end well.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { CaseResult } from "./case-result.ts";

export interface ChecksRequest {
  readonly checkout: string;
  /** The folder of the checkout: `tests`, `tests-v1`. */
  readonly suite: string;
  /** Names of scripts; empty: all. */
  readonly only: readonly string[];
  /** Names of scripts that are not started. */
  readonly leftOut: readonly string[];
  readonly jobs: number;
  /** Variables that lead to a container engine. */
  readonly env: Readonly<Record<string, string>>;
  /** Repositories that are cloned from a folder in place of their address. */
  readonly repositories: readonly { readonly address: string; readonly folder: string }[];
  /** Where the copy is kept, to be looked at. Default: it is removed. */
  readonly keep?: string;
}

/** A script that waits for something that never comes must not stop the others. */
const limitMs = 600_000;

export async function runChecks(request: ChecksRequest): Promise<readonly CaseResult[]> {
  const { checkout, suite, only, leftOut, jobs, keep } = request;
  const names = (await readdir(join(checkout, suite)))
    .filter((name) => name.endsWith(".nf") && (only.length === 0 || only.includes(name)))
    .sort();
  const place = keep ?? (await mkdtemp(join(tmpdir(), "memoir-checks-")));
  await mkdir(place, { recursive: true });
  try {
    await writeProgram(place);
    const results: CaseResult[] = [];
    const waiting = [...names];
    const worker = async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        const result: CaseResult = leftOut.includes(name)
          ? { name, kind: "excluded" }
          : await runCheck(name, place, request);
        results.push(result);
        process.stderr.write(`${result.kind}  ${name}\n`);
      }
    };
    await Promise.all(Array.from({ length: jobs }, worker));
    return results.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    if (keep === undefined) await rm(place, { recursive: true, force: true });
  }
}

async function writeProgram(place: string): Promise<void> {
  await mkdir(join(place, "bin"), { recursive: true });
  const program = join(place, "bin", "nextflow");
  const memoir = resolve("dist", "memoir.js");
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${memoir}' nextflow "$@"\n`);
  await chmod(program, 0o755);
}

async function runCheck(
  name: string,
  place: string,
  { checkout, suite, repositories, env }: ChecksRequest,
): Promise<CaseResult> {
  // A copy for each script: some write next to themselves.
  const copy = join(place, name, suite);
  await rm(join(place, name), { recursive: true, force: true });
  await cp(join(checkout, suite), copy, { recursive: true, verbatimSymlinks: true });
  const folder = join(copy, "checks", name);
  await mkdir(folder, { recursive: true });
  for (const each of await readdir(folder))
    if (!each.startsWith(".")) await rm(join(folder, each), { recursive: true, force: true });
  const hasChecks = await stat(join(folder, ".checks")).then(
    () => true,
    () => false,
  );
  const command = join(place, "bin", "nextflow");
  const script = `../../${name}`;
  const run = `${command} -q run ${script}`;
  const printed = join(place, name, "checks.out");
  const code = await execute(hasChecks ? ["bash", "-ex", ".checks"] : ["bash", "-ec", run], {
    folder,
    printed,
    env: {
      ...inherited(),
      ...env,
      ...Object.fromEntries(repositories.flatMap(insteadOf)),
      ...(repositories.length > 0 && { GIT_CONFIG_COUNT: String(repositories.length) }),
      PATH: `${join(place, "bin")}:${env["PATH"] ?? process.env["PATH"] ?? ""}`,
      MEMOIR_HOME: join(place, name, "home"),
      NXF_HOME: join(place, name, "nextflow-home"),
      NXF_ANSI_LOG: "false",
      NXF_CMD: command,
      NXF_RUN: run,
      NXF_SCRIPT: script,
      NXF_WORK: join(copy, "checks", "scratch"),
      // The suite of the older syntax is run by its parser.
      NXF_SYNTAX_PARSER: suite === "tests-v1" ? "v1" : "v2",
      WITH_DOCKER: process.env["WITH_DOCKER"] ?? "",
    },
  });
  if (code === 0) return { name, kind: "passed" };
  const text = await readFile(printed, "utf8");
  return { name, kind: "failed", ...reasonOf(text, code) };
}

/** Accounts elsewhere and Nextflow's variables of whoever starts this have no part in it. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:AWS_|NXF_|TOWER_|MEMOIR_)/.test(name)),
  );
}

function insteadOf(
  { address, folder }: ChecksRequest["repositories"][number],
  index: number,
): readonly (readonly [string, string])[] {
  return [
    [`GIT_CONFIG_KEY_${index}`, `url.${folder}.insteadOf`],
    [`GIT_CONFIG_VALUE_${index}`, address],
  ];
}

interface Execution {
  readonly folder: string;
  readonly printed: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Answers the exit code; undefined: it took too long. */
async function execute(
  [program = "", ...words]: readonly string[],
  { folder, printed, env }: Execution,
): Promise<number | undefined> {
  const output = createWriteStream(printed);
  await once(output, "open");
  const child = spawn(program, words, {
    cwd: folder,
    env,
    detached: true,
    stdio: ["ignore", output, output],
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  }, limitMs);
  const [code] = await once(child, "exit");
  clearTimeout(timer);
  output.close();
  return late ? undefined : typeof code === "number" ? code : 1;
}

/** The command that failed, with what was printed before. */
function reasonOf(text: string, code: number | undefined): Pick<CaseResult, "why" | "of"> {
  if (code === undefined) return { of: "time", why: `it did not end in ${limitMs / 1000} s` };
  const lines = text.trimEnd().split("\n");
  const commands = lines.filter((line) => /^\++ /.test(line) && !/^\+ false$/.test(line));
  const last = commands.at(-1) ?? "";
  const of =
    last === "" || /nextflow (?:-\S+ )*run\b/.test(last)
      ? "the run itself"
      : commands.slice(-3).some((line) => line.includes(".nextflow.log"))
        ? "lines of .nextflow.log"
        : "what it printed or made";
  return {
    of,
    why: `exit code ${code}\n${lines
      .slice(-12)
      .map((line) => `    ${line.slice(0, 300)}\n`)
      .join("")}`,
  };
}
