/**
 * Every command: its name, a one-line summary, and how to load it. Printing the list loads no command. To add a command,
 * write one file under commands/ that exports `command`, and add a row here.
 */
import { invariant } from "../kernel/index.ts";
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
const workflows = "Workflows";
const caches = "Run caches";
const models = "Models";
const stored = "Stored predictions";
const machine = "This machine";

export const registry: readonly RegistryRow[] = [
  {
    name: "serve",
    summary: "select a model and a cache mode for the following commands",
    group: predictions,
    load: () => import("./commands/serve.ts"),
  },
  {
    name: "run",
    summary: "predict for every input of a file, or run a workflow: run WORKFLOW",
    group: predictions,
    load: (words) =>
      namesWorkflow(words) ? import("./commands/run-workflow.ts") : import("./commands/run.ts"),
  },
  {
    name: "lookup",
    summary: "show every stored value of a molecule, of all models and caches",
    group: predictions,
    load: () => import("./commands/lookup.ts"),
  },
  {
    name: "similar",
    summary: "list the stored molecules that are most similar to those of a file",
    group: predictions,
    load: () => import("./commands/similar.ts"),
  },
  {
    name: "dump",
    summary: "write a model's stored predictions to a file",
    group: predictions,
    load: () => import("./commands/dump.ts"),
  },
  {
    name: "batch plan",
    summary: "plan predictions in slices that several machines compute",
    group: predictions,
    load: () => import("./commands/batch-plan.ts"),
  },
  {
    name: "batch work",
    summary: "compute one slice of a planned batch",
    group: predictions,
    load: () => import("./commands/batch-work.ts"),
  },
  {
    name: "batch status",
    summary: "show which slices of a batch are done",
    group: predictions,
    load: () => import("./commands/batch-status.ts"),
  },
  {
    name: "batch merge",
    summary: "merge the slices of a batch in the order of the input",
    group: predictions,
    load: () => import("./commands/batch-merge.ts"),
  },
  {
    name: "close",
    summary: "close the session that serve opened",
    group: predictions,
    load: () => import("./commands/close.ts"),
  },
  {
    name: "example",
    summary: "create example inputs for a model",
    group: models,
    load: () => import("./commands/example.ts"),
  },
  {
    name: "info",
    summary: "show the served model or another one",
    group: models,
    load: () => import("./commands/info.ts"),
  },
  {
    name: "catalog",
    summary: "list the available models",
    group: models,
    load: () => import("./commands/catalog.ts"),
  },
  {
    name: "ersilia",
    summary: "run predictions with the command line of Ersilia",
    group: predictions,
    load: async () => {
      const { ersiliaOf } = await import("./commands/ersilia.ts");
      return { command: ersiliaOf(loadPrediction) };
    },
  },
  {
    name: "cite",
    summary: "print how to cite a model, with its publication and licence",
    group: models,
    load: () => import("./commands/cite.ts"),
  },
  {
    name: "fetch",
    summary: "install a model from a folder, git, an archive, an image or a server",
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
    summary: "import predictions from files that a model wrote elsewhere",
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
    summary: "merge the small files of a cloud cache into larger ones",
    group: stored,
    load: () => import("./commands/predictions-compact.ts"),
  },
  {
    name: "store write",
    summary: "write the results of a model into a project",
    group: stored,
    load: () => import("./commands/store-write.ts"),
  },
  {
    name: "store read",
    summary: "look up the inputs of a file in a project",
    group: stored,
    load: () => import("./commands/store-read.ts"),
  },
  {
    name: "store copy",
    summary: "copy the rows of a model to another project or place",
    group: stored,
    load: () => import("./commands/store-copy.ts"),
  },
  {
    name: "store move",
    summary: "move the rows of a model to another project or access",
    group: stored,
    load: () => import("./commands/store-move.ts"),
  },
  {
    name: "store remove",
    summary: "delete a model's rows from a project",
    group: stored,
    load: () => import("./commands/store-remove.ts"),
  },
  {
    name: "store inspect",
    summary: "show which inputs are stored in a project",
    group: stored,
    load: () => import("./commands/store-inspect.ts"),
  },
  {
    name: "store catalog",
    summary: "list the models of every project",
    group: stored,
    load: () => import("./commands/store-catalog.ts"),
  },
  {
    name: "store stats",
    summary: "count the models and rows of all projects",
    group: stored,
    load: () => import("./commands/store-stats.ts"),
  },
  {
    name: "store push",
    summary: "copy rows of the local cache into a project",
    group: stored,
    load: () => import("./commands/store-push.ts"),
  },
  {
    name: "store pull",
    summary: "copy a project's rows into the local cache",
    group: stored,
    load: () => import("./commands/store-pull.ts"),
  },
  {
    name: "athena ddl",
    summary: "print the statement that makes a model's table in Athena",
    group: stored,
    load: () => import("./commands/athena-ddl.ts"),
  },
  {
    name: "athena inputs",
    summary: "print the statement that makes the table of uploaded inputs",
    group: stored,
    load: () => import("./commands/athena-inputs.ts"),
  },
  {
    name: "check",
    summary: "check a workflow without running it",
    group: workflows,
    load: () => import("./commands/check.ts"),
  },
  {
    name: "cwl-runner",
    summary: "run a CWL process with the interface that other CWL programs expect",
    group: workflows,
    load: () => import("./commands/cwl-runner.ts"),
  },
  {
    name: "nextflow",
    summary: "run a Nextflow pipeline with the command line of Nextflow",
    group: workflows,
    load: () => import("./commands/nextflow.ts"),
  },
  {
    name: "shim",
    summary: "write executables ersilia, nextflow and cwl-runner that pass on to Memoir",
    group: workflows,
    load: () => import("./commands/shim.ts"),
  },
  {
    name: "inputs",
    summary: "print a template of a workflow's inputs",
    group: workflows,
    load: () => import("./commands/inputs.ts"),
  },
  {
    name: "runs list",
    summary: "list workflow runs",
    group: workflows,
    load: () => import("./commands/runs-list.ts"),
  },
  {
    name: "runs show",
    summary: "show a run and its calls",
    group: workflows,
    load: () => import("./commands/runs-show.ts"),
  },
  {
    name: "runs logs",
    summary: "print command, streams and exit code of a run's calls",
    group: workflows,
    load: () => import("./commands/runs-logs.ts"),
  },
  {
    name: "runs outputs",
    summary: "print the outputs of a run as JSON",
    group: workflows,
    load: () => import("./commands/runs-outputs.ts"),
  },
  {
    name: "runs cancel",
    summary: "stop a running workflow",
    group: workflows,
    load: () => import("./commands/runs-cancel.ts"),
  },
  {
    name: "runs delete",
    summary: "delete the folders of ended runs",
    group: workflows,
    load: () => import("./commands/runs-delete.ts"),
  },
  {
    name: "runs diff",
    summary: "compare two runs, call by call",
    group: workflows,
    load: () => import("./commands/runs-diff.ts"),
  },
  {
    name: "runs export",
    summary: "write the provenance of a run as an RO-Crate or JSON",
    group: workflows,
    load: () => import("./commands/runs-export.ts"),
  },
  {
    name: "trace",
    summary: "show which calls made a file, back to the first inputs",
    group: workflows,
    load: () => import("./commands/trace.ts"),
  },
  {
    name: "savings",
    summary: "show what reuse has saved: time, bytes and money",
    group: workflows,
    load: () => import("./commands/savings.ts"),
  },
  {
    name: "advise",
    summary: "show what the tasks of a workflow used, and suggest values",
    group: workflows,
    load: () => import("./commands/advise.ts"),
  },
  {
    name: "cache create",
    summary: "create a named run cache",
    group: caches,
    load: () => import("./commands/cache-create.ts"),
  },
  {
    name: "cache list",
    summary: "list the named run caches",
    group: caches,
    load: () => import("./commands/cache-list.ts"),
  },
  {
    name: "cache show",
    summary: "show a run cache",
    group: caches,
    load: () => import("./commands/cache-show.ts"),
  },
  {
    name: "cache update",
    summary: "change a named cache",
    group: caches,
    load: () => import("./commands/cache-update.ts"),
  },
  {
    name: "cache delete",
    summary: "delete a named cache",
    group: caches,
    load: () => import("./commands/cache-delete.ts"),
  },
  {
    name: "cache entries",
    summary: "list the entries of a cache",
    group: caches,
    load: () => import("./commands/cache-entries.ts"),
  },
  {
    name: "cache explain",
    summary: "explain why calls were computed instead of reused",
    group: caches,
    load: () => import("./commands/cache-explain.ts"),
  },
  {
    name: "cache du",
    summary: "show the size of a cache",
    group: caches,
    load: () => import("./commands/cache-du.ts"),
  },
  {
    name: "cache prune",
    summary: "remove entries that are no longer needed",
    group: caches,
    load: () => import("./commands/cache-prune.ts"),
  },
  {
    name: "cache pin",
    summary: "protect entries from being pruned",
    group: caches,
    load: () => import("./commands/cache-pin.ts"),
  },
  {
    name: "cache invalidate",
    summary: "delete entries so that their calls are computed again",
    group: caches,
    load: () => import("./commands/cache-invalidate.ts"),
  },
  {
    name: "cache rechecks",
    summary: "show which tasks gave other results when computed again",
    group: caches,
    load: () => import("./commands/cache-rechecks.ts"),
  },
  {
    name: "cache verify",
    summary: "check everything and set damaged entries aside",
    group: caches,
    load: () => import("./commands/cache-verify.ts"),
  },
  {
    name: "ui",
    summary: "show runs, caches and predictions on a page in the browser",
    group: machine,
    load: () => import("./commands/ui.ts"),
  },
  {
    name: "model-server",
    summary: "serve a model over HTTP with the routes of ersilia-pack",
    group: predictions,
    load: () => import("./commands/model-server.ts"),
  },
  {
    name: "server",
    summary: "serve the AWS HealthOmics workflows API for unmodified AWS clients",
    group: machine,
    load: () => import("./commands/server.ts"),
  },
  {
    name: "doctor",
    summary: "report what is installed and reachable, and what each missing part would enable",
    group: machine,
    load: () => import("./commands/doctor.ts"),
  },
  {
    name: "config",
    summary: "show every setting of the configuration files, and where it is set",
    group: machine,
    load: () => import("./commands/config.ts"),
  },
  {
    name: "completion",
    summary: "print a completion script for bash, zsh or fish",
    group: machine,
    load: async () => ({ command: (await import("./commands/completion.ts")).completionOf(registry) }),
  },
];

/** The command of this name; of `run`, the one for predictions. */
async function loadPrediction(name: string): Promise<LoadedCommand> {
  const row = registry.find((each) => each.name === name);
  invariant(row !== undefined, `there is a command ${name}`);
  return (await row.load([])).command;
}

/** `memoir run main.wdl …` runs a workflow; predictions have no argument that is not a flag's value. */
function namesWorkflow(words: readonly string[]): boolean {
  const [first] = words;
  if (first !== undefined && !first.startsWith("-")) return true;
  return words.some((word) => /\.(wdl|cwl|nf)$/i.test(word));
}

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
