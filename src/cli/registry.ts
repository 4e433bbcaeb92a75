/**
 * Every command: its name, one line about it, and how to load it. Nothing is loaded to print the list. To add a command,
 * write one file under commands/ that exports `command`, and add a row here.
 */
import type { LoadedCommand } from "./command.ts";

export interface RegistryRow {
  /** One or two words. */
  readonly name: string;
  readonly summary: string;
  readonly group: string;
  /** `words` are those after the name; a row may choose its file by them. */
  load(words: readonly string[]): Promise<{ readonly command: LoadedCommand }>;
}

const predictions = "Predictions";
const models = "Models";
const stored = "Stored predictions";
const machine = "This machine";

export const registry: readonly RegistryRow[] = [
  {
    name: "serve",
    summary: "choose a model and a cache mode for the commands that follow",
    group: predictions,
    load: () => import("./commands/serve.ts"),
  },
  {
    name: "run",
    summary: "predict for every input of a file",
    group: predictions,
    load: () => import("./commands/run.ts"),
  },
  {
    name: "dump",
    summary: "write what the caches hold for a model",
    group: predictions,
    load: () => import("./commands/dump.ts"),
  },
  {
    name: "close",
    summary: "end the session that serve opened",
    group: predictions,
    load: () => import("./commands/close.ts"),
  },
  {
    name: "example",
    summary: "make inputs to try a model with",
    group: models,
    load: () => import("./commands/example.ts"),
  },
  {
    name: "info",
    summary: "tell about the served model, or any other",
    group: models,
    load: () => import("./commands/info.ts"),
  },
  {
    name: "catalog",
    summary: "list the models that are here",
    group: models,
    load: () => import("./commands/catalog.ts"),
  },
  {
    name: "fetch",
    summary: "bring a model here from a folder, git, an archive or a server",
    group: models,
    load: () => import("./commands/fetch.ts"),
  },
  {
    name: "delete",
    summary: "remove a fetched model",
    group: models,
    load: () => import("./commands/delete.ts"),
  },
  {
    name: "predictions stats",
    summary: "count the stored predictions of each model",
    group: stored,
    load: () => import("./commands/predictions-stats.ts"),
  },
  {
    name: "predictions copy",
    summary: "copy a model's stored predictions between the caches",
    group: stored,
    load: () => import("./commands/predictions-copy.ts"),
  },
  {
    name: "predictions import",
    summary: "store predictions from a file that a model wrote elsewhere",
    group: stored,
    load: () => import("./commands/predictions-import.ts"),
  },
  {
    name: "predictions drop",
    summary: "delete a model's stored predictions",
    group: stored,
    load: () => import("./commands/predictions-drop.ts"),
  },
  {
    name: "predictions compact",
    summary: "merge the many small files of a cloud cache into few",
    group: stored,
    load: () => import("./commands/predictions-compact.ts"),
  },
  {
    name: "doctor",
    summary: "tell what is installed and reachable, and what each missing thing would enable",
    group: machine,
    load: () => import("./commands/doctor.ts"),
  },
];

/** The row that the words name, and the words after it; undefined when none does. */
export function findCommand(
  words: readonly string[],
): { readonly row: RegistryRow; readonly rest: readonly string[] } | undefined {
  for (const count of [2, 1]) {
    const name = words.slice(0, count).join(" ");
    const row = registry.find((candidate) => candidate.name === name);
    if (row !== undefined) return { row, rest: words.slice(count) };
  }
  return undefined;
}
