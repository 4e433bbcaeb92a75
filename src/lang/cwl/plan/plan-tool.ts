/**
 * Makes the language-neutral call of a command line tool from evaluated facts: words of the command, environment,
 * streams, working directory, outputs. Nothing else of the document or of its inputs is in the call, so nothing else can
 * make a recorded result look different.
 */
import { join, posix } from "node:path";
import { type Ask, defined } from "../../../kernel/index.ts";
import { type CachePolicy, type TaskCall, taskInputs, taskWork } from "../../../task/index.ts";
import type { FileAccess } from "../../core/index.ts";
import type { Evaluator } from "../expr/evaluator.ts";
import type { Expr } from "../model/expression.ts";
import type { CommandLineTool } from "../model/process.ts";
import type { EnvVar, Requirements, Stated } from "../model/requirements.ts";
import { fileLocation, nameOfLocation, splitName } from "../values/location.ts";
import {
  type CwlRecord,
  type CwlValue,
  cwlRecord,
  type DirectoryV,
  type FileV,
  isFile,
  isFileOrDirectory,
  isList,
  isRecord,
} from "../values/value.ts";
import { commandWords, type Word } from "./bind-arguments.ts";
import { dockerPlan } from "./docker.ts";
import { CwlFailure, failureAt } from "./failure.ts";
import { type PlannedOutputs, planOutputs } from "./output-plan.ts";
import { defaultRuntime, taskTmp, toolResources } from "./resources.ts";
import { Scope } from "./scope.ts";
import { renderScript } from "./script.ts";
import { Stager, stagedInputs } from "./stager.ts";
import { type WorkDir, workDirOf } from "./work-dir.ts";

/** Raised when equal documents come to mean something else. */
export const frontEndVersion = "1.0.0";

/** How often a tool is run again that ended with one of its temporaryFailCodes. */
const temporaryRetries = 2;

export interface ToolRequest {
  readonly tool: CommandLineTool;
  /** In force: its own and what it inherits. */
  readonly requirements: Requirements;
  /** Bound: complete, with defaults. */
  readonly inputs: CwlRecord;
  /** Unique within the run: `main.align[3]`. */
  readonly path: string;
  readonly evaluator: Evaluator;
  readonly files: FileAccess;
  /** Reports hints that cannot be followed. */
  readonly warn?: (words: string) => void;
}

export interface PlannedTool {
  readonly call: TaskCall;
  readonly outputs: PlannedOutputs;
  /** As the task sees them, for the expressions of outputs. */
  readonly inputs: CwlRecord;
  readonly runtime: CwlRecord;
  /** Paths of the task that the tool may change, with everything below them. */
  readonly writable: ReadonlySet<string>;
  /** InplaceUpdateRequirement: locations of what the tool changes -> where the task has its copy. */
  readonly updates: ReadonlyMap<string, string>;
}

