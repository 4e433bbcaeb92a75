/** A task as a call: its script, files, environment and resources. */
import type { TaskPath } from "../../../kernel/index.ts";
import {
  type FileValue,
  type LinkedInput,
  type LiteralFile,
  type StagedInput,
  type TaskCall,
  taskInputs,
  taskWork,
} from "../../../task/index.ts";
import { truthOf } from "../values/compare.ts";
import { Duration } from "../values/duration.ts";
import { GroovyMap } from "../values/map.ts";
import { MemoryUnit } from "../values/memory-unit.ts";
import { asInt } from "../values/number.ts";
import type { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import type { Rules } from "../versions.ts";
import { outputRules, type PlannedOutput } from "./output-plan.ts";
import { captureText, interpreterOf, isBash, normalizedScript } from "./script-text.ts";
import type { ShippedFiles } from "./shipped-files.ts";
import type { TaskObject } from "./task-context.ts";

/** Raised when equal scripts come to mean something else. */
const frontEndVersion = "1";

export interface CallParts {
  /** Declared name of the process. */
  readonly process: string;
  readonly script: string;
  readonly task: TaskObject;
  readonly staged: readonly Path[];
  readonly planned: readonly PlannedOutput[];
  /** Variables of the process and of the configuration. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  /** Files of the pipeline that the script names by their paths. */
  readonly shipped: ShippedFiles;
  /** Folders of programs of the pipeline that the script uses. */
  readonly bin: readonly Path[];
  /** Whether the configuration has switched containers on. */
  readonly containers: boolean;
  /** Tasks without outputs may be reused, too: the cache is that of this session alone. */
  readonly resumes: boolean;
  readonly rules: Rules;
  /** The user's home folder, where scripts may know it. */
  readonly home: string | undefined;
}

export function buildCall(parts: CallParts): Omit<TaskCall, "path"> {
  const { task, staged, planned } = parts;
  const shell = shellWords(task.get("shell") ?? null);
  let script = normalizedScript(parts.script, shell);
  const interpreter = interpreterOf(script);
  const captures = planned.flatMap(({ items }) =>
    items.flatMap((item) =>
      item.kind === "captured" ? [{ kind: item.capture, text: item.text, file: item.file }] : [],
    ),
  );
  if (captures.length > 0 && !isBash(interpreter))
    fail(
      "IllegalArgumentException",
      `Process output of type 'env' or 'eval' is only allowed with Bash scripts -- Current interpreter: ${interpreter}`,
    );
  const inputs: StagedInput[] = [];
  const linkedInputs: LinkedInput[] = [];
  const dangling: string[] = [];
  const copies = task.get("stageInMode") === "copy";
  if (truthOf(task.get("secret") ?? null)) fail("ProcessUnrecoverableException", "secrets are not supported");
  for (const file of staged) {
    // What is not there is linked all the same, as scripts that never read it expect.
    if (!file.isRemote && file.source === undefined && file.files.stat(file.absolute) === undefined) {
      dangling.push(linkText(file.absolute, file.staged ?? file.fileName));
      continue;
    }
    const place = `${taskWork}/${file.staged ?? file.fileName}` as TaskPath;
    // A task that gets copies may change them.
    if (copies) {
      inputs.push({ path: place, source: fileValue(file), writable: true });
      continue;
    }
    const path = `${taskInputs}/${inputs.length + 1}/${file.fileName}` as TaskPath;
    inputs.push({ path, source: fileValue(file) });
    linkedInputs.push({ path: place, to: path });
  }
  const exports: string[] = [];
  for (const folder of parts.bin) {
    const path = `${taskInputs}/${inputs.length + 1}/${folder.fileName}` as TaskPath;
    inputs.push({ path, source: fileValue(folder) });
    exports.push(`export PATH="${path}:$PATH"`);
  }
  for (const { text, file } of parts.shipped.found) {
    const path = `${taskInputs}/${inputs.length + 1}/${file.fileName}` as TaskPath;
    inputs.push({ path, source: fileValue(file) });
    script = script.replaceAll(text, path);
  }
  const literalFiles: LiteralFile[] = [
    { path: `${taskWork}/.command.sh` as TaskPath, content: script + captureText(captures, parts.rules) },
  ];
  if (parts.stdin !== undefined)
    literalFiles.push({ path: `${taskWork}/.command.in` as TaskPath, content: parts.stdin });
  const before = [...moduleLines(task.get("module") ?? null), ...textLines(task.get("beforeScript") ?? null)];
  const after = afterLines(task.get("afterScript") ?? null);
  const run = `${interpreter} ${taskWork}/.command.sh${parts.stdin === undefined ? "" : ` < ${taskWork}/.command.in`}`;
  // One process instead of two, begun by the smaller shell. Texts of the user may need bash, and set traps that wait for
  // its end.
  const alone = before.length + after.length === 0;
  const command = [...dangling, ...exports, ...before, alone ? `exec ${run}` : run, ...after].join("\n");
  const container = task.get("container") ?? null;
  const timeout = task.get("time") ?? null;
  const disk = task.get("disk") ?? null;
  const memory = task.get("memory") ?? null;
  const accelerator = task.get("accelerator") ?? null;
  const inContainer = parts.containers && truthOf(container);
  const home = !inContainer && usesHome(script) ? parts.home : undefined;
  return {
    name: parts.process,
    language: "nextflow",
    frontEndVersion,
    command: `${command}\n`,
    shell: [alone ? "/bin/sh" : "/bin/bash"],
    inputs,
    linkedInputs,
    literalFiles,
    env: home === undefined ? parts.env : { HOME: home, ...parts.env },
    images: inContainer ? [textOf(container)] : [],
    resources: {
      cpu: asInt(task.get("cpus") ?? 1, "the directive cpus"),
      memoryBytes: memory instanceof MemoryUnit ? memory.bytes : 0,
      gpu:
        accelerator instanceof GroovyMap
          ? asInt(accelerator.at("request") ?? 0, "the directive accelerator")
          : 0,
      ...(disk instanceof MemoryUnit && { diskBytes: disk.bytes }),
    },
    ...(timeout instanceof Duration && { timeoutMs: timeout.ms }),
    maxRetries: 0,
    toleratedFailures: everyFailure,
    acceptedExit: { kind: "codes", codes: [0] },
    network: true,
    outputRules: outputRules(planned),
    cachePolicy: cachePolicy(
      task.get("cache") ?? null,
      parts.shipped.unknown ?? (home === undefined || parts.resumes ? undefined : "the home folder"),
      parts.resumes,
    ),
    ...(task.get("cache") === "lenient" && { identity: "lenient" as const }),
  };
}

/** What follows a failure is decided here, so the run must not stop by itself. */
const everyFailure: NonNullable<TaskCall["toleratedFailures"]> = [
  "exit-code",
  "out-of-memory",
  "timed-out",
  "output-missing",
  "image-unavailable",
  "input-unavailable",
  "resources-unavailable",
  "lost",
];

function cachePolicy(
  value: Value,
  unknown: string | undefined,
  withoutOutputs: boolean,
): TaskCall["cachePolicy"] {
  const off = value === false || value === "false";
  if (off) return { kind: "never", reason: "the process says `cache false`" };
  if (unknown !== undefined)
    return { kind: "never", reason: `its script names ${unknown}, and what it reads there is not known` };
  return { kind: "reusable", withoutOutputs };
}

/** Other tasks get an empty home folder, so that nothing in it decides their results. */
function usesHome(script: string): boolean {
  return /\$\{?HOME\b|(?:^|[\s=:"'(])~(?=[/\s]|$)/m.test(script);
}

export function shellWords(value: Value): readonly string[] {
  if (value === null) return ["/bin/bash", "-ue"];
  return isList(value) ? value.map((each) => textOf(each)) : textOf(value).split(/\s+/);
}

export function fileValue(file: Path): FileValue {
  if (file.source !== undefined) return file.source;
  if (file.isRemote) return { kind: "file", location: file.location, basename: file.fileName };
  const found =
    file.files.stat(file.absolute) ??
    fail("NoSuchFileException", `No such file or directory: ${file.location}`);
  return { kind: found.kind, location: file.absolute, basename: file.name };
}

function linkText(target: string, name: string): string {
  const slash = name.lastIndexOf("/");
  const folder = slash < 0 ? "" : `mkdir -p ${quoted(name.slice(0, slash))} && `;
  return `${folder}ln -s ${quoted(target)} ${quoted(name)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function textLines(value: Value): readonly string[] {
  return value === null || !truthOf(value) ? [] : [textOf(value)];
}

/** The exit code of the script stays that of the task. */
function afterLines(value: Value): readonly string[] {
  return truthOf(value) ? ["nf_exit=$?", textOf(value), "exit $nf_exit"] : [];
}

function moduleLines(value: Value): readonly string[] {
  if (!truthOf(value)) return [];
  const names = (isList(value) ? value : [value]).flatMap((each) => textOf(each).split(":"));
  return names.map((each) => `module load ${quoted(each)}`);
}
