/** The workflow half of the application; every use case is loaded when it is first called. */
import type { ReusePrediction, RunExplanation, TimedEvent } from "../../engine/index.ts";
import type { Ask } from "../../kernel/index.ts";
import type { CacheSize, VerifyReport } from "../../store/entries/index.ts";
import type { Environment } from "../environment.ts";
import type { AdviceResult, AdviseOptions } from "../history/advice.ts";
import type { SavingsOptions, SavingsResult } from "../history/savings.ts";
import { needsHome } from "../home.ts";
import type { ExportOptions, ExportResult } from "../provenance/export-run.ts";
import type { TraceOptions, TraceResult } from "../provenance/trace.ts";
import type { NamedCache } from "./cache-registry.ts";
import type { EntriesTouched, EntryChoice } from "./caches/choose-entries.ts";
import type { CreateCacheOptions } from "./caches/create.ts";
import type { DeleteCacheOptions, DeleteCacheResult } from "./caches/delete.ts";
import type { EntriesOptions, EntryPage } from "./caches/entries.ts";
import type { ExplainOptions } from "./caches/explain.ts";
import type { CacheList } from "./caches/list.ts";
import type { PruneOptions, PruneResult } from "./caches/prune.ts";
import type { RechecksResult } from "./caches/rechecks.ts";
import type { ShowCacheResult } from "./caches/show.ts";
import type { UpdateCacheOptions } from "./caches/update.ts";
import type { CheckOptions, CheckResult, InputsResult } from "./check.ts";
import type { CwlRunnerOptions, CwlRunnerResult } from "./cwl-runner.ts";
import type { ListRunsOptions } from "./list-runs.ts";
import type { ProgramOrder } from "./load.ts";
import { createNextflowCommands, type NextflowCommands } from "./nextflow/commands.ts";
import type { WorkflowRunResult } from "./run.ts";
import type { RunOrder, RunPorts, RunRequest } from "./run-order.ts";
import type { CancelResult } from "./runs/cancel.ts";
import type { DeleteRunsOptions, DeleteRunsResult } from "./runs/delete.ts";
import type { DiffOptions, DiffResult } from "./runs/diff.ts";
import type { RunList } from "./runs/list.ts";
import type { LogsResult } from "./runs/logs.ts";
import type { OneRunOptions, RunsOptions } from "./runs/one-run.ts";
import type { OutputsResult } from "./runs/outputs.ts";
import type { ShowResult } from "./runs/show.ts";

export interface Workflows {
  check(options: CheckOptions, ask: Ask): Promise<CheckResult>;
  inputs(options: ProgramOrder & { readonly all: boolean }, ask: Ask): Promise<InputsResult>;
  /** What people say, as data: the inputs file and the registry of caches are read, nothing is opened. */
  order(request: RunRequest, ask: Ask): Promise<RunOrder>;
  run(order: RunOrder, ports: RunPorts, ask: Ask): Promise<WorkflowRunResult>;
  dryRun(order: RunOrder, ask: Ask): Promise<ReusePrediction>;
  /** Runs a CWL process as the common `cwl-runner` interface wants it. */
  cwlRunner(
    options: CwlRunnerOptions,
    onEvent: (event: TimedEvent) => void,
    ask: Ask,
  ): Promise<CwlRunnerResult>;
  /** The commands of Nextflow's command line. */
  readonly nextflow: NextflowCommands;
  /** What reuse saved over the runs of this home. */
  savings(options: SavingsOptions, ask: Ask): Promise<SavingsResult>;
  /** What the tasks of a workflow used over its runs. */
  advise(options: AdviseOptions, ask: Ask): Promise<AdviceResult>;
  /** Which calls made a file, back to the first inputs. */
  trace(options: TraceOptions, ask: Ask): Promise<TraceResult>;
  readonly runs: {
    list(options: RunsOptions & ListRunsOptions, ask: Ask): Promise<RunList>;
    show(options: OneRunOptions, ask: Ask): Promise<ShowResult>;
    logs(options: OneRunOptions & { readonly call?: string }, ask: Ask): Promise<LogsResult>;
    outputs(options: OneRunOptions, ask: Ask): Promise<OutputsResult>;
    cancel(options: OneRunOptions, ask: Ask): Promise<CancelResult>;
    delete(options: DeleteRunsOptions, ask: Ask): Promise<DeleteRunsResult>;
    diff(options: DiffOptions, ask: Ask): Promise<DiffResult>;
    export(options: ExportOptions, ask: Ask): Promise<ExportResult>;
  };
  readonly caches: {
    create(options: CreateCacheOptions, ask: Ask): Promise<NamedCache>;
    list(ask: Ask): Promise<CacheList>;
    show(cache: string, ask: Ask): Promise<ShowCacheResult>;
    update(options: UpdateCacheOptions, ask: Ask): Promise<NamedCache>;
    delete(options: DeleteCacheOptions, ask: Ask): Promise<DeleteCacheResult>;
    entries(options: EntriesOptions, ask: Ask): Promise<EntryPage>;
    du(cache: string | undefined, ask: Ask): Promise<CacheSize>;
    prune(options: PruneOptions, ask: Ask): Promise<PruneResult>;
    pin(options: EntryChoice & { readonly pinned: boolean }, ask: Ask): Promise<EntriesTouched>;
    invalidate(options: EntryChoice, ask: Ask): Promise<EntriesTouched>;
    verify(cache: string | undefined, ask: Ask): Promise<VerifyReport>;
    /** `forget`: a task whose mark in the cache is removed. */
    rechecks(
      options: { readonly cache?: string; readonly forget?: string },
      ask: Ask,
    ): Promise<RechecksResult>;
    explain(options: ExplainOptions, ask: Ask): Promise<RunExplanation>;
  };
}

