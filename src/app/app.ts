/**
 * The application: every use case as a method that takes options and returns data. This floor alone names
 * concrete tiers, models and runners. Each use case is loaded when it is first called.
 */
import type { Ask } from "../kernel/index.ts";
import type {
  BatchStatus,
  DumpResult,
  ManyModelsResult,
  MergeResult,
  PredictEventSink,
  RunResult,
  WorkResult,
} from "../predict/index.ts";
import type { AthenaInputsTableResult, AthenaTableOptions, AthenaTableResult } from "./athena-table.ts";
import type { MergeOptions, PlanOptions, PlanResult, StatusOptions, WorkOptions } from "./batch.ts";
import type { CatalogResult } from "./catalog.ts";
import type { Config, ConfigRequest } from "./config/read-config.ts";
import type { DoctorOptions, DoctorResult } from "./doctor.ts";
import { type EnvironmentSource, readEnvironment } from "./environment.ts";
import type { ExecutedRequest } from "./executed-predictions.ts";
import { needsHome } from "./home.ts";
import type { CiteResult, HubOptions, HubResult } from "./hub.ts";
import type { LookUpOptions, LookUpResult } from "./look-up.ts";
import type { ModelServerOptions, ModelServerParts } from "./model-server.ts";
import type {
  DeleteResult,
  ExampleOptions,
  ExampleResult,
  FetchModelOptions,
  FetchResult,
  InfoResult,
} from "./models.ts";
import type { Omics, OmicsOptions } from "./omics/omics.ts";
import type { PageAddress } from "./page/page-file.ts";
import type { DumpOptions, PredictionOptions, PredictionRequest, Wiring } from "./predictions.ts";
import type { ProjectStore } from "./project-store/project-store.ts";
import type { ServeResult } from "./serve.ts";
import { createSessions, type Session } from "./sessions.ts";
import type { SimilarOptions, SimilarResult } from "./similar.ts";
import type { CompactResult, CopyResult, DryRunOptions, ImportResult, TierOptions } from "./stored.ts";
import type { DropOptions, DropResult, StatsResult } from "./stored-inventory.ts";
import { createWorkflows, type Workflows } from "./workflows/workflows.ts";

export interface CloseResult {
  readonly session: string;
  /** The session that was open; undefined = none was. */
  readonly closed: Session | undefined;
}

