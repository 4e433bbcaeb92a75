/**
 * Runs for tests: a program that is a function, calls that are built from a few words, and a run around them with real
 * folders. What executors and caches do is the test's choice.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Executor, ImageResolver, ScriptedExecutor } from "../exec/core/index.ts";
import { type Ask, freshAsk, type TaskPath } from "../kernel/index.ts";
import { createFingerprinter, memoryMemo } from "../keys/index.ts";
import type { Host, OutputCollector, Program, ProgramResult } from "../lang/core/index.ts";
import { type CachePlace, createEntryStore, type EntryStore } from "../store/entries/index.ts";
import { createFolderStore } from "../store/objects/index.ts";
import {
  type FileValue,
  type Outputs,
  originFolder,
  type StagedInput,
  type TaskCall,
  taskInputs,
} from "../task/index.ts";
import type { TimedEvent } from "./events.ts";
import type { RunCacheParts, WorkflowRunParts } from "./run-parts.ts";
import { type RunSummary, runWorkflow } from "./run-workflow.ts";

/** A program that does what the function does. */
export function scriptedProgram(run: (host: Host, ask: Ask) => Promise<ProgramResult>): Program {
  return {
    interface: { kind: "workflow", name: "scripted", parameters: [], outputs: [], tasks: [] },
    checkInputs: async () => [],
    run: (_, host, ask) => run(host, ask),
  };
}

export interface ScriptedTask {
  readonly name?: string;
  readonly path?: string;
  readonly command?: string;
  readonly files?: readonly FileValue[];
  /** Output name -> file in the work directory. Default: `{ out: "out.txt" }`. */
  readonly outputs?: Readonly<Record<string, string>>;
  readonly change?: Partial<TaskCall>;
}

/** A call whose inputs are staged as front ends do it: files of one origin folder share a folder. */
export function scriptedTask(task: ScriptedTask = {}): TaskCall {
  const folders: string[] = [];
  const inputs = (task.files ?? []).map((source): StagedInput => {
    const folder = originFolder(source);
    if (!folders.includes(folder)) folders.push(folder);
    return { path: `${taskInputs}/${folders.indexOf(folder)}/${source.basename}` as TaskPath, source };
  });
  const name = task.name ?? "work";
  return {
    name,
    path: task.path ?? `scripted.${name}`,
    language: "wdl",
    frontEndVersion: "1",
    command: task.command ?? "true",
    shell: ["/bin/bash"],
    inputs,
    literalFiles: [],
    env: {},
    images: ["image:1"],
    resources: { cpu: 1, memoryBytes: 2 ** 20, gpu: 0 },
    maxRetries: 0,
    acceptedExit: { kind: "codes", codes: [0] },
    network: false,
    outputRules: Object.entries(outputsOf(task)).map(([output, path]) => ({
      name: output,
      type: "file",
      from: { kind: "path", path },
    })),
    cachePolicy: { kind: "reusable" },
    ...task.change,
  };
}

function outputsOf(task: ScriptedTask): Readonly<Record<string, string>> {
  return task.outputs ?? { out: "out.txt" };
}

/** Collects the output files that `scriptedTask` declared. */
export function scriptedCollector(task: ScriptedTask = {}): OutputCollector {
  return async ({ files }) => {
    const outputs: Record<string, FileValue> = {};
    for (const [name, path] of Object.entries(outputsOf(task))) {
      if ((await files.stat(path)) === undefined) return { kind: "missing", message: `${path} was not made` };
      const location = await files.locationOf(path);
      outputs[name] = { kind: "file", location, basename: basename(path) };
    }
    return { kind: "collected", outputs };
  };
}

