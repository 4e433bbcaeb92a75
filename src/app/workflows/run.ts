/** `memoir run WORKFLOW`: wires source, inputs, cache and executor together, and runs. */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  type CacheBehavior,
  type CallLeases,
  type Capacity,
  exactOutputs,
  folderLeases,
  LateLeases,
  LateStore,
  objectLeases,
  predictReuse,
  type ReusePrediction,
  type RunCacheParts,
  type RunSummary,
  runWorkflow,
  type TimedEvent,
  type Turns,
  tidyLeases,
  type WorkflowRunParts,
} from "../../engine/index.ts";
import type { ImageResolver } from "../../exec/core/index.ts";
import { AppError, type Ask, type ExactJson, isAppError } from "../../kernel/index.ts";
import { createFingerprinter, fileMemo } from "../../keys/index.ts";
import type { RunFailure } from "../../lang/core/index.ts";
import {
  type EntryNames,
  type KnownContents,
  openRunLease,
  pinEntry,
  type RunLease,
} from "../../store/entries/index.ts";
import type { TaskFailure } from "../../task/index.ts";
import type { Environment } from "../environment.ts";
import { renewMark } from "./cache-mark.ts";
import {
  defaultCacheLocation,
  findCache,
  type OpenCache,
  openCache,
  uriBeforeOpening,
} from "./cache-place.ts";
import type { CacheRecord } from "./cache-registry.ts";
import { createExecutor, type ExecutorOrder } from "./executors.ts";
import { type FlagsWish, flagWords } from "./flag-words.ts";
import {
  type DiagnosticFact,
  diagnosticFact,
  invalid,
  loadWorkflow,
  programOf,
  type WorkflowWish,
} from "./load.ts";
import { createRemoteFiles } from "./remote-files.ts";
import { readInputs } from "./run-inputs.ts";
import { newRunId, runsFolder } from "./runs-folder.ts";
import { placeWords } from "./word-places.ts";

export interface RunWorkflowWish extends WorkflowWish {
  readonly executor: ExecutorOrder;
  /** Inputs file. */
  readonly inputs?: string;
  /** `name=value` */
  readonly values: readonly string[];
  /** `--name value`, in place of `values`. */
  readonly flags?: FlagsWish;
  /** What relative paths in the inputs file are relative to. Default: its folder. */
  readonly inputsBase?: string;
  /** Name, path or URI; undefined = the default cache; `none` = no cache at all. */
  readonly cache:
    | { readonly kind: "default" }
    | { readonly kind: "none" }
    | { readonly kind: "at"; readonly place: string }
    /** A cache that the caller knows itself. */
    | { readonly kind: "record"; readonly record: CacheRecord; readonly names?: EntryNames };
  /** Which images are pulled for those that tasks name. */
  readonly mapImages?: (images: ImageResolver) => ImageResolver;
  /** Default: what the cache says. */
  readonly behavior?: CacheBehavior;
  /** Record and reuse tasks that run without a container, whatever the cache says. */
  readonly cacheHostTasks: "yes" | "no";
  /** Cores; default: the machine's. */
  readonly maxCpus?: number;
  readonly maxMemoryBytes?: number;
  /** GPUs of this machine that tasks may use together. Default 0: they are not looked for. */
  readonly gpus?: number;
  /** See `WorkflowRunParts`. Default: what `lenient` says. */
  readonly clampResources?: "yes" | "no";
  readonly failure: "fast" | "slow";
  /** 0 to 1. */
  readonly recheck?: number;
  readonly runsDir?: string;
  /** Name of the run, which must be new; default: one made from the time. */
  readonly runId?: string;
  /** Turns shared with other runs of this process. */
  readonly turns?: (capacity: Capacity) => Turns;
  readonly out?: string;
  /** See `WorkflowRunParts`. */
  readonly outputs?: "deliver" | "in place";
  /** Image of tasks that name none. */
  readonly image?: string;
  /** Every task gets copies of its inputs, which it may change. */
  readonly copyInputs?: "yes" | "no";
  /** `NAME` (the user's own value) or `NAME=VALUE`: variables that every task gets, and that enter the key. */
  readonly env?: readonly string[];
}

