/** Starts `nextflow`, which is Memoir, as the steps with checkouts of pipelines need it: in fresh folders, without a network. */
import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { defined } from "../../src/kernel/index.ts";
import type { CaseResult } from "./case-result.ts";

export interface Ended {
  readonly code: number | null;
  /** Both streams, as they came. */
  readonly out: string;
  /** Of the command itself, without its tasks. */
  readonly peakMiB?: number;
}

export interface Desk {
  readonly folder: string;
  nextflow(...words: readonly string[]): Promise<Ended>;
  /** In a folder below that of the desk, or in an absolute one. */
  at(folder: string): Desk;
  /** With the programs of a folder: by default where there are no others of these names. */
  tools(folder: string, place?: "first"): Desk;
}

/** The command writes its peak memory in KiB as it ends, on a separate stream. */
const peakNote =
  "data:text/javascript,import{writeSync}from'node:fs';process.on('exit',()=>{try{writeSync(3,String(process.resourceUsage().maxRSS))}catch{}})";

/** A program that never ends must not stop the others. */
const limitMs = 900_000;

export async function atDesk<T>(work: (desk: Desk) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "memoir-nextflow-"));
  try {
    const bin = join(folder, "bin");
    await mkdir(bin);
    const command = resolve("dist/memoir.js");
    await writeFile(
      join(bin, "nextflow"),
      `#!/bin/sh\nexec '${process.execPath}' --import "${peakNote}" '${command}' nextflow "$@"\n`,
    );
    await chmod(join(bin, "nextflow"), 0o755);
    const launch = join(folder, "launch");
    await mkdir(launch);
    return await work(
      desk(launch, {
        ...process.env,
        PATH: `${bin}:${process.env["PATH"] ?? ""}`,
        MEMOIR_HOME: join(folder, "home"),
        NXF_HOME: join(folder, "nextflow-home"),
        NXF_OFFLINE: "true",
        NXF_ANSI_LOG: "false",
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function desk(folder: string, env: NodeJS.ProcessEnv): Desk {
  return {
    folder,
    nextflow: (...words) => started("nextflow", words, folder, env),
    at: (name) => desk(resolve(folder, name), env),
    tools: (more, place) => {
      const path = env["PATH"] ?? "";
      return desk(folder, {
        ...env,
        PATH: (place === "first" ? [more, path] : [path, more]).join(delimiter),
      });
    },
  };
}

function started(
  program: string,
  words: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<Ended> {
  return new Promise((done, failed) => {
    const child = spawn(program, words, {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      timeout: limitMs,
    });
    let out = "";
    let peak = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        out += text;
      });
    child.stdio[3]?.on("data", (bytes: Buffer) => {
      peak += bytes.toString();
    });
    child.on("error", failed);
    child.on("close", (code) =>
      done({
        code,
        out,
        ...defined({ peakMiB: peak === "" ? undefined : Math.round(Number(peak) / 1024) }),
      }),
    );
  });
}

/** Collects what is expected of one case, and says all that is not so. */
export class Expectations {
  readonly #wrong: string[] = [];

  equal(what: string, got: unknown, wanted: unknown): void {
    const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
    if (a !== b) this.#wrong.push(`${what}: expected ${b}, got ${a}`);
  }

  holds(what: string, is: boolean): void {
    if (!is) this.#wrong.push(what);
  }

  result(name: string, of: string, ended?: Ended): CaseResult {
    if (this.#wrong.length === 0) return { name, kind: "passed" };
    const tail = ended === undefined ? "" : `\n${ended.out.slice(-2000)}`;
    return { name, kind: "failed", of, why: `${this.#wrong.join("\n")}${tail}` };
  }
}

/** Runs the cases one after the other; what one throws is its failure. */
export async function runCases(
  cases: Readonly<Record<string, () => Promise<CaseResult | readonly CaseResult[]>>>,
  only: readonly string[],
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  for (const [name, run] of Object.entries(cases)) {
    if (only.length > 0 && !only.includes(name)) continue;
    try {
      const made = await run();
      results.push(...(Array.isArray(made) ? (made as readonly CaseResult[]) : [made as CaseResult]));
    } catch (error) {
      results.push({ name, kind: "failed", of: "harness", why: String(error) });
    }
    process.stderr.write(`${name}\n`);
  }
  return results;
}

/** Names after `Submitted process > ` and the like, sorted. */
export function tasksIn(out: string, what: "Submitted" | "Cached"): readonly string[] {
  return [...out.matchAll(new RegExp(`\\] ${what} process > (.*)`, "g"))]
    .map(([, name = ""]) => name.trim())
    .sort();
}
