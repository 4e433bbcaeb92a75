/**
 * The application: every use case as a method that takes plain wishes and returns plain data. This floor alone names
 * concrete tiers, models and runners. Each use case is loaded when it is first called.
 */
import type { Ask } from "../kernel/index.ts";
import type { DumpResult, PredictEventSink, RunResult } from "../predict/index.ts";
import type { DoctorResult } from "./doctor.ts";
import { type EnvironmentSource, readEnvironment } from "./environment.ts";
import type {
  CatalogResult,
  DeleteResult,
  ExampleResult,
  ExampleWish,
  FetchResult,
  FetchWish,
  InfoResult,
} from "./models.ts";
import type { Omics, OmicsWish } from "./omics/omics.ts";
import type { DumpWish, RunWish, ServeResult, SettingsWish, Wiring } from "./predictions.ts";
import { createSessions, type Session } from "./sessions.ts";
import type { CompactResult, CopyResult, ImportResult, TierWish } from "./stored.ts";
import type { DropResult, DropWish, StatsResult } from "./stored-inventory.ts";
import { createWorkflows, type Workflows } from "./workflows/workflows.ts";

export interface CloseResult {
  readonly session: string;
  /** The session that was open; undefined = none was. */
  readonly closed: Session | undefined;
}

export interface App {
  serve(wish: SettingsWish, ask: Ask): Promise<ServeResult>;
  run(wish: RunWish, emit: PredictEventSink, ask: Ask): Promise<RunResult>;
  dump(wish: DumpWish, emit: PredictEventSink, ask: Ask): Promise<DumpResult>;
  close(wish: { readonly session?: string }): Promise<CloseResult>;
  example(wish: ExampleWish, ask: Ask): Promise<ExampleResult>;
  info(wish: { readonly model?: string; readonly session?: string }, ask: Ask): Promise<InfoResult>;
  catalog(wish: { readonly model?: string }, ask: Ask): Promise<CatalogResult>;
  fetch(wish: FetchWish, ask: Ask): Promise<FetchResult>;
  delete(wish: { readonly model?: string; readonly all: boolean }, ask: Ask): Promise<DeleteResult>;
  readonly predictions: {
    stats(wish: TierWish & { readonly model?: string }, ask: Ask): Promise<StatsResult>;
    copy(
      wish: TierWish & { readonly model: string; readonly from: "local" | "cloud" },
      emit: PredictEventSink,
      ask: Ask,
    ): Promise<CopyResult>;
    import(
      wish: TierWish & { readonly model: string; readonly file: string; readonly into: "local" | "cloud" },
      emit: PredictEventSink,
      ask: Ask,
    ): Promise<ImportResult>;
    drop(wish: DropWish, ask: Ask): Promise<DropResult>;
    compact(wish: TierWish & { readonly model: string }, ask: Ask): Promise<CompactResult>;
  };
  /** What the HealthOmics server is made of; close it. */
  openOmics(wish: OmicsWish, onBug: (error: unknown) => void): Promise<Omics>;
  /** What the program of `OmicsWish.checker` does: answers one question of its parent, and ends. */
  answerCheck(): Promise<void>;
  /** Workflows, their runs and their caches. */
  readonly workflows: Workflows;
  doctor(wish: TierWish, ask: Ask): Promise<DoctorResult>;
}

/** Reads the environment once; touches nothing else. */
export function createApp(source: EnvironmentSource): App {
  const environment = readEnvironment(source);
  const { home, session, parentPid } = environment;
  const sessions = createSessions({ home, fromEnvironment: session, parentPid });
  const wiring: Wiring = { environment, sessions };
  const predictions = () => import("./predictions.ts");
  const models = () => import("./models.ts");
  const stored = () => import("./stored.ts");
  const inventory = () => import("./stored-inventory.ts");
  return {
    serve: async (wish, ask) => (await predictions()).serve(wish, wiring, ask),
    run: async (wish, emit, ask) => (await predictions()).run(wish, wiring, emit, ask),
    dump: async (wish, emit, ask) => (await predictions()).dump(wish, wiring, emit, ask),
    close: async (wish) => {
      const name = await sessions.nameOf(wish.session);
      return { session: name, closed: await sessions.close(name) };
    },
    example: async (wish, ask) => (await models()).example(wish, wiring, ask),
    info: async (wish, ask) => (await models()).info(wish, wiring, ask),
    catalog: async (wish, ask) => (await models()).catalog(wish, wiring, ask),
    fetch: async (wish, ask) => (await models()).fetchOne(wish, wiring, ask),
    delete: async (wish, ask) => (await models()).deleteSome(wish, wiring, ask),
    predictions: {
      stats: async (wish, ask) => (await inventory()).stats(wish, environment, ask),
      copy: async (wish, emit, ask) => (await stored()).copy(wish, environment, emit, ask),
      import: async (wish, emit, ask) => (await stored()).importFile(wish, environment, emit, ask),
      drop: async (wish, ask) => (await inventory()).drop(wish, environment, ask),
      compact: async (wish, ask) => (await stored()).compact(wish, environment, ask),
    },
    openOmics: async (wish, onBug) => (await import("./omics/omics.ts")).openOmics(wish, environment, onBug),
    answerCheck: async () => (await import("./omics/check-process.ts")).answerCheck(),
    workflows: createWorkflows(environment),
    doctor: async (wish, ask) => (await import("./doctor.ts")).doctor(wish, environment, ask),
  };
}