/** A finished run as plain data: what `--json` prints. */
export interface WorkflowRunResult extends Omit<RunSummary, "outputs" | "failures"> {
  /** As in `outputs.json`; files are their paths in every language. */
  readonly outputs: ExactJson;
  readonly failures: readonly FailureFact[];
}

export type FailureFact =
  | {
      readonly kind: "task";
      readonly call: string;
      readonly failure: TaskFailure;
      /** The rendered command of the attempt, where one was made. */
      readonly command?: string;
    }
  | { readonly kind: "evaluation"; readonly diagnostic: DiagnosticFact };

/** What tasks without an image of their own run in. */
const defaultImage = "docker.io/library/ubuntu:24.04";

export async function run(
  wish: RunWorkflowWish,
  environment: Environment,
  onEvent: (event: TimedEvent) => void,
  ask: Ask,
): Promise<WorkflowRunResult> {
  return resultOf(await runToSummary(wish, environment, onEvent, ask));
}

/** As `run`, with the outputs as the engine has them. */
export async function runToSummary(
  wish: RunWorkflowWish,
  environment: Environment,
  onEvent: (event: TimedEvent) => void,
  ask: Ask,
): Promise<RunSummary> {
  const runId = wish.runId ?? newRunId();
  return prepared(
    wish,
    environment,
    runId,
    ask,
    async ({ parts, inputs, warnings, startLease, leases, log }) => {
      const runs = runsFolder(wish.runsDir, environment);
      const directory = join(runs, runId);
      const lease = await startLease();
      const cancel = watchForCancel(directory, ask);
      log.to = (words) => onEvent({ kind: "log", words, at: Date.now() });
      for (const words of warnings) log.to(words);
      try {
        return await runWorkflow({ ...parts, runId, runs, onEvent }, inputs, cancel.ask);
      } finally {
        cancel.stop();
        await lease?.close();
        if (leases !== undefined) await tidyLeases(leases);
      }
    },
  );
}

async function resultOf(summary: RunSummary): Promise<WorkflowRunResult> {
  const failures = await Promise.all(summary.failures.map(failureFact));
  return { ...summary, outputs: exactOutputs(summary.outputs), failures };
}

export async function failureFact(failure: RunFailure): Promise<FailureFact> {
  if (failure.kind === "evaluation")
    return { kind: "evaluation", diagnostic: diagnosticFact(failure.diagnostic) };
  const { path: call, failure: why } = failure;
  const command =
    why.directory === undefined
      ? undefined
      : await readFile(join(why.directory, "command"), "utf8").catch(() => undefined);
  return { kind: "task", call, failure: why, ...(command === undefined ? {} : { command }) };
}

