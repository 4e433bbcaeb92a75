/**
 * `--dry-run`: which calls would be reused. The workflow is walked as far as outputs of reused calls carry it; a call
 * that would be computed has no outputs yet, so what depends on it stays unknown. Nothing is computed or recorded.
 */

import { join } from "node:path";
import { type Ask, checkAsk, defined, isAppError } from "../kernel/index.ts";
import type { Key } from "../keys/index.ts";
import type { FileAccess, Host, ParameterValues } from "../lang/core/index.ts";
import type { Entry } from "../store/entries/index.ts";
import type { CallOutcome, TaskCall } from "../task/index.ts";
import { callInRun } from "./call-in-run.ts";
import { CallPaths } from "./call-paths.ts";
import { CallRecorder } from "./call-recorder.ts";
import type { MissReason } from "./events.ts";
import { type Explanation, explain } from "./explain.ts";
import { findCall } from "./find-call.ts";
import { CallIdentifier, type IdentifiedCall } from "./identify-call.ts";
import { Materials } from "./materials.ts";
import { performOnce } from "./own-work.ts";
import { type RunExecutor, RunExecutors } from "./run-executors.ts";
import type { WorkflowRunParts } from "./run-parts.ts";
import type { WorkflowFiles } from "./workflow-files.ts";

export type CallForecast =
  | {
      readonly kind: "reuse";
      readonly call: string;
      readonly task: string;
      readonly entry: string;
      readonly fromRun: string;
      readonly savedSeconds: number;
    }
  | { readonly kind: "compute"; readonly call: string; readonly task: string; readonly why: Explanation }
  /** It could not even be started: no image, a missing input. */
  | { readonly kind: "fail"; readonly call: string; readonly task: string; readonly words: string };

export interface ReusePrediction {
  readonly workflow: string;
  readonly calls: readonly CallForecast[];
  /** False when calls depend on others that would be computed: there may be more calls than are listed. */
  readonly complete: boolean;
  readonly savedSeconds: number;
}

/** `scratch`: a folder for small files; the caller removes it. */
export async function predictReuse(
  parts: Omit<WorkflowRunParts, "runs" | "runId" | "onEvent">,
  inputs: ParameterValues,
  scratch: string,
  ask: Ask,
): Promise<ReusePrediction> {
  // Asks the cache as a run would: trouble is a miss, and an unreachable cache is given up after a few.
  const recorder =
    parts.cache === undefined
      ? undefined
      : new CallRecorder(parts.cache, { directory: scratch, emit: () => {} });
  // Whether an entry is whole is known when an expression reads its files, and then its call would be computed: the
  // workflow is walked again without it.
  const unusable = new Map<string, string>();
  for (;;) {
    const known = unusable.size;
    const walk = await settled(walkOnce(parts, inputs, { scratch, recorder, unusable }, ask));
    checkAsk(ask, "predicting what would be reused");
    if (unusable.size > known) continue;
    if (walk.status === "rejected") throw walk.reason;
    return walk.value;
  }
}

async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([work]);
  return result;
}

interface WalkParts {
  readonly scratch: string;
  readonly recorder: CallRecorder | undefined;
  /** By call: why what is recorded of it cannot be used. */
  readonly unusable: Map<string, string>;
}

