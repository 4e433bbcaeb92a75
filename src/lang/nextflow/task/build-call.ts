/** A task as a call: its script, files, environment and resources. */
import { defined, type TaskPath } from "../../../kernel/index.ts";
import {
  type LinkedInput,
  type LiteralFile,
  type StagedInput,
  type TaskCall,
  taskInputs,
  taskWork,
} from "../../../task/index.ts";
import type { Software } from "../../core/index.ts";
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
import { commandText, copyLine, linkLine, moduleLines, scratchOf } from "./command-text.ts";
import { type TaskContainer, wordsOf } from "./container-options.ts";
import { fileValue } from "./file-value.ts";
import type { NamedFiles } from "./named-files.ts";
import { outputRules, type PlannedOutput } from "./output-plan.ts";
import { captureText, interpreterOf, isBash, normalizedScript } from "./script-text.ts";
import type { TaskObject } from "./task-context.ts";

/** Raised when equal scripts come to mean something else. */
const frontEndVersion = "1";

export interface CallParts {
  /** Declared name of the process. */
  readonly process: string;
  readonly script: string;
  readonly task: TaskObject;
  /** Its stub runs, which uses no devices. */
  readonly isStub: boolean;
  readonly staged: readonly Path[];
  readonly planned: readonly PlannedOutput[];
  /** Variables of the process and of the configuration. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  /** Finds the files that texts of the task name by their paths. */
  readonly named: (texts: readonly string[]) => NamedFiles;
  /** Kind of executor that the process asks for; undefined: none. */
  readonly executor: string | undefined;
  /** Of all `clusterOptions` directives. */
  readonly clusterOptions: readonly Value[];
  /** Which of them may be given. Default: all. */
  readonly schedulerOptions: readonly string[] | undefined;
  /** Of conda; undefined: none. */
  readonly software: Software | undefined;
  /** Of all `module` directives. */
  readonly modules: readonly Value[];
  /** Variables whose values are nowhere kept. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The name of a secret that texts of the task contain. */
  readonly shownSecret: (texts: readonly string[]) => string | undefined;
  /** Folders of programs of the pipeline that texts of the task may use. */
  readonly bin: (texts: readonly string[]) => readonly Path[];
  /** undefined: it runs without. */
  readonly container: TaskContainer | undefined;
  /** Tasks without outputs may be reused, too: the cache is that of this session alone. */
  readonly resumes: boolean;
  readonly rules: Rules;
  /** The user's home folder, where scripts may know it. */
  readonly home: string | undefined;
}

