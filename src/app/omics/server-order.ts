/** A run of the server as an order to the engine. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError, defined } from "../../kernel/index.ts";
import type { Ledger, RunCacheRecord, RunRecord } from "../../ledger/index.ts";
import { takesOption } from "../workflows/executors.ts";
import type { ProgramOrder } from "../workflows/load.ts";
import { parsedInputs } from "../workflows/run-inputs.ts";
import type { RunOrder } from "../workflows/run-order.ts";
import { nextEngineRun } from "./engine-runs.ts";
import {
  offeredVersions,
  outputFolder,
  readEngineSettings,
  resultPlaces,
  serviceVariables,
} from "./engine-settings.ts";
import { type AllowedPlaces, boundsOf } from "./places.ts";
import { cacheRecordWithin, privateCache } from "./run-cache-records.ts";
import { definitionOf } from "./run-relations.ts";

/** What holds for the tasks of all runs. */
export interface TaskChoices extends Pick<RunOrder, "executor" | "taskExecutors" | "copyInputs" | "image"> {
  /** Record and reuse tasks that run without a container, whatever the cache says. */
  readonly cacheHostTasks: boolean;
  readonly gpus?: number;
  /** What Nextflow's `clusterOptions` may ask of a scheduler, as patterns of `Configuration`. Default: nothing. */
  readonly schedulerOptions?: readonly string[];
}

interface OrderOptions {
  readonly ledger: Ledger;
  /** Which places on this machine documents may name, next to the run's own. */
  readonly allowed: AllowedPlaces;
  readonly tasks: TaskChoices;
  /** Where scripts run in separate processes. */
  readonly processes?: unknown;
}

/** `folder`: the run's own. */
export async function orderOf(
  run: RunRecord,
  { folder, cache }: { readonly folder: string; readonly cache: RunCacheRecord | undefined },
  { ledger, allowed, tasks, processes }: OrderOptions,
): Promise<RunOrder> {
  const { cacheHostTasks, gpus, schedulerOptions, ...choices } = tasks;
  const definition = definitionOf(ledger, run);
  const runsDir = join(folder, "runs");
  const pipeline = definition.engine === "NEXTFLOW" ? await pipelineParts(run, folder, tasks) : undefined;
  const limited = pipeline !== undefined && processes === undefined;
  return {
    ...choices,
    ...pipeline?.order,
    program: {
      workflow: definition.folder,
      reach: "inside",
      ...boundsOf(allowed, [definition.folder, folder]),
      ...(definition.main === "" ? {} : { main: definition.main }),
      lenient: definition.engine === "WDL_LENIENT",
      ...pipeline?.program,
      ...(limited && { expressions: { timeMs: sharedLimitMs } }),
    },
    // The folder that the server was started in means nothing to anybody.
    inputs: {
      baseDir: pipeline?.launchDir ?? folder,
      ...(await parsedInputs({ name: "parameters.json", text: run.parameters })),
    },
    cache: {
      kind: "record",
      // Without its own cache a run keeps its results for itself, so that a restart does not repeat them.
      record: cache === undefined ? privateCache(run, folder) : cacheRecordWithin(allowed, cache, run),
      hostTasks: cacheHostTasks,
    },
    limits: gpus === undefined ? {} : { gpus },
    failure: "fast",
    runsDir,
    runId: await nextEngineRun(run, runsDir),
  };
}

interface PipelineParts {
  readonly order: Partial<RunOrder>;
  readonly program: Partial<ProgramOrder>;
  readonly launchDir: string;
}

/** What scripts may take without a pause in the process that answers everybody; in their own process, as everywhere. */
const sharedLimitMs = 5_000;

/** Without a container a task would run on the machine of the server. */
const withContainers = "container";

/** Of Nextflow: its launch folder and its folders of results are in the run's own. */
async function pipelineParts(run: RunRecord, folder: string, tasks: TaskChoices): Promise<PipelineParts> {
  const settings = readEngineSettings(run.echoed["engineSettings"], undefined);
  if (typeof settings === "string")
    throw new AppError("RUN_INPUT_INVALID", `starting run ${run.id}: ${settings}`);
  const launchDir = join(folder, "launch");
  const places = resultPlaces(folder);
  for (const path of [launchDir, ...Object.values(places)]) await mkdir(path, { recursive: true });
  const { executor } = tasks;
  const options = Object.entries(executor.options).filter(([name]) => takesOption(withContainers, name));
  return {
    launchDir,
    order: {
      ...(executor.name === "auto" && {
        executor: { name: withContainers, options: Object.fromEntries(options) },
      }),
      writable: [launchDir, ...Object.values(places)],
    },
    program: {
      language: "nextflow",
      variables: serviceVariables(run.id),
      configuration: {
        offeredVersions,
        ...defined({
          engineVersion: settings.engineVersion,
          syntaxVersion: settings.syntaxVersion,
          outputFormat: settings.outputFormat,
        }),
        profiles: settings.profiles,
        places,
        outputDir: outputFolder,
        workDir: "/mnt/workflow/work",
        containers: true,
        ...(usesScheduler(tasks) && { schedulerOptions: tasks.schedulerOptions ?? [] }),
        facts: {
          runName: run.name ?? run.id,
          sessionId: run.uuid,
          commandLine: "nextflow run",
          userName: "memoir",
        },
      },
    },
  };
}

/** Elsewhere a scheduler's words have no effect, and none can do harm. */
function usesScheduler({ executor, taskExecutors = [] }: TaskChoices): boolean {
  return [executor.name, ...taskExecutors.map(({ name }) => name)].some(
    (name) => name !== undefined && name !== "auto" && !withoutScheduler.includes(name),
  );
}

const withoutScheduler: readonly string[] = ["container", "host", "mixed"];