export interface App {
  serve(options: PredictionOptions, ask: Ask): Promise<ServeResult>;
  run(options: PredictionRequest, emit: PredictEventSink, ask: Ask): Promise<RunResult>;
  /** The same inputs for several models, in one table. */
  runMany(
    options: Omit<PredictionRequest, "model"> & { readonly models: readonly string[] },
    emit: PredictEventSink,
    ask: Ask,
  ): Promise<ManyModelsResult>;
  /** Everything that is stored for a molecule, of all models, releases and caches. */
  lookUp(options: LookUpOptions, ask: Ask): Promise<LookUpResult>;
  /** The same in slices, as jobs of a cluster. */
  runOnExecutor(options: ExecutedRequest, emit: PredictEventSink, ask: Ask): Promise<RunResult>;
  dump(options: DumpOptions, emit: PredictEventSink, ask: Ask): Promise<DumpResult>;
  close(options: { readonly session?: string }): Promise<CloseResult>;
  example(options: ExampleOptions, ask: Ask): Promise<ExampleResult>;
  info(options: { readonly model?: string; readonly session?: string }, ask: Ask): Promise<InfoResult>;
  catalog(options: { readonly model?: string }, ask: Ask): Promise<CatalogResult>;
  /** The hub's published list. */
  hubCatalog(options: HubOptions, ask: Ask): Promise<HubResult>;
  cite(options: { readonly model: string; readonly place?: string }, ask: Ask): Promise<CiteResult>;
  fetch(options: FetchModelOptions, ask: Ask): Promise<FetchResult>;
  delete(options: { readonly model?: string; readonly all: boolean }, ask: Ask): Promise<DeleteResult>;
  readonly predictions: {
    stats(options: TierOptions & { readonly model?: string }, ask: Ask): Promise<StatsResult>;
    copy(
      options: TierOptions & DryRunOptions & { readonly model: string; readonly from: "local" | "cloud" },
      emit: PredictEventSink,
      ask: Ask,
    ): Promise<CopyResult>;
    import(
      options: TierOptions &
        DryRunOptions & {
          readonly model: string;
          readonly file: string;
          readonly into: "local" | "cloud";
        },
      emit: PredictEventSink,
      ask: Ask,
    ): Promise<ImportResult>;
    drop(options: DropOptions, ask: Ask): Promise<DropResult>;
    compact(options: TierOptions & { readonly model: string }, ask: Ask): Promise<CompactResult>;
    /** The statement that makes the table of a model in Athena. Nothing is made. */
    athenaTable(options: AthenaTableOptions, ask: Ask): Promise<AthenaTableResult>;
    /** The same for the table of uploaded inputs, which all models share. */
    athenaInputsTable(
      options: Pick<AthenaTableOptions, "database" | "cloud">,
    ): Promise<AthenaInputsTableResult>;
  };
  /** The stored molecules that are most similar to those of a file. */
  similar(options: SimilarOptions, emit: PredictEventSink, ask: Ask): Promise<SimilarResult>;
  /** Stored predictions in projects: `memoir store`. */
  projectStore(): Promise<ProjectStore>;
  /** Predictions in slices. */
  readonly batch: {
    plan(options: PlanOptions, ask: Ask): Promise<PlanResult>;
    work(options: WorkOptions, emit: PredictEventSink, ask: Ask): Promise<WorkResult>;
    status(options: StatusOptions, ask: Ask): Promise<BatchStatus>;
    merge(options: MergeOptions, emit: PredictEventSink, ask: Ask): Promise<MergeResult>;
  };
  /** What a server of one model is made of; close it. */
  openModelServer(
    options: ModelServerOptions,
    warn: (message: string) => void,
    ask: Ask,
  ): Promise<ModelServerParts>;
  /** What the HealthOmics server is made of; close it. */
  openOmics(options: OmicsOptions, onBug: (error: unknown) => void): Promise<Omics>;
  /** The web page of a server on this home. */
  readonly page: {
    /** undefined = none runs. */
    running(): Promise<PageAddress | undefined>;
    /** Ends the `memoir ui` of this home; whether there was one. */
    endUi(ask: Ask): Promise<boolean>;
    /** Whether that has ended this process. */
    wasTakenOver(): Promise<boolean>;
    /** In the user's browser; whether there is one. */
    open(url: string): Promise<boolean>;
  };
  /** What the program of `OmicsOptions.checker` does: answers one question of its parent, and ends. */
  answerCheck(): Promise<void>;
  /** What the program of `OmicsOptions.runner` does: performs one run of its parent, and ends. */
  answerRun(): Promise<void>;
  /** What the program of `OmicsOptions.repeater` does: runs what a file asks for, and ends. */
  answerRunAgain(file: string): Promise<void>;
  /** Workflows, their runs and their caches. */
  readonly workflows: Workflows;
  doctor(options: DoctorOptions, ask: Ask): Promise<DoctorResult>;
  /** What configuration files say for a command. */
  config(request: ConfigRequest): Promise<Config>;
}

