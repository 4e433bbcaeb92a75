/** A run of the server as an order to the engine. */
import { join } from "node:path";
import type { Ledger, RunCacheRecord, RunRecord } from "../../ledger/index.ts";
import { parsedInputs } from "../workflows/run-inputs.ts";
import type { RunOrder } from "../workflows/run-order.ts";
import { nextEngineRun } from "./engine-runs.ts";
import { type AllowedPlaces, boundsOf } from "./places.ts";
import { cacheRecordWithin, privateCache } from "./run-cache-records.ts";
import { definitionOf } from "./run-relations.ts";

/** What holds for the tasks of all runs. */
export interface TaskChoices extends Pick<RunOrder, "executor" | "taskExecutors" | "copyInputs" | "image"> {
  /** Record and reuse tasks that run without a container, whatever the cache says. */
  readonly cacheHostTasks: boolean;
  readonly gpus?: number;
}

interface OrderOptions {
  readonly ledger: Ledger;
  /** Which places on this machine documents may name, next to the run's own. */
  readonly allowed: AllowedPlaces;
  readonly tasks: TaskChoices;
}

/** `folder`: the run's own. */
export async function orderOf(
  run: RunRecord,
  { folder, cache }: { readonly folder: string; readonly cache: RunCacheRecord | undefined },
  { ledger, allowed, tasks }: OrderOptions,
): Promise<RunOrder> {
  const { cacheHostTasks, gpus, ...choices } = tasks;
  const definition = definitionOf(ledger, run);
  const runsDir = join(folder, "runs");
  return {
    ...choices,
    program: {
      workflow: definition.folder,
      reach: "inside",
      ...boundsOf(allowed, [definition.folder, folder]),
      ...(definition.main === "" ? {} : { main: definition.main }),
      lenient: definition.engine === "WDL_LENIENT",
    },
    // The folder that the server was started in means nothing to anybody.
    inputs: {
      baseDir: folder,
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
