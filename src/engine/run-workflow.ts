/** One run of one workflow, from its folder to its outputs. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { refuseOverwriting } from "../files/index.ts";
import { type Ask, asAppError, defined, freshAsk, isAppError, renderDiagnostic } from "../kernel/index.ts";
import type { Host, ParameterValues, ProgramResult, RunFailure } from "../lang/core/index.ts";
import { thisOwner } from "../process/index.ts";
import type { FileValue, Outputs } from "../task/index.ts";
import { CallPaths } from "./call-paths.ts";
import { CallRecorder, type Unrecorded } from "./call-recorder.ts";
import { Calls } from "./calls.ts";
import { deliver } from "./deliver.ts";
import type { Emit } from "./events.ts";
import { filesOf, mapFilesOf } from "./files-of.ts";
import { type FileStyle, jsonOfOutputs } from "./json-values.ts";
import { Materials } from "./materials.ts";
import { outputListings } from "./output-listings.ts";
import { Publisher } from "./publisher.ts";
import { type TakenUp, takeUpCrashedRuns } from "./recovery.ts";
import { RunExecutors } from "./run-executors.ts";
import {
  type CallCounts,
  createRunFolder,
  type RunFolder,
  type RunJson,
  type RunState,
  replaceFile,
} from "./run-folder.ts";
import type { WorkflowRunParts } from "./run-parts.ts";
import { RunStop } from "./run-stop.ts";
import { RunTally } from "./run-tally.ts";
import { stopOrphans } from "./stop-orphans.ts";
import { writeError } from "./writing-places.ts";

export interface RunSummary {
  readonly run: string;
  readonly workflow: string;
  readonly state: Exclude<RunState, "running">;
  /** The run's folder. */
  readonly directory: string;
  /** Keys as the language writes them; files are where they were delivered, or where they lie if they were not. */
  readonly outputs: Outputs;
  readonly outputsFile?: string;
  readonly failures: readonly RunFailure[];
  readonly calls: CallCounts;
  /** Wall-clock seconds of computing that reuse saved. */
  readonly savedSeconds: number;
  readonly elapsedMs: number;
  /** Tasks whose recomputation gave other outputs. */
  readonly unstable: readonly { readonly call: string; readonly outputs: readonly string[] }[];
  /** Results that could have been recorded and are not. */
  readonly unrecorded: Unrecorded;
  /** Files and folders of the user that the run has read, without links. */
  readonly inputs: () => Promise<readonly string[]>;
}

/**
 * Runs a program to its end. Failed tasks and cancellation are part of the summary; an AppError that ends the run
 * (no container engine, a full disk) is thrown after the run's folder says so.
 */
