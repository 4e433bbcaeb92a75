/** The command of a task: what comes before and after its script, and where the script runs. */
import type { TaskPath } from "../../../kernel/index.ts";
import { taskWork } from "../../../task/index.ts";
import { truthOf } from "../values/compare.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { isGlobbed, type PlannedPath } from "./output-plan.ts";

export interface CommandParts {
  readonly interpreter: string;
  readonly hasInput: boolean;
  readonly exports: readonly string[];
  readonly before: readonly string[];
  readonly modules: readonly string[];
  /** Switches on an environment of programs. */
  readonly activation: readonly string[];
  readonly after: readonly string[];
  /** Puts inputs in place that no executor does. */
  readonly staging: readonly string[];
  readonly scratch: Scratch | undefined;
}

export interface Scratch {
  /** Of the folder in which the one of the task is made, as a shell word. */
  readonly base: string;
  readonly out: "copy" | "move" | "rsync";
  readonly outputs: readonly PlannedPath[];
}

export interface CommandText {
  readonly command: string;
  readonly shell: string;
}

export function commandText(parts: CommandParts): CommandText {
  const { scratch } = parts;
  const input = parts.hasInput ? ` < ${taskWork}/.command.in` : "";
  // As in Nextflow, what prepares the task must succeed.
  const prepared = [...parts.before, ...parts.modules, ...parts.activation];
  const after = scratch === undefined ? parts.after : [...copyBack(scratch), ...parts.after];
  const run = `${parts.interpreter} ${taskWork}/.command.sh${input}`;
  // One process instead of two, begun by the smaller shell. Texts of the user may need bash, and set traps that wait for
  // its end.
  const alone = prepared.length + after.length === 0;
  const lines = [
    ...(scratch === undefined ? [] : enterScratch(scratch)),
    ...parts.staging,
    ...parts.exports,
    ...(prepared.length === 0 ? [] : ["set -e", ...prepared, "set +e"]),
    ...(scratch === undefined ? [] : ['cd "$NXF_TASK_WORKDIR"']),
    alone ? `exec ${run}` : run,
    // The exit code of the script stays that of the task.
    ...(after.length === 0 ? [] : ["nf_exit=$?", ...after, "exit $nf_exit"]),
  ];
  return { command: `${lines.join("\n")}\n`, shell: alone ? "/bin/sh" : "/bin/bash" };
}

/** undefined: the task runs where its results are found. */
export function scratchOf(value: Value, mode: Value, outputs: readonly PlannedPath[]): Scratch | undefined {
  const text = value === null ? "false" : textOf(value);
  if (!truthOf(value) || text === "false") return undefined;
  return { base: baseOf(text), out: outModeOf(mode), outputs };
}

function baseOf(text: string): string {
  if (text === "true") return '"$' + '{TMPDIR:-/tmp}"';
  if (text === "ram-disk") return "/dev/shm";
  const variable = /^\$\{?(\w+)\}?$/.exec(text)?.[1];
  return variable === undefined ? quoted(text) : `"\${${variable}:-/tmp}"`;
}

function outModeOf(value: Value): Scratch["out"] {
  const text = truthOf(value) ? textOf(value) : "copy";
  if (text === "copy" || text === "move" || text === "rsync") return text;
  // Other ways to copy, which differ in speed only.
  if (text === "fcp" || text === "rclone") return "copy";
  return fail(
    "ProcessUnrecoverableException",
    `Unknown stage-out mode: ${text} -- it is copy, move or rsync`,
  );
}

function enterScratch({ base }: Scratch): readonly string[] {
  return [
    `NXF_TASK_WORKDIR=$(mkdir -p ${base} && mktemp -d ${base}/nxf.XXXXXXXXXX) || exit 1`,
    "export NXF_TASK_WORKDIR",
    `trap 'cd /; rm -rf "$NXF_TASK_WORKDIR"' EXIT`,
    'cd "$NXF_TASK_WORKDIR"',
  ];
}

/** Only declared outputs are kept, and only of a script that ended well. */
function copyBack({ out, outputs }: Scratch): readonly string[] {
  const bring = {
    copy: `cp -fRL "$nf_file" "$nf_to"`,
    move: `mv -f "$nf_file" "$nf_to"`,
    rsync: `if command -v rsync >/dev/null; then rsync -rl "$nf_file" "$nf_to"; else cp -fRL "$nf_file" "$nf_to"; fi`,
  }[out];
  const patterns = outputs.flatMap((item) =>
    item.patterns.map((pattern) => ({
      hidden: item.hidden,
      word: isGlobbed(item, pattern) ? globWord(pattern) : quoted(item.glob ? unescaped(pattern) : pattern),
    })),
  );
  return [
    'if [ $nf_exit = 0 ] && cd "$NXF_TASK_WORKDIR"; then',
    "  shopt -s nullglob globstar",
    "  nf_bring() {",
    '    local nf_file nf_to; for nf_file in "$@"; do',
    '      [ -e "$nf_file" ] || continue',
    `      nf_to=${taskWork}/$(dirname "$nf_file"); mkdir -p "$nf_to" && ${bring} || return 1`,
    "    done",
    "  }",
    ...patterns.map(
      ({ hidden, word }) => `  shopt -${hidden ? "s" : "u"} dotglob; nf_bring ${word} || nf_exit=1`,
    ),
    "fi",
  ];
}

function unescaped(pattern: string): string {
  return pattern.replaceAll(/\\(.)/g, "$1");
}

/** Everything but what patterns consist of is taken as it is. */
function globWord(pattern: string): string {
  return pattern.replaceAll(/\\.|[^\w./*?[\]{},!^-]/gs, (each) =>
    each.startsWith("\\") ? each : `\\${each}`,
  );
}

export function linkLine(target: string, name: string): string {
  return `${folderLine(name)}ln -s ${quoted(target)} ${quoted(name)}`;
}

export function copyLine(source: TaskPath, name: string): string {
  return `${folderLine(name)}cp -fRL ${quoted(source)} ${quoted(name)}`;
}

function folderLine(name: string): string {
  const slash = name.lastIndexOf("/");
  return slash < 0 ? "" : `mkdir -p ${quoted(name.slice(0, slash))} && `;
}

export function moduleLines(values: readonly Value[]): readonly string[] {
  const names = values
    .flatMap((each) => (isList(each) ? Array.from(each) : [each]))
    .flatMap((each) => (truthOf(each) ? textOf(each).split(":") : []));
  return names.map((each) => `module load ${quoted(each)}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
