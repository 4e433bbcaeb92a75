/** What a task without an image inherits, and what of the machine decides its result. */
import { readFile, realpath, stat } from "node:fs/promises";
import { digestOf } from "../../hash/index.ts";
import { findProgram } from "../../process/index.ts";

/**
 * Variables that a task gets from its user; the document's own come on top. Nothing else is handed on, and what is handed
 * on is in the identity: it decides what tools answer (order of sorting, dates) and which tools these are.
 */
const inherited = ["PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH"];

/** Programs that most scripts run with. */
export const identityTools = [
  "sh",
  "bash",
  "awk",
  "sed",
  "sort",
  "grep",
  "perl",
  "python3",
  "java",
  "Rscript",
];

export function taskEnvironment(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const pairs = inherited.map((name) => [name, env[name]] as const);
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    ...Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined)),
  };
}

export interface EnvironmentFacts {
  readonly env: Readonly<Record<string, string>>;
  readonly isolate: boolean;
  /** Names looked for on PATH. */
  readonly tools: readonly string[];
}

/**
 * Identity of the machine's environment for keys: OS release, architecture, the variables that are handed on, and of
 * each named tool the real file's size and time of change (packages carry the latter, so equal installations agree). It is cheap
 * and it is weak: a program that is not named, its libraries and its data files may change unnoticed.
 */
export async function environmentIdentity(facts: EnvironmentFacts): Promise<string> {
  const tools: Record<string, string> = {};
  for (const name of facts.tools) tools[name] = await toolIdentity(name, facts.env);
  const digest = digestOf({
    release: await osRelease(),
    architecture: process.arch,
    platform: process.platform,
    isolate: facts.isolate,
    variables: Object.fromEntries(inherited.map((name) => [name, facts.env[name] ?? null])),
    tools,
  });
  return `host:${digest}`;
}

async function toolIdentity(name: string, env: Readonly<Record<string, string>>): Promise<string> {
  const path = await findProgram(name, env, "/");
  if (path === undefined) return "absent";
  const facts = await stat(await realpath(path));
  return `${facts.size} bytes, ${Math.floor(facts.mtimeMs / 1000)}`;
}

async function osRelease(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => /^(ID|VERSION_ID|BUILD_ID)=/.test(line));
  return lines.join(" ");
}