export function createWorkflows(environment: Environment): Workflows {
  const checking = () => import("./check.ts");
  const running = () => import("./run.ts");
  const atHome = needsHome(environment);
  return {
    check: async (options, ask) => (await checking()).check(options, environment, ask),
    inputs: async (options, ask) => (await checking()).inputs(options, environment, ask),
    order: atHome(async (request, ask) =>
      (await import("./run-order.ts")).orderOf(request, environment, ask),
    ),
    run: atHome(async (order, ports, ask) =>
      (await running()).runOrder({ ...order, isListed: true }, ports, environment, ask),
    ),
    cwlRunner: atHome(async (options, onEvent, ask) =>
      (await import("./cwl-runner.ts")).runCwl(options, environment, onEvent, ask),
    ),
    dryRun: atHome(async (order, ask) => (await import("./dry-run.ts")).dryRun(order, environment, ask)),
    nextflow: createNextflowCommands(environment),
    savings: atHome(async (options, ask) =>
      (await import("../history/savings.ts")).savings(options, environment, ask),
    ),
    advise: atHome(async (options, ask) =>
      (await import("../history/advice.ts")).advise(options, environment, ask),
    ),
    trace: atHome(async (options, ask) =>
      (await import("../provenance/trace.ts")).trace(options, environment, ask),
    ),
    runs: {
      list: atHome(async (options, ask) =>
        (await import("./runs/list.ts")).listRunsOfFolder(options, environment, ask),
      ),
      show: atHome(async (options, ask) =>
        (await import("./runs/show.ts")).showRun(options, environment, ask),
      ),
      logs: atHome(async (options, ask) =>
        (await import("./runs/logs.ts")).runLogs(options, environment, ask),
      ),
      outputs: atHome(async (options, ask) =>
        (await import("./runs/outputs.ts")).runOutputs(options, environment, ask),
      ),
      cancel: atHome(async (options, ask) =>
        (await import("./runs/cancel.ts")).cancelRun(options, environment, ask),
      ),
      delete: atHome(async (options, ask) =>
        (await import("./runs/delete.ts")).deleteRuns(options, environment, ask),
      ),
      export: atHome(async (options, ask) =>
        (await import("../provenance/export-run.ts")).exportRun(options, environment, ask),
      ),
      diff: atHome(async (options, ask) =>
        (await import("./runs/diff.ts")).diffRuns(options, environment, ask),
      ),
    },
    caches: {
      create: atHome(async (options, ask) =>
        (await import("./caches/create.ts")).createCache(options, environment, ask),
      ),
      list: atHome(async (ask) => (await import("./caches/list.ts")).listCaches(environment, ask)),
      show: atHome(async (cache, ask) =>
        (await import("./caches/show.ts")).showCache(cache, environment, ask),
      ),
      update: atHome(async (options, ask) =>
        (await import("./caches/update.ts")).updateCache(options, environment, ask),
      ),
      delete: atHome(async (options, ask) =>
        (await import("./caches/delete.ts")).deleteCache(options, environment, ask),
      ),
      entries: atHome(async (options, ask) =>
        (await import("./caches/entries.ts")).listEntries(options, environment, ask),
      ),
      du: atHome(async (cache, ask) => (await import("./caches/size.ts")).cacheSize(cache, environment, ask)),
      prune: atHome(async (options, ask) =>
        (await import("./caches/prune.ts")).pruneCache(options, environment, ask),
      ),
      pin: atHome(async (options, ask) =>
        (await import("./caches/pin.ts")).pinEntries(options, environment, ask),
      ),
      invalidate: atHome(async (options, ask) =>
        (await import("./caches/invalidate.ts")).invalidateEntries(options, environment, ask),
      ),
      verify: atHome(async (cache, ask) =>
        (await import("./caches/verify.ts")).verifyEntries(cache, environment, ask),
      ),
      rechecks: atHome(async ({ cache, ...options }, ask) =>
        (await import("./caches/rechecks.ts")).cacheRechecks(cache, environment, ask, options),
      ),
      explain: atHome(async (options, ask) =>
        (await import("./caches/explain.ts")).explainComputed(options, environment, ask),
      ),
    },
  };
}