export function buildCall(parts: CallParts): Omit<TaskCall, "path"> {
  const { task, staged } = parts;
  const shell = shellWords(task.get("shell") ?? null);
  const before = textLines(task.get("beforeScript") ?? null);
  const after = textLines(task.get("afterScript") ?? null);
  const texts = [
    normalizedScript(parts.script, shell),
    ...capturesOf(parts.planned).map(({ text }) => text),
    ...before,
    ...after,
    ...Object.values(parts.env),
    ...(parts.stdin === undefined ? [] : [parts.stdin]),
  ];
  const named = parts.named(texts);
  const shown = parts.shownSecret(texts);
  const places = new InputPlaces();
  const scratch = scratchOf(
    task.get("scratch") ?? null,
    task.get("stageOutMode") ?? null,
    parts.planned.flatMap(({ items }) => items.flatMap((item) => (item.kind === "path" ? [item] : []))),
  );
  const isCopied = copiesInputs(task.get("stageInMode") ?? null);
  const dangling = staged.filter((file) => !isThere(file));
  const staging = dangling.map((file) => linkLine(file.absolute, nameIn(file)));
  for (const file of staged) {
    if (!isThere(file)) continue;
    if (scratch === undefined) places.stage(file, isCopied);
    else staging.push((isCopied ? copyLine : linkLine)(places.add(file), nameIn(file)));
  }
  const exports = parts.bin(texts).map((folder) => `export PATH="${places.add(folder)}:$PATH"`);
  const moved = named.shipped.map(({ text, file }) => ({ text, path: places.add(file) }));
  for (const file of named.watched) places.add(file);
  /** Files of the pipeline are where the task finds them. */
  const here = (text: string) => moved.reduce((all, each) => all.replaceAll(each.text, each.path), text);
  const planned = parts.planned.map((each) => ({
    ...each,
    items: each.items.map((item) => (item.kind === "captured" ? { ...item, text: here(item.text) } : item)),
  }));
  const script = here(normalizedScript(parts.script, shell));
  const interpreter = interpreterOf(script);
  const captures = capturesOf(planned);
  if (captures.length > 0 && !isBash(interpreter))
    fail(
      "IllegalArgumentException",
      `Process output of type 'env' or 'eval' is only allowed with Bash scripts -- Current interpreter: ${interpreter}`,
    );
  const literalFiles: LiteralFile[] = [
    {
      path: `${taskWork}/.command.sh` as TaskPath,
      isScript: true,
      content:
        script +
        captureText(captures, {
          rules: parts.rules,
          folder: scratch === undefined ? taskWork : '"$NXF_TASK_WORKDIR"',
        }),
    },
  ];
  if (parts.stdin !== undefined)
    literalFiles.push({ path: `${taskWork}/.command.in` as TaskPath, content: here(parts.stdin) });
  const { command, shell: commandShell } = commandText({
    interpreter,
    hasInput: parts.stdin !== undefined,
    exports,
    before: before.map(here),
    modules: moduleLines(parts.modules),
    activation: parts.software === undefined ? [] : activation,
    after: after.map(here),
    staging,
    scratch,
  });
  const { container } = parts;
  const home = container === undefined && texts.some(usesHome) ? parts.home : undefined;
  const timeout = task.get("time") ?? null;
  const disk = task.get("disk") ?? null;
  const memory = task.get("memory") ?? null;
  const accelerator = task.get("accelerator") ?? null;
  return {
    name: parts.process,
    language: "nextflow",
    frontEndVersion,
    command,
    shell: [commandShell],
    inputs: [...places.inputs, ...(container?.mounts ?? [])],
    linkedInputs: places.links,
    literalFiles,
    env: {
      ...(home !== undefined && { HOME: home }),
      ...container?.env,
      ...Object.fromEntries(Object.entries(parts.env).map(([name, text]) => [name, here(text)])),
    },
    ...(container !== undefined &&
      Object.keys(container.passedEnv).length > 0 && { passedEnv: container.passedEnv }),
    ...(Object.keys(parts.secrets).length > 0 && { secretEnv: parts.secrets }),
    images: container === undefined ? [] : [container.image],
    ...(container !== undefined && container.mounts.length > 0 && { needsContainer: true }),
    ...(container !== undefined && container.disks.length > 0 && { disks: container.disks }),
    ...(container !== undefined &&
      container.others.length > 0 && { extraKey: { containerOptions: [...container.others] } }),
    // Where it is does not matter, what is in it does.
    ...(parts.software !== undefined && {
      fixedEnv: { [condaFolder]: parts.software.folder },
      extraKey: { conda: parts.software.identity },
    }),
    resources: {
      cpu: asInt(task.get("cpus") ?? 1, "the directive cpus"),
      memoryBytes: memory instanceof MemoryUnit ? memory.bytes : 0,
      gpu:
        accelerator instanceof GroovyMap && !parts.isStub
          ? asInt(accelerator.at("request") ?? 0, "the directive accelerator")
          : 0,
      ...(disk instanceof MemoryUnit && { diskBytes: disk.bytes }),
    },
    ...(timeout instanceof Duration && { timeoutMs: timeout.ms }),
    ...placementOf(task, parts),
    ...defined({ preferredExecutor: parts.executor }),
    maxRetries: 0,
    toleratedFailures: everyFailure,
    acceptedExit: { kind: "codes", codes: [0] },
    network: true,
    outputRules: outputRules(planned),
    cachePolicy: cachePolicy({
      cache: task.get("cache") ?? null,
      unknown:
        named.unknown ??
        dangling[0]?.absolute ??
        (home === undefined || parts.resumes ? undefined : "the home folder"),
      shown,
      withoutOutputs: parts.resumes,
    }),
    ...(task.get("cache") === "lenient" && { identity: "lenient" as const }),
  };
}

const condaFolder = "NXF_CONDA_PREFIX";

/** As `conda activate` does, without conda. */
const activation = [
  `export CONDA_PREFIX="$${condaFolder}" PATH="$${condaFolder}/bin:$PATH"`,
  `for nf_file in "$${condaFolder}"/etc/conda/activate.d/*.sh; do [ ! -f "$nf_file" ] || . "$nf_file"; done`,
];

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

function cachePolicy({
  cache,
  unknown,
  shown,
  withoutOutputs,
}: {
  readonly cache: Value;
  readonly unknown: string | undefined;
  readonly shown: string | undefined;
  readonly withoutOutputs: boolean;
}): TaskCall["cachePolicy"] {
  if (cache === false || cache === "false")
    return { kind: "never", reason: "the process says `cache false`" };
  if (shown !== undefined)
    return {
      kind: "never",
      reason: `its script contains the value of the secret ${shown}, which is not kept`,
    };
  if (unknown !== undefined)
    return { kind: "never", reason: `it names ${unknown}, and what it reads there is not known` };
  return { kind: "reusable", withoutOutputs };
}

