/** The workflow half of the application; every use case is loaded when it is first called. */
import type { ReusePrediction, RunExplanation, TimedEvent } from "../../engine/index.ts";
import type { Ask } from "../../kernel/index.ts";
import type { CacheSize, VerifyReport } from "../../store/entries/index.ts";
import type { Environment } from "../environment.ts";
import type { CacheRecord } from "./cache-registry.ts";
import type { EntriesTouched, EntryChoice } from "./caches/choose-entries.ts";
import type { CreateCacheWish } from "./caches/create.ts";
import type { DeleteCacheResult, DeleteCacheWish } from "./caches/delete.ts";
import type { EntriesWish, EntryPage } from "./caches/entries.ts";
import type { ExplainWish } from "./caches/explain.ts";
import type { CacheList } from "./caches/list.ts";
import type { PruneResult, PruneWish } from "./caches/prune.ts";
import type { ShowCacheResult } from "./caches/show.ts";
import type { UpdateCacheWish } from "./caches/update.ts";
import type { CheckResult, CheckWish, InputsResult } from "./check.ts";
import type { CwlRunnerResult, CwlRunnerWish } from "./cwl-runner.ts";
import type { ListWish } from "./list-runs.ts";
import type { ProgramOrder } from "./load.ts";
import type { WorkflowRunResult } from "./run.ts";
import type { RunOrder, RunPorts, RunRequest } from "./run-order.ts";
import type { CancelResult } from "./runs/cancel.ts";
import type { DeleteRunsResult, DeleteRunsWish } from "./runs/delete.ts";
import type { DiffResult, DiffWish } from "./runs/diff.ts";
import type { RunList } from "./runs/list.ts";
import type { LogsResult } from "./runs/logs.ts";
import type { OneRunWish, RunsWish } from "./runs/one-run.ts";
import type { OutputsResult } from "./runs/outputs.ts";
import type { ShowResult } from "./runs/show.ts";

export interface Workflows {
  check(wish: CheckWish, ask: Ask): Promise<CheckResult>;
  inputs(wish: ProgramOrder & { readonly all: boolean }, ask: Ask): Promise<InputsResult>;
  /** What people say, as data: the inputs file and the registry of caches are read, nothing is opened. */
  order(request: RunRequest): Promise<RunOrder>;
  run(order: RunOrder, ports: RunPorts, ask: Ask): Promise<WorkflowRunResult>;
  dryRun(order: RunOrder, ask: Ask): Promise<ReusePrediction>;
  /** Runs a CWL process as the common `cwl-runner` interface wants it. */
  cwlRunner(
    options: CwlRunnerOptions,
    onEvent: (event: TimedEvent) => void,
    ask: Ask,
  ): Promise<CwlRunnerResult>;
  readonly runs: {
    list(wish: RunsWish & ListWish): Promise<RunList>;
    show(wish: OneRunWish): Promise<ShowResult>;
    logs(wish: OneRunWish & { readonly call?: string }): Promise<LogsResult>;
    outputs(wish: OneRunWish): Promise<OutputsResult>;
    cancel(wish: OneRunWish, ask: Ask): Promise<CancelResult>;
    delete(wish: DeleteRunsWish, ask: Ask): Promise<DeleteRunsResult>;
    diff(wish: DiffWish, ask: Ask): Promise<DiffResult>;
  };
  readonly caches: {
    create(wish: CreateCacheWish, ask: Ask): Promise<CacheRecord>;
    list(): Promise<CacheList>;
    show(cache: string, ask: Ask): Promise<ShowCacheResult>;
    update(wish: UpdateCacheWish): Promise<CacheRecord>;
    delete(wish: DeleteCacheWish, ask: Ask): Promise<DeleteCacheResult>;
    entries(wish: EntriesWish, ask: Ask): Promise<EntryPage>;
    du(cache: string | undefined, ask: Ask): Promise<CacheSize>;
    prune(wish: PruneWish, ask: Ask): Promise<PruneResult>;
    pin(wish: EntryChoice & { readonly pinned: boolean }, ask: Ask): Promise<EntriesTouched>;
    invalidate(wish: EntryChoice, ask: Ask): Promise<EntriesTouched>;
    verify(cache: string | undefined, ask: Ask): Promise<VerifyReport>;
    explain(wish: ExplainWish, ask: Ask): Promise<RunExplanation>;
  };
}

export function createWorkflows(environment: Environment): Workflows {
  const checking = () => import("./check.ts");
  const running = () => import("./run.ts");
  return {
    check: async (options, ask) => (await checking()).check(options, environment, ask),
    inputs: async (options, ask) => (await checking()).inputs(options, environment, ask),
    order: async (request) => (await import("./run-order.ts")).orderOf(request, environment),
    run: async (order, ports, ask) => (await running()).runOrder(order, ports, environment, ask),
    cwlRunner: async (options, onEvent, ask) =>
      (await import("./cwl-runner.ts")).runCwl(options, environment, onEvent, ask),
    dryRun: async (order, ask) => (await import("./dry-run.ts")).dryRun(order, environment, ask),
    runs: {
      list: async (wish) => (await import("./runs/list.ts")).listRunsOfFolder(wish, environment),
      show: async (wish) => (await import("./runs/show.ts")).showRun(wish, environment),
      logs: async (wish) => (await import("./runs/logs.ts")).runLogs(wish, environment),
      outputs: async (wish) => (await import("./runs/outputs.ts")).runOutputs(wish, environment),
      cancel: async (wish, ask) => (await import("./runs/cancel.ts")).cancelRun(wish, environment, ask),
      delete: async (wish, ask) => (await import("./runs/delete.ts")).deleteRuns(wish, environment, ask),
      diff: async (wish, ask) => (await import("./runs/diff.ts")).diffRuns(wish, environment, ask),
    },
    caches: {
      create: async (wish, ask) => (await import("./caches/create.ts")).createCache(wish, environment, ask),
      list: async () => (await import("./caches/list.ts")).listCaches(environment),
      show: async (cache, ask) => (await import("./caches/show.ts")).showCache(cache, environment, ask),
      update: async (wish) => (await import("./caches/update.ts")).updateCache(wish, environment),
      delete: async (wish, ask) => (await import("./caches/delete.ts")).deleteCache(wish, environment, ask),
      entries: async (wish, ask) => (await import("./caches/entries.ts")).listEntries(wish, environment, ask),
      du: async (cache, ask) => (await import("./caches/size.ts")).cacheSize(cache, environment, ask),
      prune: async (wish, ask) => (await import("./caches/prune.ts")).pruneCache(wish, environment, ask),
      pin: async (wish, ask) => (await import("./caches/pin.ts")).pinEntries(wish, environment, ask),
      invalidate: async (wish, ask) =>
        (await import("./caches/invalidate.ts")).invalidateEntries(wish, environment, ask),
      verify: async (cache, ask) =>
        (await import("./caches/verify.ts")).verifyEntries(cache, environment, ask),
      explain: async (wish, ask) =>
        (await import("./caches/explain.ts")).explainComputed(wish, environment, ask),
    },
  };
}