/** Pins every name to a digest of that name; `pins` says otherwise. */
export function scriptedImages(
  pins: Readonly<Record<string, string>> = {},
): ImageResolver & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async pin(requested) {
      asked.push(requested);
      const configDigest = pins[requested] ?? `sha256:${requested}`;
      return { requested, reference: `${requested}@x`, platform: "linux/amd64", configDigest };
    },
    async make({ recipe, identity }) {
      const configDigest = `sha256:${identity}`;
      return { requested: recipe.kind, reference: identity, platform: "linux/amd64", configDigest };
    },
    async startOf() {
      return { entrypoint: [], command: [] };
    },
  };
}

export interface Bench {
  readonly folder: string;
  readonly store: EntryStore;
  /** The same, for pruning. */
  readonly place: CachePlace;
  readonly executor: ScriptedExecutor;
  readonly events: TimedEvent[];
  /** Runs the function as a program; answers the summary. Every call is a new run with the same cache. */
  run(
    program: (host: Host, ask: Ask) => Promise<ProgramResult>,
    change?: BenchChange,
    ask?: Ask,
  ): Promise<RunSummary>;
  /** Runs one call and answers its summary. */
  one(task?: ScriptedTask, change?: BenchChange): Promise<RunSummary>;
  /** Events of the last run, of one kind. */
  seen<K extends TimedEvent["kind"]>(kind: K): readonly Extract<TimedEvent, { kind: K }>[];
  close(): Promise<void>;
}

export interface BenchChange {
  readonly executor?: Executor;
  readonly cache?: Partial<RunCacheParts>;
  readonly parts?: Partial<WorkflowRunParts>;
}

/** A folder with a cache in it and an executor; how attempts go is `play`. */
export async function openBench(executor: ScriptedExecutor): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), "memoir-engine-"));
  await mkdir(join(folder, "cache"));
  const objects = createFolderStore({ path: join(folder, "cache") });
  const cacheUuid = "c0ffee00-0000-4000-8000-000000000000";
  const store = createEntryStore({ objects, cacheUuid });
  await store.open(freshAsk());
  const events: TimedEvent[] = [];
  let runs = 0;
  const run: Bench["run"] = async (program, change = {}, ask = freshAsk()) => {
    events.length = 0;
    const fingerprinter = createFingerprinter({ memo: memoryMemo(), policy: "content" });
    const parts: WorkflowRunParts = {
      runId: `run-${++runs}`,
      runs: join(folder, "runs"),
      program: scriptedProgram(program),
      language: "wdl",
      filesInJson: "path",
      source: "scripted",
      executor: change.executor ?? executor,
      images: scriptedImages(),
      fingerprinter,
      cache: { store, behavior: "always", hostTasks: false, resources: "ignored", ...change.cache },
      limits: {},
      failure: "fast",
      onEvent: (event) => void events.push(event),
      ...change.parts,
    };
    try {
      return await runWorkflow(parts, { values: {}, baseDir: folder }, ask);
    } finally {
      await fingerprinter.close();
    }
  };
  return {
    folder,
    store,
    place: { objects, cacheUuid, entries: store },
    executor,
    events,
    run,
    one: (task = {}, change) => run((host, ask) => oneCall(host, task, ask), change),
    seen: <K extends TimedEvent["kind"]>(kind: K) =>
      events.filter((event): event is Extract<TimedEvent, { kind: K }> => event.kind === kind),
    async close() {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The workflow that is one call: its outputs are the call's. */
export async function oneCall(host: Host, task: ScriptedTask, ask: Ask): Promise<ProgramResult> {
  const call = scriptedTask(task);
  const outcome = await host.call(call, scriptedCollector(task), ask);
  switch (outcome.kind) {
    case "reused":
    case "computed":
    case "stored":
      return { kind: "succeeded", outputs: prefixed(outcome.outputs) };
    case "failed":
      return {
        kind: "failed",
        failures: [{ kind: "task", path: call.path, failure: outcome.failure }],
        outputs: {},
      };
    case "cancelled":
      return { kind: "cancelled", outputs: {} };
  }
}

function prefixed(outputs: Outputs): Outputs {
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [`scripted.${name}`, value]));
}