export async function runWorkflow(
  parts: WorkflowRunParts,
  inputs: ParameterValues,
  ask: Ask,
): Promise<RunSummary> {
  const startedAt = Date.now();
  const tally = new RunTally();
  const folder = await createRunFolder({
    runs: parts.runs,
    id: parts.runId,
    record: recordOf(parts, startedAt),
    inputs: inputsText(inputs),
    onEvent: (event) => {
      tally.count(event);
      parts.onEvent(event);
    },
  });
  const { directory, emit } = folder;
  const workflow = parts.program.interface.name;
  const cacheUri = parts.cache?.store.uri;
  emit({
    kind: "run.started",
    run: parts.runId,
    workflow,
    directory,
    ...defined({ cache: cacheUri }),
  });
  for (const words of parts.notes ?? []) emit({ kind: "cache.trouble", doing: "opening the cache", words });
  const materials = new Materials({
    fingerprinter: parts.fingerprinter,
    ...defined({ remote: parts.remote, reach: parts.reach }),
    directory,
  });
  const cache = parts.cache && { ...parts.cache, ...defined({ remote: parts.remote }) };
  const recorder = cache === undefined ? undefined : new CallRecorder(cache, { directory, emit });
  const crashed = await takeUpCrashedRuns({ runs: parts.runs, source: parts.source, cache, emit }, ask);
  let unrecorded: Unrecorded = { waiting: 0, refused: 0 };
  const end = async (state: Exclude<RunState, "running">, failures: readonly string[]) => {
    unrecorded = (await recorder?.finish(state)) ?? unrecorded;
    if (unrecorded.waiting > 0)
      emit({
        kind: "cache.trouble",
        doing: "recording",
        words:
          parts.outputs === "in place"
            ? `${unrecorded.waiting} finished results could not be recorded`
            : `${unrecorded.waiting} finished results are not recorded yet; the next run from this folder records them`,
      });
    await crashed.settle();
    emit({ kind: "run.ended", run: parts.runId, state });
    await folder.writeRecord({
      ...recordOf(parts, startedAt),
      state,
      endedAt: new Date().toISOString(),
      calls: tally.counts(),
      savedSeconds: tally.savedSeconds,
      ...(unrecorded.waiting === 0 ? {} : { waiting: unrecorded.waiting }),
      ...(failures.length === 0 ? {} : { failures }),
      ...defined({ out: parts.out }),
    });
    await folder.close();
  };
  try {
    const result = await drive(parts, inputs, { folder, materials, recorder, crashed }, ask);
    const state = result.kind === "succeeded" && ask.signal.aborted ? "cancelled" : result.kind;
    const outputs = await deliverAll(parts, { result, directory, materials, emit }, ask);
    const failures = result.kind === "failed" ? result.failures : [];
    await end(state, failures.map(failureLine));
    return {
      run: parts.runId,
      workflow,
      state,
      directory,
      outputs,
      ...(state === "succeeded" && parts.outputs !== "in place"
        ? { outputsFile: join(directory, "outputs.json") }
        : {}),
      failures,
      calls: tally.counts(),
      savedSeconds: tally.savedSeconds,
      elapsedMs: Date.now() - startedAt,
      unstable: tally.unstable,
      unrecorded,
      inputs: () => materials.inputs(),
    };
  } catch (thrown) {
    const error = asAppError(thrown) ?? thrown;
    const cancelled = isAppError(error, "RUN_INTERRUPTED");
    const words = error instanceof Error ? error.message : String(error);
    // What ended the run is what the user has to know, whether it can be written down or not.
    await end(cancelled ? "cancelled" : "failed", [words]).catch(() => {});
    throw error;
  }
}

interface Going {
  readonly folder: RunFolder;
  readonly materials: Materials;
  readonly recorder: CallRecorder | undefined;
  readonly crashed: TakenUp;
}

async function drive(
  parts: WorkflowRunParts,
  inputs: ParameterValues,
  going: Going,
  ask: Ask,
): Promise<ProgramResult> {
  const stop = new RunStop();
  const { directory, emit, callDirectory } = going.folder;
  const { materials } = going;
  const pin = parts.cache?.pin;
  const publisher = new Publisher({ materials, places: materials.places, emit, ...defined({ pin }) });
  const paths = new CallPaths(materials);
  const executors = new RunExecutors(parts, ask);
  const calls = new Calls({
    run: parts,
    directory,
    callDirectory: (path) => callDirectory(path),
    emit,
    materials,
    recorder: going.recorder,
    executors,
    orphans: going.crashed.orphans,
    stop,
    onFailure: () => {
      if (parts.failure === "fast") stop.stop("finish");
    },
  });
  const host: Host = {
    call: (task, collect, callAsk, options) => calls.call(task, collect, callAsk, options),
    pathOf: (name, values, pathAsk) => paths.of(name, values, pathAsk),
    publish: (file, order, publishAsk) => publisher.publish(file, order, publishAsk),
    stop: (how) => stop.stop(how),
    files: materials.access,
    emit: (event) => emit(event),
    failure: parts.failure,
    ...(parts.executor.can.containers && parts.executor.can.plainTasks !== true && { needsImages: true }),
    preferEngine: (name) => parts.executor.preferEngine?.(name),
    ...(parts.openExecutor !== undefined && { opensExecutors: true }),
  };
  await mkdir(host.files.scratch, { recursive: true });
  const result = await parts.program.run(inputs, host, ask);
  await publisher.settle();
  await calls.settle();
  const left = calls.orphansLeft();
  if (left.length > 0) await stopOrphans(executors, left, emit, freshAsk());
  return result;
}

