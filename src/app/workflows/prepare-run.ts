/** Opens everything that a run needs, in the order in which it is needed. */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { WorkflowRunParts } from "../../engine/index.ts";
import { AppError, type Ask, defined } from "../../kernel/index.ts";
import { createFingerprinter, fileMemo } from "../../keys/index.ts";
import type { ParameterValues } from "../../lang/core/index.ts";
import type { KnownContents, RunLease } from "../../store/entries/index.ts";
import type { Environment } from "../environment.ts";
import { placeArguments } from "./argument-places.ts";
import { invalid, joinReports, reportOf } from "./diagnostic-facts.ts";
import { auto, createExecutor, createNamedExecutor } from "./executors.ts";
import { type LoadedWorkflow, loadWorkflow, programOf } from "./load.ts";
import { createRemoteFiles } from "./remote-files.ts";
import {
  cacheParts,
  excludedTasks,
  type LeaseSlot,
  lateParts,
  openRunCache,
  startLease,
} from "./run-cache.ts";
import { inputArguments, readInputs } from "./run-inputs.ts";
import type { RunOrder, RunPorts } from "./run-order.ts";
import { runsFolder } from "./runs-folder.ts";
import { executorOfTask, taskExecutorOrders } from "./task-executors.ts";

/** The image of tasks that name none. */
const defaultImage = "docker.io/library/ubuntu:24.04";

interface Prepared {
  readonly parts: Omit<WorkflowRunParts, "runId" | "runs" | "onEvent">;
  readonly inputs: ParameterValues;
  /** About the inputs, as the user reads them. */
  readonly warnings: readonly string[];
  /** Marks the run as alive in the cache; undefined where there is no cache. */
  readonly startLease: () => Promise<RunLease | undefined>;
  /** Where the leases of calls are, when the cache is a folder. */
  readonly leases: string | undefined;
  /** Where words about the way go; set by whoever listens. */
  readonly log: { to: (words: string) => void };
}

