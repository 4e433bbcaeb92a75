/** app: the application, wired. */
export { type App, type CloseResult, createApp } from "./app.ts";
export type { DoctorResult, Finding } from "./doctor.ts";
export type { EnvironmentSource } from "./environment.ts";
export type {
  CatalogResult,
  DeleteResult,
  ExampleResult,
  ExampleWish,
  FetchResult,
  FetchWish,
  InfoResult,
} from "./models.ts";
export type { DumpWish, RunWish, ServeResult, SettingsWish } from "./predictions.ts";
export type { PredictionSettings, Session } from "./sessions.ts";
export type {
  CompactResult,
  CopyResult,
  DropResult,
  ImportResult,
  StatsResult,
  StatsRow,
  TierWish,
} from "./stored.ts";
