/** Prepares an attempt that runs as a job of a scheduler, with the programs of a node that sees the attempt's directory. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type Ask, bytesOfText, nameOfBytes, onDisk } from "../../kernel/index.ts";
import { attemptPaths, substituteTaskRoot } from "./attempt-paths.ts";
import type { Attempt } from "./executor.ts";
import { jobPaths } from "./job-files.ts";
import { quoted, runScript } from "./job-script.ts";
import { prepareAttempt, type Staging } from "./prepare-attempt.ts";
import { wrapperArguments } from "./wrapper.ts";

export interface JobPlace {
  /** Of every task; the variables of the attempt come on top. */
  readonly env: Readonly<Record<string, string>>;
  /** Paths that need no quoting. */
  readonly plainPath: RegExp;
}

/** Writes what the job becomes. Inputs are copies, so that no task can change them. */
export async function prepareJob(attempt: Attempt, place: JobPlace, ask: Ask): Promise<Staging> {
  const { directory } = attempt;
  const isPlain = place.plainPath.test(directory);
  const root = isPlain ? directory : aliasOf(attempt.id);
  const rewrite = (text: string) => substituteTaskRoot(text, root);
  const staging = await prepareAttempt(attempt, { inputs: "copies", root: directory, rewrite }, ask);
  const own = attemptPaths(root);
  const declared = { HOME: own.tmp, TMPDIR: own.tmp, ...attempt.env };
  const env = {
    ...place.env,
    ...Object.fromEntries(Object.entries(declared).map(([name, value]) => [name, rewrite(value)])),
  };
  const command = [...attempt.shell, scriptOf(directory, root, rewrite), ...(attempt.arguments ?? [])];
  const words = ["/bin/sh", ...wrapperArguments(root, { kind: "job" }, command)];
  const tidy = isPlain ? undefined : aliasScripts({ directory, alias: root });
  const paths = jobPaths(directory);
  mkdirSync(onDisk(paths.folder), { recursive: true });
  // It has the values of secrets.
  writeFileSync(onDisk(paths.run), bytesOfText((tidy?.before ?? "") + runScript(env, words)), {
    mode: 0o600,
  });
  if (tidy !== undefined) writeFileSync(onDisk(paths.after), bytesOfText(tidy.after));
  return staging;
}

/** The path of the script as the task sees it; the engine's own file where nothing in it has to change. */
function scriptOf(directory: string, root: string, rewrite: (text: string) => string): string {
  const here = attemptPaths(directory);
  const text = nameOfBytes(readFileSync(onDisk(here.command)));
  const changed = rewrite(text);
  if (changed === text) return attemptPaths(root).command;
  writeFileSync(onDisk(here.hostCommand), bytesOfText(changed));
  return attemptPaths(root).hostCommand;
}

/** Of an attempt whose path needs quoting: on the node, where only its job needs it. */
function aliasOf(attemptId: string): string {
  return `/tmp/${attemptId}`;
}

/** Scripts rarely quote what the task root becomes, so the node gets a plain name for an odd path. */
function aliasScripts({ directory, alias }: { readonly directory: string; readonly alias: string }): {
  readonly before: string;
  readonly after: string;
} {
  const [to, at] = [quoted(directory), quoted(alias)];
  return {
    before: `ln -sn ${to} ${at} 2>/dev/null || [ "$(readlink ${at})" = ${to} ] || exit 125\n`,
    after: `rm -f ${at}\n`,
  };
}