/** What a run would reuse; nothing is computed, recorded or left behind. */
export async function dryRun(
  wish: RunWorkflowWish,
  environment: Environment,
  ask: Ask,
): Promise<ReusePrediction> {
  return prepared(wish, environment, newRunId(), ask, async ({ parts, inputs }) => {
    const scratch = await mkdtemp(join(tmpdir(), "memoir-dry-run-"));
    parts.reach?.include(scratch);
    try {
      // What cannot be opened now is told as such, and not tried for as long as a run would.
      const { cache, ...rest } = parts;
      return await predictReuse(cache?.opensLater === true ? rest : parts, inputs, scratch, ask);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
}

interface Prepared {
  readonly parts: Omit<WorkflowRunParts, "runId" | "runs" | "onEvent">;
  readonly inputs: Awaited<ReturnType<typeof readInputs>>;
  /** About the inputs, as the user reads them. */
  readonly warnings: readonly string[];
  /** Tells the cache that the run is alive; undefined where there is no cache. */
  readonly startLease: () => Promise<RunLease | undefined>;
  /** Where the leases of calls are, when the cache is a folder. */
  readonly leases: string | undefined;
  /** Where words about the way go; set by whoever listens. */
  readonly log: { to: (words: string) => void };
}

/** Opens everything that a run needs, hands it out, and closes it again. */
async function prepared<T>(
  wish: RunWorkflowWish,
  environment: Environment,
  runId: string,
  ask: Ask,
  use: (parts: Prepared) => Promise<T>,
): Promise<T> {
  const closers: (() => Promise<void>)[] = [];
  try {
    const loaded = await loadWorkflow(wish, environment, ask);
    closers.push(loaded.source.close);
    if (wish.out !== undefined) loaded.reach?.allowWrites(resolve(environment.cwd, wish.out));
    loaded.reach?.include(join(runsFolder(wish.runsDir, environment), runId));
    const program = programOf(loaded, wish);
    const wishedInputs = {
      words:
        wish.flags === undefined ? wish.values : flagWords(wish.flags, program.interface, environment.cwd),
      ...(wish.inputsBase === undefined ? {} : { baseDir: wish.inputsBase }),
      ...(wish.inputs === undefined ? {} : { file: wish.inputs }),
      // On a server the folder that it was started in means nothing to anybody.
      fromHere: wish.bounds === undefined ? ("yes" as const) : ("no" as const),
    };
    const inputs = await readInputs(wishedInputs, program.interface, environment.cwd);
    const checked = placeWords(inputs, wishedInputs);
    const faults = await program.checkInputs(checked.inputs, ask);
    const wrong = [
      ...(inputs.warnings ?? []).map(diagnosticFact),
      ...faults.map((fault) => diagnosticFact(checked.placed(fault))),
    ];
    if (wrong.some((diagnostic) => diagnostic.severity === "error"))
      throw invalid("WORKFLOW_INPUTS_INVALID", `checking the inputs of ${wish.workflow}`, wrong);
    const log = { to: (_words: string) => {} };
    const created = await createExecutor(wish.executor, loaded.frontEnd, environment, (words) =>
      log.to(words),
    );
    closers.push(() => created.executor.close());
    const remote = createRemoteFiles(environment.s3);
    closers.push(() => remote.close());
    const memo = fileMemo(join(environment.home, "fingerprints"));
    const contents: KnownContents = {
      ofFile: async (path, ofAsk) => (await fingerprinter.contentOf(path, ofAsk)).sha256,
      named: (name) => memo.get(name),
      remember: (name, sha256) => memo.put(name, sha256),
    };
    const opened = await openRunCache(wish, environment, contents, ask);
    if (opened.cache !== undefined) closers.push(opened.cache.close);
    const fingerprinter = createFingerprinter({
      memo,
      remote,
      policy: (opened.cache ?? opened.late)?.record.policies.identity ?? "content",
    });
    closers.push(() => fingerprinter.close());
    const lease: { current: RunLease | undefined } = { current: undefined };
    const cache =
      opened.late === undefined
        ? opened.cache && cacheParts(wish, opened.cache, runId, lease)
        : lateParts(wish, opened.late, { runId, lease, log: (words) => log.to(words) });
    if (opened.late !== undefined) closers.push(async () => cache?.store.close());
    return await use({
      parts: {
        program,
        language: loaded.frontEnd.language,
        filesInJson: loaded.frontEnd.can.filesInJson,
        source: loaded.source.identity,
        executor: created.executor,
        ...(created.images === undefined
          ? {}
          : { images: wish.mapImages?.(created.images) ?? created.images }),
        defaultImage: wish.image ?? defaultImage,
        fingerprinter,
        remote,
        ...(cache === undefined ? {} : { cache }),
        limits: {
          ...(wish.maxCpus === undefined ? {} : { cpu: wish.maxCpus }),
          ...(wish.gpus === undefined ? {} : { gpu: wish.gpus }),
          ...(wish.maxMemoryBytes === undefined ? {} : { memoryBytes: wish.maxMemoryBytes }),
        },
        ...((wish.clampResources ?? wish.lenient) === "yes" ? { clampResources: true as const } : {}),
        failure: wish.failure,
        ...(wish.copyInputs === "yes" ? { copyInputs: true } : {}),
        passedEnv: passedEnv(wish.env ?? [], environment),
        ...(wish.turns === undefined ? {} : { turns: wish.turns }),
        ...(loaded.reach === undefined ? {} : { reach: loaded.reach }),
        ...(wish.recheck === undefined ? {} : { recheck: wish.recheck }),
        ...(wish.outputs === undefined ? {} : { outputs: wish.outputs }),
        ...(wish.out === undefined ? {} : { out: resolve(environment.cwd, wish.out) }),
        notes: opened.trouble === undefined ? [] : [opened.trouble],
      },
      inputs,
      warnings: wrong.map((warning) => warning.text),
      leases: opened.cache?.leases,
      startLease: async () => {
        lease.current = await startLease(opened.cache, runId, ask);
        return lease.current;
      },
      log,
    });
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** @throws AppError CLI_USAGE for a variable that has no value here. */
function passedEnv(wished: readonly string[], { programs }: Environment): Readonly<Record<string, string>> {
  const pairs = wished.map((text): readonly [string, string] => {
    const [, name = "", given] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
    const value = given ?? programs[name];
    if (name === "") throw new AppError("CLI_USAGE", `--env ${text}: expected NAME or NAME=VALUE`);
    if (value === undefined)
      throw new AppError(
        "CLI_USAGE",
        `--env ${name}: the variable is not set; give NAME=VALUE, or leave it out`,
      );
    return [name, value];
  });
  return Object.fromEntries(pairs);
}

interface LateCache {
  readonly record: CacheRecord;
  /** What is known of the address of its entries. */
  readonly uri: string;
  open(ask: Ask): Promise<OpenCache>;
}

/**
 * A cache that cannot be opened costs reuse, not the run; one that does not exist is the user's mistake. What may pass,
 * such as a server that does not answer, is tried again while the run goes on.
 */
async function openRunCache(
  wish: RunWorkflowWish,
  environment: Environment,
  contents: KnownContents,
  ask: Ask,
): Promise<{ readonly cache?: OpenCache; readonly late?: LateCache; readonly trouble?: string }> {
  if (wish.cache.kind === "none") return {};
  const record = await recordOf(wish.cache, environment);
  const names = wish.cache.kind === "record" ? wish.cache.names : undefined;
  const several = "take the last used";
  const options = { contents, several, ...(names === undefined ? {} : { names }) } as const;
  const open = (openAsk: Ask) => openCache(record, environment, options, openAsk);
  try {
    const cache = await open(ask);
    return { cache, ...(cache.note === undefined ? {} : { trouble: cache.note }) };
  } catch (error) {
    if (!isAppError(error) || error.row.kind === "usage" || error.row.kind === "interrupted") throw error;
    const trouble = `${error.message}. ${error.hint}`;
    if (!mayPass(error)) return { trouble };
    const uri = await uriBeforeOpening(record, environment);
    return {
      late: { record, uri, open },
      trouble: `${trouble} Calls are computed meanwhile, and opening it is tried again.`,
    };
  }
}

/** Refusals of a file system that are of a moment. */
const passing = new Set([
  ...["EIO", "ESTALE", "ETIMEDOUT", "ENOTCONN", "EHOSTDOWN", "ENETDOWN"],
  ...["EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EBUSY", "EINTR"],
]);

function mayPass(error: AppError): boolean {
  return error.row.retry === "later" || passing.has(String(error.facts["system"]));
}

async function recordOf(
  cache: Exclude<RunWorkflowWish["cache"], { kind: "none" }>,
  environment: Environment,
): Promise<CacheRecord> {
  if (cache.kind === "record") return cache.record;
  return findCache(cache.kind === "at" ? cache.place : defaultCacheLocation(environment), environment);
}

function cacheParts(
  wish: RunWorkflowWish,
  cache: OpenCache,
  runId: string,
  lease: { readonly current: RunLease | undefined },
): RunCacheParts {
  const { record } = cache;
  return {
    ...policyParts(wish, record),
    store: cache.entries,
    ...(cache.sharedAt === undefined ? {} : { location: cache.sharedAt }),
    leases: leasesOf(cache, runId),
    claim: async (uuid) => lease.current?.used(uuid),
    pin: (uuid, ask) => pinEntry(cache, uuid, ask),
  };
}

function leasesOf({ leases, objects, cacheUuid }: OpenCache, runId: string): CallLeases {
  return leases === undefined
    ? objectLeases(objects, `${cacheUuid}/leases/`, runId)
    : folderLeases(leases, runId);
}

function lateParts(
  wish: RunWorkflowWish,
  late: LateCache,
  run: {
    readonly runId: string;
    readonly lease: { current: RunLease | undefined };
    readonly log: (words: string) => void;
  },
): RunCacheParts {
  const leases = new LateLeases();
  const open = async (ask: Ask) => {
    const cache = await late.open(ask);
    leases.use(leasesOf(cache, run.runId));
    if (cache.note !== undefined) run.log(cache.note);
    // Before anything is found or recorded, so that pruning leaves it alone.
    run.lease.current = await startLease(cache, run.runId, ask);
    const close = async () => {
      await run.lease.current?.close();
      if (cache.leases !== undefined) await tidyLeases(cache.leases);
      await cache.close();
    };
    return { store: cache.entries, close };
  };
  return {
    ...policyParts(wish, late.record),
    store: new LateStore({ uri: late.uri, open }),
    opensLater: true,
    leases,
    claim: async (uuid) => run.lease.current?.used(uuid),
  };
}

function policyParts(
  wish: RunWorkflowWish,
  { behavior, policies, name }: CacheRecord,
): Pick<RunCacheParts, "behavior" | "hostTasks" | "resources" | "recordAt" | "name"> {
  return {
    behavior: wish.behavior ?? behavior,
    hostTasks: wish.cacheHostTasks === "yes" || policies.hostTasks === "yes",
    resources: policies.resources,
    recordAt: policies.writeThrough === "yes" ? "task-end" : "run-end",
    ...(name === "" ? {} : { name }),
  };
}

async function startLease(
  cache: OpenCache | undefined,
  runId: string,
  ask: Ask,
): Promise<RunLease | undefined> {
  if (cache === undefined) return undefined;
  // A cache that may only be read keeps the mark that it has.
  if (cache.note === undefined) await renewMark(cache.objects, cache.cacheUuid, ask).catch(() => {});
  try {
    return await openRunLease({ objects: cache.objects, cacheUuid: cache.cacheUuid, runId }, ask);
  } catch {
    // A cache that may only be read is not pruned by us either.
    return undefined;
  }
}

const cancelPollMs = 500;

/** `memoir runs cancel` leaves a file in the run's folder; it works across machines that share the folder. */
function watchForCancel(directory: string, ask: Ask): { readonly ask: Ask; stop(): void } {
  const controller = new AbortController();
  const forward = () => controller.abort(ask.signal.reason);
  ask.signal.addEventListener("abort", forward, { once: true });
  if (ask.signal.aborted) forward();
  const timer = setInterval(() => {
    stat(join(directory, "cancel")).then(
      () => controller.abort(new AppError("RUN_INTERRUPTED", "cancelled by `memoir runs cancel`")),
      () => {},
    );
  }, cancelPollMs);
  timer.unref();
  return {
    ask: { signal: controller.signal },
    stop: () => {
      clearInterval(timer);
      ask.signal.removeEventListener("abort", forward);
    },
  };
}
