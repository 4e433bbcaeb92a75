/** Computing a call: attempts until one succeeds or may not be repeated, and the collection of its outputs. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Attempt,
  type AttemptEnd,
  attemptPaths,
  type Executor,
  type PinnedImage,
  type SharedAttempt,
  SharedAttemptFiles,
  type Usage,
} from "../exec/core/index.ts";
import { byCodeUnit, digestOf, sha256 } from "../hash/index.ts";
import {
  AppError,
  type Ask,
  asAppError,
  bytesOfText,
  type CallKey,
  defined,
  invariant,
  isAppError,
  messageOf,
  sizeText,
  systemErrorCode,
  type TaskPath,
} from "../kernel/index.ts";
import type { Identity } from "../keys/index.ts";
import type { OutputCollector } from "../lang/core/index.ts";
import { readTail } from "../process/index.ts";
import type {
  AttemptFiles,
  Brought,
  FileValue,
  Outputs,
  Resources,
  StagedInput,
  StoredContent,
  TaskCall,
  TaskFailure,
} from "../task/index.ts";
import type { Leave } from "./call-turns.ts";
import type { Emit } from "./events.ts";
import { exitCodeMessage, mayBeRetried, readOnlyHint } from "./failure-messages.ts";
import { filesOf } from "./files-of.ts";
import type { Materials } from "./materials.ts";
import type { Obstacle } from "./staging.ts";
import { spreadStored } from "./stored-outputs.ts";

export interface AttemptParts {
  readonly runId: string;
  readonly executor: Executor;
  readonly materials: Materials;
  readonly emit: Emit;
  /** Cores of the machine: a call that is allowed more shares them. */
  readonly cpus: number;
  readonly copyInputs?: true;
}

export interface AttemptOrder {
  readonly task: TaskCall;
  readonly collect: OutputCollector;
  readonly image?: PinnedImage;
  /** Of the call; the first attempt uses it itself, later ones a folder below. */
  readonly directory: string;
  readonly key?: CallKey;
  /** What the inputs were identified as; nothing else may be computed from. */
  readonly identities?: ReadonlyMap<TaskPath, Identity>;
  /** The first attempt is one that an earlier process started; it is waited for instead of being started. */
  readonly adopt?: { readonly attemptId: string; readonly directory: string; readonly fromRun: string };
  /** Given back when a command has ended well: to collect what it left needs the disk, not the processors. */
  readonly leave?: Leave;
  /** The first attempt, where it was placed before the turn of its call. */
  readonly ahead?: Ahead;
}

/** undefined = nothing was placed that can be used. */
export type Ahead = Promise<Attempt | undefined>;

export type Computation =
  | {
      readonly kind: "computed";
      readonly outputs: Outputs;
      /** Of the attempt that succeeded. */
      readonly directory: string;
      readonly exitCode: number;
      readonly usage: Usage;
      /** ISO 8601: when the command had ended, before its outputs were collected. */
      readonly endedAt: string;
      /** Why the result must not be recorded although the command succeeded. */
      readonly doubt?: string;
      /** With the local paths where their bytes were. */
      readonly inputs: readonly StagedInput[];
      /** Of outputs that are in an object store. */
      readonly stored?: Readonly<Record<string, StoredContent>>;
    }
  /** Nothing was started: the inputs are not what the call was identified with. */
  | { readonly kind: "obstructed"; readonly obstacle: Obstacle }
  | { readonly kind: "failed"; readonly failure: TaskFailure }
  | { readonly kind: "cancelled" };

/** Times that an attempt which vanished is repeated, whatever the task allows. */
const mostLosses = 2;
const stderrTailBytes = 8 << 10;

export async function compute(parts: AttemptParts, order: AttemptOrder, ask: Ask): Promise<Computation> {
  const { task } = order;
  let retriesLeft = task.maxRetries;
  let lossesLeft = mostLosses;
  for (let number = 0; ; number++) {
    const ended = await attemptOnce(parts, order, number, ask);
    if (ended.kind !== "failed") return ended;
    const { failure } = ended;
    if (ask.signal.aborted || !mayBeRetried(failure, task)) return ended;
    if (failure.kind === "lost" && lossesLeft > 0) lossesLeft--;
    else if (retriesLeft > 0) retriesLeft--;
    else return ended;
    if (order.leave !== undefined && !(await order.leave.again(ask))) return ended;
    parts.emit({ kind: "call.retried", call: task.path, task: task.name, why: failure });
  }
}

