/** Ersilia's own programs in Python, run from checkouts that the environment names. */
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { memoirProgram, type Sandbox } from "../cli/memoir.ts";
import type { Requirement } from "../servers/requirement.ts";

export const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** `modules` are Python packages without which the programs cannot be run at all. */
export function checkout(options: {
  readonly variable: string;
  readonly repository: string;
  readonly file: string;
  readonly modules: readonly string[];
}): Requirement {
  const { variable, repository, file, modules } = options;
  return {
    name: `a checkout of ${repository}`,
    programs: ["python3"],
    debianPackages: [],
    otherwise: `git clone https://github.com/${repository} and name the folder in ${variable}`,
    check: () => {
      const folder = process.env[variable] ?? "";
      if (folder === "") return `${variable} is not set`;
      if (!existsSync(join(folder, file))) return `there is no ${file} in ${folder}`;
      const lacking = modules.filter((name) => spawnSync("python3", ["-c", `import ${name}`]).status !== 0);
      return lacking.length === 0 ? undefined : `python3 has no ${lacking.join(", ")} (pip install them)`;
    },
  };
}

export interface Said {
  readonly code: number | null;
  readonly said: string;
}

export function python(
  sandbox: Sandbox,
  words: readonly string[],
  more: {
    readonly path: readonly string[];
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<Said> {
  mkdirSync(sandbox.path("user"), { recursive: true });
  mkdirSync(sandbox.path("scratch"), { recursive: true });
  const child = spawn("python3", words, {
    cwd: more.cwd ?? sandbox.folder,
    env: {
      ...{ PATH: process.env["PATH"] ?? "", HOME: sandbox.path("user"), PYTHONDONTWRITEBYTECODE: "1" },
      PYTHONPATH: more.path.join(":"),
      MEMOIR_COMMAND: JSON.stringify([process.execPath, memoirProgram]),
      MEMOIR_SCRATCH: sandbox.path("scratch"),
      ...more.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, said }));
  });
}

/** One line for `npm run conformance -- ersilia`, which names a file for them. */
export function report(line: string): void {
  const file = process.env["MEMOIR_CONFORMANCE_REPORT"];
  if (file !== undefined) appendFileSync(file, `${line}\n`);
}