/** What decides how Memoir knows a job again. */
const ownOptions =
  /^(?:--(?:array|chdir|error|export|input|job-name|open-mode|output|parsable|requeue|test-only|wait|wrap)(?:=|$)|-[aDeiJoW])/;

function placementOf(
  task: TaskObject,
  { clusterOptions, schedulerOptions }: Pick<CallParts, "clusterOptions" | "schedulerOptions">,
): Pick<TaskCall, "placement"> {
  const queue = task.get("queue") ?? null;
  const words = clusterOptions
    .flatMap((each) => (isList(each) ? Array.from(each) : [each]))
    .flatMap((each) => (truthOf(each) ? wordsOf(textOf(each)) : []));
  const own = words.find((word) => ownOptions.test(word));
  if (own !== undefined) fail("ProcessUnrecoverableException", `clusterOptions: ${own} is for Memoir to set`);
  if (schedulerOptions !== undefined) {
    const refused = refusedWord(words, schedulerOptions);
    if (refused !== undefined)
      fail(
        "ProcessUnrecoverableException",
        `clusterOptions: ${refused} is refused here -- ${schedulerOptions.length === 0 ? "no options are allowed" : `allowed are ${schedulerOptions.join(", ")}`}`,
      );
    if (truthOf(queue) && !/^[\w.@:-]+$/.test(textOf(queue)))
      fail("ProcessUnrecoverableException", `queue: ${textOf(queue)} is not the name of a queue`);
  }
  if (!truthOf(queue) && words.length === 0) return {};
  return {
    placement: {
      ...(truthOf(queue) && { queue: textOf(queue) }),
      ...(words.length > 0 && { options: words }),
    },
  };
}

/** The first word that no pattern allows: what follows an option without a value would be the job's program. */
function refusedWord(words: readonly string[], allowed: readonly string[]): string | undefined {
  for (let at = 0; at < words.length; at++) {
    const [word = "", next] = words.slice(at, at + 2);
    if (/[\r\n\0]/.test(word)) return JSON.stringify(word);
    const hasValue = allowed.some((each) => each.endsWith("=*") && word.startsWith(each.slice(0, -1)));
    if (allowed.includes(word) || hasValue) continue;
    if (!allowed.includes(`${word} *`) || next === undefined || /^-|[\r\n\0]/.test(next)) return word;
    at++;
  }
  return undefined;
}

/** Other tasks get an empty home folder, so that nothing in it decides their results. */
function usesHome(script: string): boolean {
  return /\$\{?HOME\b|(?:^|[\s=:"'(])~(?=[/\s]|$)/m.test(script);
}

export function shellWords(value: Value): readonly string[] {
  if (value === null) return ["/bin/bash", "-ue"];
  return isList(value) ? value.map((each) => textOf(each)) : textOf(value).split(/\s+/);
}

function textLines(value: Value): readonly string[] {
  return value === null || !truthOf(value) ? [] : [textOf(value)];
}

/** Where inputs are put, each below a number. */
class InputPlaces {
  readonly inputs: StagedInput[] = [];
  readonly links: LinkedInput[] = [];

  add(file: Path): TaskPath {
    const path = `${taskInputs}/${this.inputs.length + 1}/${file.fileName}` as TaskPath;
    this.inputs.push({ path, source: fileValue(file) });
    return path;
  }

  /** Under its name in the working directory. A task that gets copies may change them. */
  stage(file: Path, isCopied: boolean): void {
    const place = `${taskWork}/${nameIn(file)}` as TaskPath;
    if (isCopied) this.inputs.push({ path: place, source: fileValue(file), writable: true });
    else this.links.push({ path: place, to: this.add(file) });
  }
}

function nameIn(file: Path): string {
  return file.staged ?? file.fileName;
}

/** What is not there is linked all the same, as scripts that never read it expect. */
function isThere(file: Path): boolean {
  return file.isRemote || file.source !== undefined || file.files.stat(file.absolute) !== undefined;
}

function capturesOf(planned: readonly PlannedOutput[]) {
  return planned.flatMap(({ items }) =>
    items.flatMap((item) =>
      item.kind === "captured" ? [{ kind: item.capture, text: item.text, file: item.file }] : [],
    ),
  );
}

/** Hard links are copies here: whoever edits one would edit the file of somebody. */
function copiesInputs(mode: Value): boolean {
  const text = truthOf(mode) ? textOf(mode) : "symlink";
  if (text === "copy" || text === "link") return true;
  if (text === "symlink" || text === "rellink") return false;
  return fail(
    "ProcessUnrecoverableException",
    `Unknown stage-in mode: ${text} -- it is symlink, rellink, link or copy`,
  );
}