async function attemptOnce(
  parts: AttemptParts,
  order: AttemptOrder,
  number: number,
  ask: Ask,
): Promise<Computation> {
  const adopted = number === 0 ? order.adopt : undefined;
  const own = number === 0 ? order.directory : join(order.directory, `attempt-${number + 1}`);
  const directory = adopted?.directory ?? own;
  const failed = (failure: Omit<TaskFailure, "attempts">): Computation => ({
    kind: "failed",
    failure: { ...failure, attempts: number + 1 },
  });
  const trouble = diskTrouble(order, parts.executor);
  if (trouble !== undefined) return failed({ kind: "resources-unavailable", message: trouble });
  let attempt: Attempt;
  let end: AttemptEnd;
  try {
    const ahead = number === 0 && adopted === undefined ? await order.ahead : undefined;
    const prepared =
      ahead ?? (await prepare(parts, order, { directory, number, id: adopted?.attemptId }, ask));
    if ("kind" in prepared) return { kind: "obstructed", obstacle: prepared };
    attempt = prepared;
    if (adopted !== undefined)
      parts.emit({
        kind: "call.adopted",
        call: order.task.path,
        attemptId: attempt.id,
        fromRun: adopted.fromRun,
      });
    parts.emit({
      kind: "call.started",
      call: order.task.path,
      task: order.task.name,
      attempt: number + 1,
      attemptId: attempt.id,
      directory,
      ...defined({ executor: order.task.executor, key: order.key }),
      ...(order.image === undefined
        ? {}
        : {
            image: order.image.requested,
            imageDigest: order.image.manifestDigest ?? order.image.configDigest,
          }),
      ...(order.identities === undefined ? {} : { inputs: stateOfInputs(order.identities) }),
    });
    await parts.executor.start(attempt, ask);
    end = await parts.executor.wait(attempt, ask);
  } catch (error) {
    if (isAppError(error, "RUN_INTERRUPTED")) return { kind: "cancelled" };
    return startFailure(error, failed);
  }
  const endedAt = new Date().toISOString();
  // Of any other end it is reported first that it failed, so that with fail-fast no waiting call slips in.
  if (endedWell(order.task, end)) order.leave?.release();
  try {
    return await conclude(parts.executor, order, { attempt, number, end, endedAt, failed }, ask);
  } catch (error) {
    if (!isAppError(error, "EXEC_ENGINE_FAILED")) throw error;
    return failed({ kind: "lost", message: error.message, directory });
  } finally {
    // Not before its outputs are here: they may be inside the container.
    await parts.executor.remove(attempt, ask).catch((error) => {
      parts.emit({ kind: "log", words: `removing ${attempt.id}: ${messageOf(error)}` });
    });
  }
}

/** Places the inputs of a call's first attempt, where its executor can do that before it starts it. */
export async function placeAhead(parts: AttemptParts, order: AttemptOrder, ask: Ask): Ahead {
  const place = { directory: order.directory, number: 0, id: undefined };
  const prepared = await prepare(parts, order, place, ask);
  if ("kind" in prepared) return undefined;
  return (await parts.executor.place?.(prepared, ask)) === "placed" ? prepared : undefined;
}

/**
 * Digest of what the inputs' stamps say. An attempt that has outlived its process has read the inputs that are there now
 * only if this is the same: contents that are equal now may have been different meanwhile.
 */
export function stateOfInputs(identities: ReadonlyMap<TaskPath, Identity>): string {
  const states = [...identities].map(([path, { stamp, text }]) => [path, stamp ?? text]);
  return digestOf(states.sort(([a = ""], [b = ""]) => byCodeUnit(a, b)));
}

/** Words when the call needs a disk that cannot be mounted where it would run. */
function diskTrouble({ task, image }: AttemptOrder, { can }: Executor): string | undefined {
  if (image !== undefined || can.mountsTaskRoot) return undefined;
  const disk = task.disks?.find(({ needed }) => needed);
  if (disk === undefined) return undefined;
  return `asks for a disk at ${disk.path}, which can be mounted only in a container (--executor container) or a sandbox (--isolate)`;
}

/** Those that can be mounted where the call runs. */
function mountedDisks({ task, image }: AttemptOrder, { can }: Executor): Pick<Attempt, "disks"> {
  if (task.disks === undefined || (image === undefined && !can.mountsTaskRoot)) return {};
  return { disks: task.disks.map(({ path }) => path) };
}