/** @throws CwlFailure */
export async function planTool(request: ToolRequest, ask: Ask): Promise<PlannedTool> {
  const { tool, requirements, evaluator, files } = request;
  const docker = dockerPlan(requirements.docker);
  const { outdir } = docker;
  const stager = new Stager();
  const staged = stageAll(request.inputs, tool, stager);
  const known = cwlRecord([...Object.entries(defaultRuntime), ["outdir", outdir]]);
  const first = new Scope({ evaluator, inputs: staged, runtime: known, requirements, ask });
  const follow = hintFollower(request);
  const { resource, initialWorkDir, networkAccess, toolTimeLimit, workReuse } = requirements;
  const { runtime, resources } = await follow(resource, (stated) => toolResources(stated, first));

  const before = first.with({ runtime });
  const work = await follow(initialWorkDir, (stated) => workDirOf(stated, stager, before, tool.version));
  const inputs = cwlRecord(Object.entries(staged).map(([name, value]) => [name, moved(value, work.moved)]));
  const scope = before.with({ inputs });

  const words = await commandWords(tool, inputs, scope);
  const outputs = await planOutputs(tool, scope);
  const stream = async (expr: Expr | undefined, what: string) => {
    if (expr === undefined || outputs.ownStreams.has(expr)) return undefined;
    return textOf(await scope.evaluate(expr), expr, what);
  };
  const stdin = await stream(tool.stdin, "stdin");
  const below = async (expr: Expr | undefined, what: string) =>
    belowOutdir(await stream(expr, what), { expr, what, outdir });
  const stdout = await below(tool.stdout, "stdout");
  const stderr = await below(tool.stderr, "stderr");
  // In a container that must be, as engines run commands there: through a pipe.
  const input = {
    from: stdin ?? "",
    through: requirements.docker?.required === true ? "pipe" : "file",
  } as const;
  const { shell, command, behindEntrypoint } = renderScript(
    words,
    {
      ...(stdin === undefined ? {} : { stdin: input }),
      ...defined({ stdout, stderr }),
    },
    requirements.shellCommand === undefined ? "words" : "shell text",
  );
  const env = await follow(requirements.envVar, (stated) => environment(stated, scope));
  const network = await follow(networkAccess, (stated) =>
    truth(stated?.networkAccess ?? false, "networkAccess", scope),
  );
  const timeoutMs = await follow(toolTimeLimit, (stated) => timeLimit(stated, scope));
  // A hint about reuse that is not understood may have meant that there is none.
  const reusable = await follow(workReuse, async (stated) =>
    stated === undefined ? workReuse === undefined : truth(stated.enableReuse, "enableReuse", scope),
  );
  const empty = join(files.scratch, "empty");
  const everything = stagedInputs(stager.entries(), new Set(), empty);
  const atWork = stagedInputs(
    [...work.placed].map(([path, what]) => [canonical(path, outdir), what] as const),
    new Set([...work.writable].map((path) => canonical(path, outdir))),
    empty,
  );
  if ([...everything.inputs, ...atWork.inputs].some(({ source }) => source.location === empty))
    await files.makeFolder(empty, ask);
  const named = namedOnes(() => [
    command,
    ...Object.values(env),
    JSON.stringify(outputs.rules),
    ...atWork.literalFiles.map((each) => each.content),
  ]);
  return {
    inputs,
    runtime,
    outputs,
    writable: work.writable,
    updates: requirements.inplaceUpdate?.inplaceUpdate === true ? updatesOf(work) : new Map(),
    call: {
      name: tool.name,
      path: request.path,
      language: "cwl",
      frontEndVersion,
      command,
      shell,
      ...programOf(words, shell),
      inputs: [...everything.inputs.filter((each) => named(each.path)), ...atWork.inputs],
      literalFiles: [...everything.literalFiles.filter((each) => named(each.path)), ...atWork.literalFiles],
      env,
      fixedEnv: { HOME: outdir, TMPDIR: taskTmp },
      images: docker.images,
      ...defined({ imageRecipe: docker.recipe, workDir: docker.workDir }),
      behindEntrypoint,
      ...(requirements.docker?.required === true ? { needsContainer: true as const } : {}),
      resources,
      // "It is not an error for an implementation to not satisfy all hints" (v1.2, CommandLineTool.hints).
      ...(requirements.resource?.required === false ? { resourcesAreHints: true as const } : {}),
      ...defined({ timeoutMs }),
      maxRetries: tool.temporaryFailCodes.length === 0 ? 0 : temporaryRetries,
      retriedExit: tool.temporaryFailCodes,
      acceptedExit: { kind: "codes", codes: successCodesOf(tool) },
      network,
      outputRules: outputs.rules,
      cachePolicy: policyOf(requirements, reusable, scope.impure),
    },
  };
}

/**
 * "It is not an error for an implementation to not satisfy all hints" (v1.2, CommandLineTool.hints): a hint whose
 * expressions or values are wrong is reported and left out. A requirement is not, and an expression that takes all its
 * time or memory ends the run wherever it is.
 */
const outOfLimits: ReadonlySet<string> = new Set(["cwl-eval-time", "cwl-eval-memory", "cwl-eval-closed"]);

