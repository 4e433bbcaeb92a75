/** The workflow half of the application; every use case is loaded when it is first called. */
import type { ReusePrediction, RunExplanation, TimedEvent } from "../../engine/index.ts";
import type { Ask } from "../../kernel/index.ts";
import type { CacheSize, VerifyReport } from "../../store/entries/index.ts";
import type { Environment } from "../environment.ts";
import type { CacheRecord } from "./cache-registry.ts";
import type * as caches from "./caches.ts";
import type { CheckResult, CheckWish, InputsResult } from "./check.ts";
import type { CwlRunnerResult, CwlRunnerWish } from "./cwl-runner.ts";
import type { DeleteRunsResult, DeleteRunsWish } from "./delete-runs.ts";
import type { ListWish } from "./list-runs.ts";
import type { ProgramOrder } from "./load.ts";
import type { WorkflowRunResult } from "./run.ts";
import type { RunOrder, RunPorts, RunRequest } from "./run-order.ts";
import type * as runs from "./runs.ts";

export interface Workflows {
  check(wish: CheckWish, ask: Ask): Promise<CheckResult>;
  inputs(wish: ProgramOrder & { readonly all: boolean }, ask: Ask): Promise<InputsResult>;
  /** What people say, as data: the inputs file and the registry of caches are read, nothing is opened. */
  order(request: RunRequest): Promise<RunOrder>;
  run(order: RunOrder, ports: RunPorts, ask: Ask): Promise<WorkflowRunResult>;
  dryRun(order: RunOrder, ask: Ask): Promise<ReusePrediction>;
  /** Runs a CWL process as the common `cwl-runner` interface wants it. */
  cwlRunner(wish: CwlRunnerWish, onEvent: (event: TimedEvent) => void, ask: Ask): Promise<CwlRunnerResult>;
  readonly runs: {
    list(wish: runs.RunsWish & ListWish): Promise<runs.RunList>;
    show(wish: runs.OneRunWish): Promise<runs.ShowResult>;
    logs(wish: runs.OneRunWish & { readonly call?: string }): Promise<runs.LogsResult>;
    outputs(wish: runs.OneRunWish): Promise<runs.OutputsResult>;
    cancel(wish: runs.OneRunWish, ask: Ask): Promise<runs.CancelResult>;
    delete(wish: DeleteRunsWish, ask: Ask): Promise<DeleteRunsResult>;
    diff(
      wish: runs.RunsWish & { readonly before: string; readonly after: string },
      ask: Ask,
    ): Promise<runs.DiffResult>;
  };
  readonly caches: {
    create(wish: caches.CreateCacheWish, ask: Ask): Promise<CacheRecord>;
    list(): Promise<caches.CacheList>;
    show(cache: string, ask: Ask): Promise<caches.ShowCacheResult>;
    update(wish: caches.UpdateCacheWish): Promise<CacheRecord>;
    delete(
      wish: { readonly name: string; readonly purge: boolean },
      ask: Ask,
    ): Promise<caches.DeleteCacheResult>;
    entries(wish: caches.EntriesWish, ask: Ask): Promise<caches.EntryPage>;
    du(cache: string | undefined, ask: Ask): Promise<CacheSize>;
    prune(wish: Parameters<typeof caches.prune>[0], ask: Ask): Promise<caches.PruneResult>;
    pin(wish: Parameters<typeof caches.pin>[0], ask: Ask): Promise<caches.EntriesTouched>;
    invalidate(wish: caches.InvalidateWish, ask: Ask): Promise<caches.EntriesTouched>;
    verify(cache: string | undefined, ask: Ask): Promise<VerifyReport>;
    explain(wish: Parameters<typeof caches.explain>[0], ask: Ask): Promise<RunExplanation>;
  };
}

export function createWorkflows(environment: Environment): Workflows {
  const checking = () => import("./check.ts");
  const running = () => import("./run.ts");
  const runsModule = () => import("./runs.ts");
  const cachesModule = () => import("./caches.ts");
  return {
    check: async (wish, ask) => (await checking()).check(wish, environment, ask),
    inputs: async (wish, ask) => (await checking()).inputs(wish, environment, ask),
    order: async (request) => (await import("./run-order.ts")).orderOf(request, environment),
    run: async (order, ports, ask) => (await running()).runOrder(order, ports, environment, ask),
    cwlRunner: async (wish, onEvent, ask) =>
      (await import("./cwl-runner.ts")).runCwl(wish, environment, onEvent, ask),
    dryRun: async (order, ask) => (await import("./dry-run.ts")).dryRun(order, environment, ask),
    runs: {
      list: async (wish) => (await runsModule()).list(wish, environment),
      show: async (wish) => (await runsModule()).show(wish, environment),
      logs: async (wish) => (await runsModule()).logs(wish, environment),
      outputs: async (wish) => (await runsModule()).outputs(wish, environment),
      cancel: async (wish, ask) => (await runsModule()).cancel(wish, environment, ask),
      delete: async (wish, ask) => (await import("./delete-runs.ts")).deleteRuns(wish, environment, ask),
      diff: async (wish, ask) => (await runsModule()).diff(wish, environment, ask),
    },
    caches: {
      create: async (wish, ask) => (await cachesModule()).create(wish, environment, ask),
      list: async () => (await cachesModule()).list(environment),
      show: async (cache, ask) => (await cachesModule()).show(cache, environment, ask),
      update: async (wish) => (await cachesModule()).update(wish, environment),
      delete: async (wish, ask) => (await cachesModule()).remove(wish, environment, ask),
      entries: async (wish, ask) => (await cachesModule()).entries(wish, environment, ask),
      du: async (cache, ask) => (await cachesModule()).du(cache, environment, ask),
      prune: async (wish, ask) => (await cachesModule()).prune(wish, environment, ask),
      pin: async (wish, ask) => (await cachesModule()).pin(wish, environment, ask),
      invalidate: async (wish, ask) => (await cachesModule()).invalidate(wish, environment, ask),
      verify: async (cache, ask) => (await cachesModule()).verify(cache, environment, ask),
      explain: async (wish, ask) => (await cachesModule()).explain(wish, environment, ask),
    },
  };
}