function startFailure(
  thrown: unknown,
  failed: (failure: Omit<TaskFailure, "attempts">) => Computation,
): Computation {
  const error = asAppError(thrown) ?? thrown;
  if (isAppError(error, "EXEC_ENGINE_NOT_FOUND") || isAppError(error, "DISK_FULL")) throw error;
  if (!isAppError(error)) throw error;
  const message = `${error.message}. ${error.hint}`;
  if (error.row.kind === "not-found" || error.code === "FILE_NOT_REGULAR")
    return failed({ kind: "input-unavailable", message });
  return failed({ kind: error.row.retry === "later" ? "lost" : "resources-unavailable", message });
}

async function prepare(
  parts: AttemptParts,
  order: AttemptOrder,
  place: { readonly directory: string; readonly number: number; readonly id: string | undefined },
  ask: Ask,
): Promise<Attempt | Obstacle> {
  const { task, image } = order;
  const stored = new Map<string, StoredContent>();
  const { materials, executor } = parts;
  const locationOf = async (file: FileValue, identity: Identity | undefined): Promise<string | Obstacle> => {
    const found = executor.can.sharesFiles
      ? await materials.stage(file, identity, ask)
      : await materials.locate(file, identity, ask);
    if (found.kind === "here") return found.path;
    if (found.kind !== "there") return found;
    stored.set(found.location, found.content);
    return found.location;
  };
  const staged = await Promise.all(
    task.inputs.map(async (input): Promise<StagedInput | Obstacle> => {
      const location = await locationOf(input.source, order.identities?.get(input.path));
      if (typeof location !== "string") return location;
      const siblings: FileValue[] = [];
      // Where files are shared, whoever named them has put them where they are.
      for (const sibling of executor.can.sharesFiles ? [] : (input.source.siblings ?? [])) {
        const at = await locationOf(sibling, undefined);
        if (typeof at !== "string") return at;
        siblings.push({ ...sibling, location: at });
      }
      if (siblings.length === 0 && location === input.source.location) return input;
      const source = { ...input.source, location, ...(siblings.length === 0 ? {} : { siblings }) };
      return { ...input, source };
    }),
  );
  const inputs: StagedInput[] = [];
  for (const input of staged) {
    if ("kind" in input) return input;
    inputs.push(input);
  }
  const behind = image?.entrypoint === undefined ? undefined : task.behindEntrypoint;
  try {
    // Made at once: for two small things a thread's turn would take longer than the disk.
    if (place.number > 0) mkdirSync(place.directory, { recursive: true });
    if (place.id === undefined)
      writeFileSync(attemptPaths(place.directory).command, bytesOfText((behind ?? task).command));
  } catch (error) {
    const code = systemErrorCode(error) === "ENOSPC" ? "DISK_FULL" : "RUN_FOLDER_NOT_WRITABLE";
    throw new AppError(code, `preparing ${task.path} in ${place.directory}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return {
    id: place.id ?? attemptId(parts.runId, task.path, place.number),
    directory: place.directory,
    shell: (behind ?? task).shell,
    ...(behind === undefined ? {} : { arguments: image?.entrypoint ?? [] }),
    ...(image === undefined || task.workDir === undefined ? {} : { workDir: task.workDir }),
    inputs,
    ...(stored.size === 0 ? {} : { stored }),
    ...defined({ linkedInputs: task.linkedInputs }),
    ...(parts.copyInputs === true ? { copyInputs: true } : {}),
    literalFiles: task.literalFiles,
    ...mountedDisks(order, parts.executor),
    env: { ...task.fixedEnv, ...task.passedEnv, ...task.env, ...task.secretEnv },
    ...defined({ image }),
    resources: { ...task.resources, cpu: Math.min(task.resources.cpu, parts.cpus) },
    ...defined({ timeoutMs: task.timeoutMs, placement: task.placement }),
    network: task.network,
    labels: { "memoir.run": parts.runId, "memoir.call": task.path },
  };
}

/** `memoir-<run>-<digest of the call's path>-<number>`: at most 63 characters that every engine accepts. */
function attemptId(runId: string, path: string, number: number): string {
  const run = runId.replace(/[^A-Za-z0-9_.-]/g, "_").slice(-32);
  return `memoir-${run}-${sha256(path).slice(0, 12)}-${number}`;
}

interface EndedAttempt {
  readonly attempt: Attempt;
  readonly number: number;
  readonly end: AttemptEnd;
  readonly endedAt: string;
  readonly failed: (failure: Omit<TaskFailure, "attempts">) => Computation;
}

async function conclude(
  executor: Executor,
  order: AttemptOrder,
  ended: EndedAttempt,
  ask: Ask,
): Promise<Computation> {
  const { attempt, number, end, endedAt, failed } = ended;
  const { task } = order;
  const { directory } = attempt;
  if (end.kind === "cancelled") return { kind: "cancelled" };
  if (end.kind === "lost")
    return failed({ kind: "lost", message: `the attempt was lost: ${end.message}`, directory });
  // Only of a task that failed: one that went well has no reader for it.
  const where = async () => {
    const stderr = await tailOf(attemptPaths(directory).stderr);
    return { directory, ...(stderr === "" ? {} : { stderrTail: stderr }) };
  };
  if (end.kind === "timed-out")
    return failed({
      kind: "timed-out",
      message: `timed out after ${seconds(task.timeoutMs)}`,
      ...(await where()),
    });
  const { exitCode, outOfMemory, usage } = end;
  if (end.spoiled !== undefined)
    return failed({
      kind: "output-missing",
      message: `the task has deleted or replaced ${end.spoiled}, which its outputs are read with`,
      exitCode,
      ...(await where()),
    });
  if (!accepts(task, exitCode)) {
    const facts = { exitCode, ...(await where()) };
    if (outOfMemory)
      return failed({ kind: "out-of-memory", message: memoryMessage(task.resources), ...facts });
    const hint = readOnlyHint(attempt, facts.stderrTail);
    return failed({ kind: "exit-code", message: exitCodeMessage(exitCode) + hint, ...facts });
  }
  const files: AttemptFiles | undefined = executor.can.sharesFiles
    ? new SharedAttemptFiles({ ...attempt, ...bringer(executor, attempt, ask) })
    : executor.filesOf?.(attempt, ask);
  invariant(files !== undefined, `the executor ${executor.name} knows where its attempts' files are`);
  const collected = await order.collect(
    { exitCode, files, attempt: number, resources: attempt.resources },
    ask,
  );
  if (collected.kind === "missing") {
    const facts = { exitCode, ...(await where()) };
    const message = collected.message + readOnlyHint(attempt, facts.stderrTail);
    return failed({ kind: "output-missing", message, ...facts });
  }
  const doubt = outOfMemory
    ? "a part of the task ran out of memory although the command continued"
    : collected.doubt;
  const stored = storedIn(collected.outputs, files);
  return {
    kind: "computed",
    ...defined({ stored }),
    outputs: collected.outputs,
    directory,
    exitCode,
    usage,
    endedAt,
    inputs: attempt.inputs,
    ...defined({ doubt }),
  };
}

/** What is known of outputs that stay in an object store; undefined where none do. */
function storedIn(
  outputs: Outputs,
  files: AttemptFiles,
): Readonly<Record<string, StoredContent>> | undefined {
  const contents = new Map<string, StoredContent>();
  for (const { location } of filesOf(outputs)) {
    const content = files.contentAt?.(location);
    if (content !== undefined) contents.set(location, content);
  }
  return contents.size === 0 ? undefined : spreadStored(contents);
}

function bringer(executor: Executor, attempt: Attempt, ask: Ask): Pick<SharedAttempt, "bring"> {
  if (attempt.image === undefined || executor.copyOut === undefined) return {};
  const brought = new Map<string, Promise<Brought>>();
  const copy = (taskPath: string) => executor.copyOut?.(attempt, taskPath, ask);
  return {
    bring: async (taskPath) => {
      const known = brought.get(taskPath) ?? copy(taskPath) ?? Promise.resolve({ kind: "missing" as const });
      brought.set(taskPath, known);
      return known;
    },
  };
}

function endedWell(task: TaskCall, end: AttemptEnd): boolean {
  return end.kind === "exited" && end.spoiled === undefined && accepts(task, end.exitCode);
}

function accepts(task: TaskCall, exitCode: number): boolean {
  return task.acceptedExit.kind === "any" || task.acceptedExit.codes.includes(exitCode);
}

function memoryMessage(resources: Resources): string {
  return `out of memory: it had ${sizeText(resources.memoryBytes)}; give the task more memory`;
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? "time" : `${Math.round(ms / 100) / 10} s`;
}

/** The last lines of a file, as much as a person reads; empty when there is none. */
async function tailOf(path: string): Promise<string> {
  try {
    const { text } = await readTail(path, stderrTailBytes);
    return text.trimEnd().split("\n").slice(-20).join("\n");
  } catch {
    return "";
  }
}