async function walkOnce(
  parts: Omit<WorkflowRunParts, "runs" | "runId" | "onEvent">,
  inputs: ParameterValues,
  { scratch, recorder, unusable }: WalkParts,
  ask: Ask,
): Promise<ReusePrediction> {
  const materials = new Materials({
    fingerprinter: parts.fingerprinter,
    ...defined({ remote: parts.remote, reach: parts.reach }),
    directory: scratch,
  });
  const { defaultImage, cache } = parts;
  const executors = new RunExecutors(parts, ask);
  const identifiers = new Map<RunExecutor, CallIdentifier>();
  const identifierOf = (where: RunExecutor): CallIdentifier => {
    const known = identifiers.get(where);
    if (known !== undefined) return known;
    const identifier = new CallIdentifier({
      executor: where.executor,
      opened: () => where.open(),
      ...defined({ images: where.images, defaultImage, cache }),
      materials,
      fingerprinter: parts.fingerprinter,
      emit: () => {},
    });
    identifiers.set(where, identifier);
    return identifier;
  };
  const calls: CallForecast[] = [];
  let recorded: Promise<readonly Entry[]> | undefined;

  materials.restoreWith(async ({ entry, words, error }) => {
    // Only looked at: nothing is set aside.
    await recorder?.giveUp(entry, { damaged: false, call: entry.callPath }, ask);
    for (const one of calls)
      if (one.kind === "reuse" && one.entry === entry.uri) unusable.set(one.call, words);
    throw error;
  });

  const missed = async (task: TaskCall, reason: MissReason, key?: Key) => {
    if (key !== undefined && reason.kind === "no-entry") recorded ??= collect(parts, ask);
    const why = explain(
      {
        kind: "call.missed",
        at: 0,
        call: task.path,
        task: task.name,
        reason,
        ...(key === undefined ? {} : { key: key.key, components: key.components }),
      },
      (await recorded) ?? [],
    );
    calls.push({ kind: "compute", call: task.path, task: task.name, why });
  };

  const call = async (asked: TaskCall, callAsk: Ask): Promise<CallOutcome> => {
    const task = callInRun(asked, parts);
    const where = await executors.of(task);
    const identified: IdentifiedCall =
      "kind" in where
        ? { kind: "impossible", failure: where }
        : await identifierOf(where).identify(task, callAsk);
    switch (identified.kind) {
      case "impossible":
        calls.push({ kind: "fail", call: task.path, task: task.name, words: identified.failure.message });
        return { kind: "failed", failure: identified.failure };
      case "unkeyed":
        await missed(task, whyUnkeyed(parts, identified.why));
        return unknownOutcome;
      case "keyed": {
        const looked =
          recorder === undefined ? undefined : await findCall(recorder, identified, task.path, callAsk);
        const found = looked?.found;
        if (found?.kind !== "found") {
          checkAsk(callAsk, `looking up ${task.path}`);
          const lost = unusable.get(task.path);
          const reason: MissReason =
            lost !== undefined
              ? { kind: "trouble", words: `what is recorded cannot be used: ${lost}` }
              : found?.kind === "trouble"
                ? noCache(found.words)
                : { kind: "no-entry" };
          await missed(task, reason, identified.key);
          return unknownOutcome;
        }
        const { entry } = found;
        materials.learnEntry(entry);
        calls.push({
          kind: "reuse",
          call: task.path,
          task: task.name,
          entry: entry.uri,
          fromRun: entry.runId,
          savedSeconds: entry.cost.wallSeconds,
        });
        return { kind: "reused", outputs: entry.outputs, key: looked?.key.key ?? identified.key.key };
      }
    }
  };

  const paths = new CallPaths(materials);
  let performed = 0;
  const host: Host = {
    call: async (task, collect, callAsk, { stored, present, work } = {}) => {
      const outputs = await stored?.(callAsk);
      executors.perform(task.path, work);
      let outcome: CallOutcome =
        outputs === undefined ? await call(task, callAsk) : { kind: "stored", outputs };
      // What the program performs itself is part of the walk.
      if (work !== undefined && outcome === unknownOutcome)
        outcome = await performOnce({ task, collect, work }, join(scratch, `own-${++performed}`), callAsk);
      if (present === undefined || !("outputs" in outcome)) return outcome;
      return { ...outcome, outputs: await present(outcome.outputs, callAsk) };
    },
    pathOf: (name, values, pathAsk) => paths.of(name, values, pathAsk),
    // Nothing of the user is touched.
    publish: async (_file, { target }) => ({ how: "kept", target }),
    stop: () => {},
    files: readOnly(materials.access),
    emit: () => {},
    // Independent calls continue, so that as much as possible is known.
    failure: "slow",
    ...(parts.executor.can.containers && parts.executor.can.plainTasks !== true && { needsImages: true }),
    ...(parts.openExecutor !== undefined && { opensExecutors: true }),
  };
  const result = await parts.program.run(inputs, host, ask);
  return {
    workflow: parts.program.interface.name,
    calls: calls.sort((a, b) => (a.call < b.call ? -1 : a.call > b.call ? 1 : 0)),
    complete: result.kind === "succeeded",
    savedSeconds: calls.reduce((sum, one) => sum + (one.kind === "reuse" ? one.savedSeconds : 0), 0),
  };
}

/** Of the places that a program names; what only lives as long as the walk may be written. */
function readOnly(files: WorkflowFiles): FileAccess {
  const { scratch } = files;
  const isScratch = (target: string) => target.startsWith(`${scratch}/`);
  return {
    scratch,
    stat: (location, ask) => files.stat(location, ask),
    readText: (location, ask) => files.readText(location, ask),
    hostPath: (location, ask) => files.hostPath(location, ask),
    list: (location, ask) => files.list(location, ask),
    read: (location, ask, range) => files.read(location, ask, range),
    glob: (folder, pattern, options, ask) => files.glob(folder, pattern, options, ask),
    write: (name, content) => files.write(name, content),
    copy: async (location, target, ask) => {
      if (isScratch(target)) await files.copy(location, target, ask);
    },
    makeFolder: async (target, ask) => {
      if (isScratch(target)) await files.makeFolder(target, ask);
    },
    writeTo: async (target, content, ask) => {
      if (isScratch(target)) await files.writeTo(target, content, ask);
    },
  };
}

/** The outcome of a call without outputs: the program continues with what does not depend on it. */
const unknownOutcome: CallOutcome = {
  kind: "failed",
  failure: { kind: "lost", message: "it would be computed; nothing is computed in a dry run", attempts: 0 },
};

function whyUnkeyed(parts: Pick<WorkflowRunParts, "cache" | "notes">, why: string): MissReason {
  const trouble = parts.cache === undefined ? parts.notes?.[0] : undefined;
  return trouble === undefined ? { kind: "not-reusable", words: why } : noCache(trouble);
}

function noCache(trouble: string): MissReason {
  return { kind: "trouble", words: `the cache could not be asked: ${trouble}` };
}

/** For explanations only: what cannot be listed explains nothing, and the prediction stands without it. */
async function collect(parts: Pick<WorkflowRunParts, "cache">, ask: Ask): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  try {
    if (parts.cache !== undefined) for await (const entry of parts.cache.store.list(ask)) entries.push(entry);
  } catch (error) {
    checkAsk(ask, "listing the cache");
    if (!isAppError(error)) throw error;
  }
  return entries.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
}