/** Lines of the log stay readable. */
const filesOfEvent = 1_000;

async function deliverAll(
  parts: WorkflowRunParts,
  run: {
    readonly result: ProgramResult;
    readonly directory: string;
    readonly materials: Materials;
    readonly emit: Emit;
  },
  ask: Ask,
): Promise<Outputs> {
  const { result, directory, materials, emit } = run;
  if (result.kind !== "succeeded" || ask.signal.aborted) return result.outputs;
  const hostPathOf = (file: FileValue) => materials.hostPathOf(file, ask);
  if (parts.outputs === "in place")
    return mapFilesOf(result.outputs, async (file) => ({ ...file, location: await hostPathOf(file) }));
  const style = parts.filesInJson;
  if (result.published === true) {
    const text = await jsonText(result.outputs, style);
    if (parts.out !== undefined) {
      const way = { target: join(parts.out, "outputs.json"), source: join(directory, "outputs.json") };
      const inputs = () => materials.inputs();
      await refuseOverwriting(way, { sources: [], inputs, kept: join(directory, "out") }, "writing");
      await writeOutputs(way.target, text);
    }
    await writeOutputs(join(directory, "outputs.json"), text);
    return result.outputs;
  }
  const say = (words: string) => emit({ kind: "log", words });
  const note = (delivered: Outputs) => {
    const targets = filesOf(delivered);
    const files = filesOf(result.outputs).flatMap(({ location }, i) => {
      const target = targets[i]?.location;
      return target === undefined ? [] : ([[location, target]] as const);
    });
    for (let from = 0; from < files.length; from += filesOfEvent)
      emit({ kind: "outputs.delivered", files: files.slice(from, from + filesOfEvent) });
  };
  let outputs = await deliver(
    result.outputs,
    {
      folder: join(directory, "out"),
      how: "link",
      hostPathOf,
      mayLink: (path) => materials.isOwn(path),
      isPlainFile: (path) => materials.isComparedFile(path),
      linking: (path) => materials.linking(path),
      say,
    },
    ask,
  );
  note(outputs);
  if (parts.out !== undefined) {
    const needed = { inputs: () => materials.inputs(), kept: join(directory, "out") };
    outputs = await deliver(
      result.outputs,
      { folder: parts.out, how: "copy", hostPathOf, say, ...needed },
      ask,
    );
    note(outputs);
    const way = { target: join(parts.out, "outputs.json"), source: join(directory, "outputs.json") };
    await refuseOverwriting(way, { sources: [], ...needed }, "writing");
    await writeOutputs(way.target, await jsonText(outputs, style));
  }
  await writeOutputs(join(directory, "outputs.json"), await jsonText(outputs, style));
  return outputs;
}

async function jsonText(outputs: Outputs, style: FileStyle): Promise<string> {
  return jsonOfOutputs(outputs, style, style === "object" ? await outputListings(outputs) : undefined);
}

async function writeOutputs(path: string, text: string): Promise<void> {
  try {
    await mkdir(join(path, ".."), { recursive: true });
    await replaceFile(path, text);
  } catch (error) {
    throw writeError(path, error);
  }
}

function recordOf(parts: WorkflowRunParts, startedAt: number): RunJson {
  const { cache } = parts;
  return {
    id: parts.runId,
    workflow: parts.program.interface.name,
    language: parts.language,
    source: parts.source,
    state: "running",
    startedAt: new Date(startedAt).toISOString(),
    owner: thisOwner(),
    executor: parts.executor.name,
    ...(cache === undefined
      ? {}
      : {
          cache: {
            uri: cache.store.uri,
            behavior: cache.behavior,
            ...defined({ name: cache.name }),
          },
        }),
  };
}

function inputsText(inputs: ParameterValues): string {
  const plain = (_: string, value: unknown) => (typeof value === "bigint" ? Number(value) : value);
  return inputs.source?.text ?? `${JSON.stringify(inputs.values, plain, 2)}\n`;
}

export function failureLine(failure: RunFailure): string {
  if (failure.kind === "task") return `${failure.path}: ${failure.failure.message}`;
  return renderDiagnostic(failure.diagnostic).split("\n")[0] ?? "";
}