/** Reads the environment once; touches nothing else. */
export function createApp(source: EnvironmentSource): App {
  const environment = readEnvironment(source);
  const { home, session, parentPid } = environment;
  const sessions = createSessions({ home, fromEnvironment: session, parentPid });
  const wiring: Wiring = { environment, sessions };
  const predictions = () => import("./predictions.ts");
  const batch = () => import("./batch.ts");
  const models = () => import("./models.ts");
  const stored = () => import("./stored.ts");
  const inventory = () => import("./stored-inventory.ts");
  const atHome = needsHome(environment);
  return {
    serve: atHome(async (options, ask) => (await import("./serve.ts")).serve(options, wiring, ask)),
    run: atHome(async (options, emit, ask) => (await predictions()).run(options, wiring, emit, ask)),
    runMany: atHome(async ({ notify, ...options }, emit, ask) => {
      const { announced } = await import("./workflows/announce-end.ts");
      const model = options.models.join(",");
      const run = {
        model,
        say: (message: string) => emit({ kind: "warning", message }),
        endFor: ({ models, output }: ManyModelsResult) => ({
          ...({ model, state: "succeeded" } as const),
          rows: Object.fromEntries(models.map((each) => [each.model, each.counts])),
          ...(options.outputStream === undefined ? { output } : {}),
        }),
      };
      return announced(notify, run, async () => (await predictions()).runMany(options, wiring, emit, ask));
    }),
    lookUp: atHome(async (options, ask) => (await import("./look-up.ts")).lookUp(options, environment, ask)),
    runOnExecutor: atHome(async ({ notify, ...options }, emit, ask) => {
      const { announced } = await import("./workflows/announce-end.ts");
      const run = {
        model: options.model ?? "",
        say: (message: string) => emit({ kind: "warning", message }),
        endFor: ({ model, release, counts, output, finished }: RunResult) =>
          finished
            ? {
                ...({ model, release, state: "succeeded", rows: counts } as const),
                ...(options.outputStream === undefined ? { output } : {}),
              }
            : undefined,
      };
      return announced(notify, run, async () =>
        (await import("./executed-predictions.ts")).runOnExecutor(options, wiring, emit, ask),
      );
    }),
    dump: atHome(async (options, emit, ask) => (await predictions()).dump(options, wiring, emit, ask)),
    close: atHome(async (options) => {
      const name = await sessions.nameOf(options.session);
      const closed = await sessions.close(name);
      const container = closed?.settings.container;
      if (container !== undefined)
        await (await import("../models/index.ts")).stopSessionContainer(container, {
          env: environment.programs,
        });
      return { session: name, closed };
    }),
    example: atHome(async (options, ask) => (await models()).example(options, wiring, ask)),
    info: atHome(async (options, ask) => (await models()).info(options, wiring, ask)),
    catalog: atHome(async (options, ask) => (await import("./catalog.ts")).catalog(options, wiring, ask)),
    hubCatalog: atHome(async (options, ask) =>
      (await import("./hub.ts")).hubCatalog(options, environment, ask),
    ),
    cite: atHome(async (options, ask) => (await import("./hub.ts")).cite(options, environment, ask)),
    fetch: atHome(async (options, ask) => (await models()).fetchOne(options, wiring, ask)),
    delete: atHome(async (options, ask) => (await models()).deleteSome(options, wiring, ask)),
    predictions: {
      stats: atHome(async (options, ask) => (await inventory()).stats(options, environment, ask)),
      copy: atHome(async (options, emit, ask) => (await stored()).copy(options, environment, emit, ask)),
      import: atHome(async (options, emit, ask) =>
        (await stored()).importFile(options, environment, emit, ask),
      ),
      drop: atHome(async (options, ask) => (await inventory()).drop(options, environment, ask)),
      compact: atHome(async (options, ask) => (await stored()).compact(options, environment, ask)),
      athenaTable: atHome(async (options, ask) =>
        (await import("./athena-table.ts")).athenaTable(options, environment, ask),
      ),
      athenaInputsTable: atHome(async (options) =>
        (await import("./athena-table.ts")).athenaInputsTable(options, environment),
      ),
    },
    similar: atHome(async (options, emit, ask) =>
      (await import("./similar.ts")).similar(options, environment, emit, ask),
    ),
    projectStore: atHome(async () =>
      (await import("./project-store/project-store.ts")).projectStore(environment),
    ),
    batch: {
      plan: atHome(async (options, ask) => (await batch()).plan(options, wiring, ask)),
      work: atHome(async (options, emit, ask) => (await batch()).work(options, wiring, emit, ask)),
      status: async (options, ask) => (await batch()).status(options, wiring, ask),
      merge: async (options, emit, ask) => (await batch()).merge(options, wiring, emit, ask),
    },
    openModelServer: atHome(async (options, warn, ask) =>
      (await import("./model-server.ts")).openModelServer(options, wiring, warn, ask),
    ),
    openOmics: atHome(async (options, onBug) =>
      (await import("./omics/omics.ts")).openOmics(options, environment, onBug),
    ),
    page: {
      running: atHome(async () => (await import("./page/page-file.ts")).runningPage(environment)),
      endUi: async (ask) => (await import("./page/page-file.ts")).endUi(environment, ask),
      wasTakenOver: async () => (await import("./page/page-file.ts")).wasTakenOver(environment),
      open: async (url) => (await import("./page/open-browser.ts")).openBrowser(url, environment),
    },
    answerCheck: async () => (await import("./omics/check-process.ts")).answerCheck(),
    answerRun: async () => (await import("./omics/run-process/answer-run.ts")).answerRun(environment),
    answerRunAgain: async (file) =>
      (await import("./workflows/run-again.ts")).answerRunAgain(
        file,
        async ({ cwd, request, invalidate }) => {
          const { workflows } = createApp({ ...source, cwd });
          const ask = { signal: new AbortController().signal };
          const ready = async () => {
            if (invalidate !== undefined) await workflows.caches.invalidate(invalidate, ask);
          };
          await workflows.run(await workflows.order(request, ask), { onEvent: () => {}, ready }, ask);
        },
      ),
    workflows: createWorkflows(environment),
    config: atHome(async (request) =>
      (await import("./config/read-config.ts")).readConfig(request, environment),
    ),
    doctor: async (options, ask) => (await import("./doctor.ts")).doctor(options, environment, ask),
  };
}
