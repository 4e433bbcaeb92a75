/** Finds the outputs of a finished task. */

import { defined } from "../../../kernel/index.ts";
import {
  AttemptProblem,
  type FileValue,
  type FinishedAttempt,
  type Value as NeutralValue,
  type Outputs,
  taskWork,
} from "../../../task/index.ts";
import type { OutputCollector } from "../../core/index.ts";
import { globMatches, isPattern } from "../channels/glob.ts";
import { cleaned } from "../values/path.ts";
import { isGlobbed, type PlannedOutput, type PlannedPath } from "./output-plan.ts";

export interface CollectOptions {
  readonly process: string;
  readonly planned: readonly PlannedOutput[];
  /** Names of inputs in the working directory, which globs leave out. */
  readonly staged: ReadonlySet<string>;
}

/** Files carry their path in the working directory: publishing and `name` need it. */
export const pathMember = "path";

/** Of a link: its text, which `publishDir mode: 'copyNoFollow'` keeps. */
export const linkMember = "link";

export function collectorOf(options: CollectOptions): OutputCollector {
  return async (finished) => {
    const outputs: Record<string, NeutralValue> = {};
    for (const { items } of options.planned) {
      for (const item of items) {
        if (item.kind === "val") continue;
        if (item.kind === "stdout") outputs[item.id] = await finished.files.readText("/mnt/memoir/stdout");
        else if (item.kind === "captured") {
          const text = await captured(finished, item.file);
          if (text === undefined)
            return missing(
              `Missing environment variable or value \`${item.text}\` expected by process \`${options.process}\``,
            );
          outputs[item.id] = text;
        } else {
          const found = await filesFor(item, finished, options);
          const problem = countProblem(item, found.length, options.process);
          if (problem !== undefined) return missing(problem);
          outputs[item.id] = found;
        }
      }
    }
    const kept: Outputs = outputs;
    return { kind: "collected", outputs: kept };
  };
}

function missing(message: string) {
  return { kind: "missing", message } as const;
}

async function captured(finished: FinishedAttempt, file: string): Promise<string | undefined> {
  if ((await finished.files.stat(`${taskWork}/${file}`))?.kind !== "file") return undefined;
  return (await finished.files.readText(`${taskWork}/${file}`)).replace(/^[\r\n]+|[\r\n]+$/g, "");
}

function countProblem(item: PlannedPath, count: number, process: string): string | undefined {
  const optional = item.optional || item.arity?.least === 0;
  if (count === 0 && !optional) {
    const note =
      !item.includeInputs && item.patterns.some((each) => isPattern(each))
        ? " (note: input files are not included in the default matching set)"
        : "";
    return `Missing output file(s) \`${item.patterns.join("`, `")}\` expected by process \`${process}\`${note}`;
  }
  if (item.arity === undefined || count === 0) return undefined;
  if (count < item.arity.least || count > item.arity.most)
    return `Incorrect number of output files for process \`${process}\` -- expected ${item.arity.least}..${item.arity.most}, found ${count}`;
  return undefined;
}

async function filesFor(
  item: PlannedPath,
  finished: FinishedAttempt,
  options: CollectOptions,
): Promise<FileValue[]> {
  const found = new Map<string, FileValue>();
  for (const pattern of item.patterns) {
    const names = isGlobbed(item, pattern)
      ? await matching(item, pattern, finished, options.staged)
      : [item.glob ? pattern.replaceAll(/\\(.)/g, "$1") : pattern];
    for (const name of names) {
      if (found.has(name)) continue;
      const stat = await statOf(finished, name);
      if (stat === undefined || stat.kind === "special") continue;
      if (item.type !== "any" && (item.type === "dir") !== (stat.kind === "directory")) continue;
      found.set(name, {
        kind: stat.kind,
        location: await finished.files.locationOf(`${taskWork}/${name}`),
        basename: name.slice(name.lastIndexOf("/") + 1),
        ...(name.includes("/") && { folder: name.slice(0, name.lastIndexOf("/")) }),
        extra: { [pathMember]: name, ...defined({ [linkMember]: await innerLink(finished, name) }) },
      });
    }
  }
  return [...found.values()];
}

/** Text of a link that leads to something else of the task, by a relative path. */
async function innerLink(finished: FinishedAttempt, name: string): Promise<string | undefined> {
  const text = await finished.files.readLink(`${taskWork}/${name}`);
  if (text === undefined || text.startsWith("/")) return undefined;
  return /^\.\.(?:\/|$)/.test(cleaned(`${name}/../${text}`)) ? undefined : text;
}

/** A link that leads to nothing of the task is not there. */
async function statOf(finished: FinishedAttempt, name: string) {
  try {
    return await finished.files.stat(`${taskWork}/${name}`);
  } catch (error) {
    if (error instanceof AttemptProblem) return undefined;
    throw error;
  }
}

/** Sorted by path. What the machinery of a task writes is never found. */
async function matching(
  item: PlannedPath,
  pattern: string,
  finished: FinishedAttempt,
  staged: ReadonlySet<string>,
): Promise<readonly string[]> {
  const depth = item.maxDepth ?? (pattern.includes("**") ? 100 : pattern.split("/").length - 1);
  const names: string[] = [];
  const visit = async (folder: string, level: number): Promise<void> => {
    for (const member of (await finished.files.list(`${taskWork}/${folder}`)) ?? []) {
      if (
        member.name.startsWith(".") &&
        (!item.hidden || (folder === "" && member.name.startsWith(".command.")))
      )
        continue;
      const name = folder + member.name;
      // An input is not found itself; what is in a folder that is one is.
      if ((item.includeInputs || !staged.has(name)) && globMatches(pattern, name)) names.push(name);
      if (level >= depth) continue;
      const kind =
        member.kind === "link" && item.followLinks ? (await statOf(finished, name))?.kind : member.kind;
      if (kind === "directory") await visit(`${name}/`, level + 1);
    }
  };
  await visit("", 0);
  return names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