/** Opens everything that a run needs, hands it out, and closes it again. */
export async function prepared<T>(
  {
    order,
    ports,
    runId,
  }: {
    readonly order: RunOrder;
    readonly ports: Omit<RunPorts, "onEvent">;
    readonly runId: string;
  },
  environment: Environment,
  ask: Ask,
  use: (parts: Prepared) => Promise<T>,
): Promise<T> {
  const closers: (() => Promise<void>)[] = [];
  try {
    const { program: asked, limits = {} } = order;
    if (order.out !== undefined) await checkOutFolder(resolve(environment.cwd, order.out));
    const loaded = await loadWorkflow(asked, environment, ask, {
      values: order.inputs.values,
      baseDir: order.inputs.baseDir,
      words: order.inputs.words ?? [],
    });
    closers.push(loaded.source.close);
    if (order.out !== undefined) loaded.reach?.allowWrites(resolve(environment.cwd, order.out));
    for (const folder of order.writable ?? []) loaded.reach?.allowWrites(folder);
    loaded.reach?.include(join(runsFolder(order.runsDir, environment), runId));
    const program = programOf(loaded, asked);
    const words = inputArguments(order.inputs, program.interface, environment.cwd);
    const inputs = readInputs(order.inputs, words, program.interface, environment.cwd);
    const checked = placeArguments(inputs, { words, ...order.inputs });
    const faults = await program.checkInputs(checked.inputs, ask);
    const wrong = joinReports(reportOf(inputs.warnings ?? []), reportOf(faults, checked.placed));
    if (wrong.errors > 0) {
      // Where a server keeps definitions is not for its clients.
      const shown = asked.bounds === undefined ? asked.workflow : program.interface.name;
      throw invalid("WORKFLOW_INPUTS_INVALID", `checking the inputs of ${shown}`, wrong);
    }
    const log = { to: (_words: string) => {} };
    const created = await createExecutor(order.executor, loaded.frontEnd, environment, (words) =>
      log.to(words),
    );
    closers.push(() => created.executor.close());
    const chosen = await openTaskExecutors(order, { loaded, environment, closers, log, ports });
    const openExecutor =
      order.executor.name === auto && asked.bounds === undefined && order.taskExecutors === undefined
        ? preferredExecutors({ environment, closers, log, ports })
        : undefined;
    const remote = createRemoteFiles(environment.s3);
    closers.push(() => remote.close());
    const memo = fileMemo(join(environment.home, "fingerprints"));
    const contents: KnownContents = {
      ofFile: async (path, ofAsk) => (await fingerprinter.contentOf(path, ofAsk)).sha256,
      named: (name) => memo.get(name),
      remember: (name, sha256) => memo.put(name, sha256),
    };
    const opened = await openRunCache(order.cache, environment, { contents, names: ports.entryNames }, ask);
    if (opened.cache !== undefined) closers.push(opened.cache.close);
    const fingerprinter = createFingerprinter({
      memo,
      remote,
      policy: (opened.cache ?? opened.late)?.record.policies.identity ?? "content",
    });
    closers.push(() => fingerprinter.close());
    const lease: LeaseSlot = { current: undefined };
    const unstable =
      order.cache.kind === "none" || opened.cache === undefined
        ? undefined
        : await excludedTasks(order.cache, opened.cache, ask);
    const cache =
      order.cache.kind === "none"
        ? undefined
        : opened.late === undefined
          ? opened.cache && cacheParts(order.cache, opened.cache, runId, lease, unstable)
          : lateParts(order.cache, opened.late, { runId, lease, log: (text) => log.to(text) });
    if (opened.late !== undefined) closers.push(async () => cache?.store.close());
    return await use({
      parts: {
        program,
        language: loaded.frontEnd.language,
        filesInJson: loaded.frontEnd.can.filesInJson,
        source: loaded.source.identity,
        executor: created.executor,
        ...chosen,
        ...defined({ openExecutor }),
        ...(created.images === undefined
          ? {}
          : { images: ports.mapImages?.(created.images) ?? created.images }),
        defaultImage: order.image ?? defaultImage,
        fingerprinter,
        remote,
        ...defined({ cache }),
        limits: {
          ...defined({ cpu: limits.cpus, gpu: limits.gpus, memoryBytes: limits.memoryBytes }),
        },
        ...((limits.clamp ?? asked.lenient) ? { clampResources: true as const } : {}),
        failure: order.failure,
        ...(order.copyInputs === true ? { copyInputs: true } : {}),
        passedEnv: order.env ?? {},
        ...defined({
          turns: ports.turns,
          reach: loaded.reach,
          recheck: order.recheck,
          outputs: order.outputs,
        }),
        ...(order.out === undefined ? {} : { out: resolve(environment.cwd, order.out) }),
        notes: opened.trouble === undefined ? [] : [opened.trouble],
      },
      inputs,
      warnings: wrong.facts.map((warning) => warning.text),
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

/** Executors for the tasks that the user chose others for; they are opened when their first call has to be computed. */
async function openTaskExecutors(
  { executor, taskExecutors = [] }: RunOrder,
  {
    loaded,
    environment,
    closers,
    log,
    ports,
  }: {
    readonly loaded: LoadedWorkflow;
    readonly environment: Environment;
    readonly closers: (() => Promise<void>)[];
    readonly log: Prepared["log"];
    readonly ports: Pick<RunPorts, "mapImages">;
  },
): Promise<Pick<WorkflowRunParts, "executors" | "executorOf">> {
  if (taskExecutors.length === 0) return {};
  const executors: Record<string, Pick<WorkflowRunParts, "executor" | "images">> = {};
  // Of two settings for one pattern the later one counts.
  const orders = new Map(
    taskExecutorOrders(executor, taskExecutors).map((each) => [each.pattern, each.order]),
  );
  for (const [pattern, order] of orders) {
    const created = await createExecutor(order, loaded.frontEnd, environment, (words) => log.to(words));
    closers.push(() => created.executor.close());
    const images =
      created.images === undefined ? undefined : (ports.mapImages?.(created.images) ?? created.images);
    executors[pattern] = { executor: created.executor, ...defined({ images }) };
  }
  return { executors, executorOf: executorOfTask(taskExecutors.map(({ pattern }) => pattern)) };
}

/** Executors that tasks of the user's own workflow prefer, where the user has chosen none. */
function preferredExecutors({
  environment,
  closers,
  log,
  ports,
}: {
  readonly environment: Environment;
  readonly closers: (() => Promise<void>)[];
  readonly log: Prepared["log"];
  readonly ports: Pick<RunPorts, "mapImages">;
}): NonNullable<WorkflowRunParts["openExecutor"]> {
  return async (kind) => {
    const created = await createNamedExecutor({ name: kind, options: {} }, environment, (words) =>
      log.to(words),
    );
    closers.push(() => created.executor.close());
    const images =
      created.images === undefined ? undefined : (ports.mapImages?.(created.images) ?? created.images);
    return { executor: created.executor, ...defined({ images }) };
  };
}

/** Found out before anything is computed, not when the outputs are delivered. */
async function checkOutFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isDirectory())
    throw new AppError("FILE_NOT_WRITABLE", `writing the outputs to ${path}: it is not a folder`);
}