function hintFollower({ warn }: ToolRequest) {
  return async <Hint extends Stated, Answer>(
    stated: Hint | undefined,
    work: (stated: Hint | undefined) => Promise<Answer>,
  ): Promise<Answer> => {
    if (stated === undefined || stated.required) return work(stated);
    try {
      return await work(stated);
    } catch (error) {
      if (!(error instanceof CwlFailure) || outOfLimits.has(error.diagnostic.code)) throw error;
      warn?.(`it runs without one of its hints: ${error.message}`);
      return work(undefined);
    }
  };
}

/**
 * Shell text may begin with anything; a word that the shell would not read as it stands is not a program. A tool that is a
 * script for bash names none either, as in WDL, with which it shares results: bash is part of the host's identity.
 */
function programOf(words: readonly Word[], shell: readonly string[]): Pick<TaskCall, "program"> {
  if (shell[0] === "/bin/bash") return {};
  const program = words[0]?.text ?? "";
  return /^[^\s=;&|<>()$`"'\\*?#~!{}[\]]+$/.test(program) ? { program } : {};
}

/** A path in the working directory by the name that it has in every call. */
function canonical(path: string, outdir: string): string {
  return path.startsWith(`${outdir}/`) ? taskWork + path.slice(outdir.length) : path;
}

/** What a stream is written to stays in the working directory. @throws CwlFailure */
function belowOutdir(
  name: string | undefined,
  { expr, what, outdir }: { readonly expr: Expr | undefined; readonly what: string; readonly outdir: string },
): string | undefined {
  if (name === undefined || expr === undefined) return undefined;
  if (name !== "" && posix.resolve(outdir, name).startsWith(`${outdir}/`)) return name;
  const shownName = JSON.stringify(name);
  throw failureAt(
    expr.place,
    "cwl-stream",
    `${what} ${shownName}: expected a file name in the working directory`,
  );
}

function updatesOf(work: WorkDir): ReadonlyMap<string, string> {
  const updates = new Map<string, string>();
  for (const [path, what] of work.placed)
    if (what.kind === "source" && work.writable.has(path)) updates.set(what.source.location, path);
  return updates;
}

function stageAll(inputs: CwlRecord, tool: CommandLineTool, stager: Stager): CwlRecord {
  const order = new Map(tool.inputs.map((each, index) => [each.name, index]));
  const entries = Object.entries(inputs).sort(
    ([a], [b]) => (order.get(a) ?? Number.MAX_SAFE_INTEGER) - (order.get(b) ?? Number.MAX_SAFE_INTEGER),
  );
  const staged = new Map(entries.map(([name, value]) => [name, stageValue(value, stager)] as const));
  return cwlRecord(Object.keys(inputs).map((name) => [name, staged.get(name) ?? null]));
}

function stageValue(value: CwlValue, stager: Stager): CwlValue {
  if (isFileOrDirectory(value)) return stager.stage(value);
  if (isList(value)) return value.map((each) => stageValue(each, stager));
  if (isRecord(value))
    return cwlRecord(Object.entries(value).map(([name, each]) => [name, stageValue(each, stager)]));
  return value;
}

/** Inputs that were put into the working directory are there for everything that follows. */
function moved(value: CwlValue, moves: ReadonlyMap<string, string>): CwlValue {
  if (moves.size === 0) return value;
  if (isFileOrDirectory(value)) return movedFile(value, moves);
  if (isList(value)) return value.map((each) => moved(each, moves));
  if (isRecord(value))
    return cwlRecord(Object.entries(value).map(([name, each]) => [name, moved(each, moves)]));
  return value;
}

function movedFile(value: FileV | DirectoryV, moves: ReadonlyMap<string, string>): FileV | DirectoryV {
  const path = value.path === undefined ? undefined : movedPath(value.path, moves);
  const place = path === undefined ? {} : placeFields(path, isFile(value));
  if (isFile(value)) {
    const secondary = value.secondaryFiles?.map((each) => movedFile(each, moves));
    return { ...value, ...place, ...defined({ secondaryFiles: secondary }) };
  }
  const listing = value.listing?.map((each) => movedFile(each, moves));
  return { ...value, ...place, ...defined({ listing }) };
}

function movedPath(path: string, moves: ReadonlyMap<string, string>): string {
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
    const to = moves.get(path.slice(0, end));
    if (to !== undefined) return to + path.slice(end);
  }
  return path;
}

function placeFields(path: string, file: boolean) {
  const location = fileLocation(path);
  const basename = nameOfLocation(location);
  const common = { path, location, basename };
  return file ? { ...common, ...splitName(basename), dirname: path.slice(0, path.lastIndexOf("/")) } : common;
}

/** Staged folders that nothing names cannot be found by the command: what is in them decides nothing. */
function namedOnes(texts: () => readonly string[]): (path: string) => boolean {
  let found: { readonly everything: boolean; readonly mentions: ReadonlySet<string | undefined> } | undefined;
  // Many tools have no files among their inputs, and then nothing asks.
  const find = () => {
    const all = texts().join("\n");
    const mentions = new Set([...all.matchAll(/\/mnt\/memoir\/inputs\/(\d+)/g)].map((match) => match[1]));
    // A command that looks at the folder of all inputs may find any of them.
    return { everything: new RegExp(`${taskInputs}(?!/\\d)`).test(all), mentions };
  };
  return (path) => {
    found ??= find();
    return found.everything || found.mentions.has(path.slice(taskInputs.length + 1).split("/")[0]);
  };
}

/** 0 is success unless the tool says what is, or that it is none. */
function successCodesOf({
  successCodes,
  temporaryFailCodes,
  permanentFailCodes,
}: CommandLineTool): readonly number[] {
  if (successCodes.length > 0) return successCodes;
  return [...temporaryFailCodes, ...permanentFailCodes].includes(0) ? [] : [0];
}

async function environment(stated: EnvVar | undefined, scope: Scope): Promise<Record<string, string>> {
  const env: [string, string][] = [];
  for (const { name, value } of stated?.definitions ?? []) {
    const text = textOf(await scope.evaluate(value), value, `the variable ${name}`);
    // Programs would see another variable, or none.
    if (name === "" || /[=\0]/.test(name) || text.includes("\0"))
      throw failureAt(
        value.place,
        "cwl-env",
        `no environment can hold the variable ${JSON.stringify(name)} with the value ${JSON.stringify(text)}`,
      );
    env.push([name, text]);
  }
  return Object.fromEntries(env);
}

async function truth(written: boolean | Expr, what: string, scope: Scope): Promise<boolean> {
  if (typeof written === "boolean") return written;
  const value = await scope.evaluate(written);
  if (typeof value === "boolean") return value;
  throw failureAt(written.place, `cwl-${what}`, `${what}: expected a boolean, got ${JSON.stringify(value)}`);
}

async function timeLimit(limit: Requirements["toolTimeLimit"], scope: Scope): Promise<number | undefined> {
  if (limit === undefined) return undefined;
  const value = typeof limit.seconds === "number" ? limit.seconds : await scope.evaluate(limit.seconds);
  const seconds = typeof value === "bigint" ? Number(value) : value;
  if (typeof seconds !== "number" || seconds < 0)
    throw failureAt(
      limit.place,
      "cwl-time-limit",
      `timelimit: expected a number of seconds of 0 or more, got ${String(seconds)}`,
    );
  return seconds === 0 ? undefined : seconds * 1000;
}

function textOf(value: CwlValue, expr: Expr, what: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean")
    return String(value);
  throw failureAt(
    expr.place,
    "cwl-no-text",
    `${what}: expected a text, got ${JSON.stringify(value)} from ${expr.text}`,
  );
}

function policyOf(requirements: Requirements, reusable: boolean, impure: string | undefined): CachePolicy {
  if (!reusable) return { kind: "never", reason: "WorkReuse says enableReuse: false" };
  if (requirements.inplaceUpdate?.inplaceUpdate === true)
    return { kind: "never", reason: "InplaceUpdateRequirement: the tool changes its inputs" };
  if (impure !== undefined) return { kind: "never", reason: impure };
  return { kind: "reusable" };
}
