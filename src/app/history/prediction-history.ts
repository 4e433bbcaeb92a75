/** What runs of predictions reused and computed, one line a run. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { defined, onDisk } from "../../kernel/index.ts";
import type { PredictEventSink, RunResult, TalliedBatch } from "../../predict/index.ts";
import type { Environment } from "../environment.ts";
import { newRunId } from "../workflows/runs-folder.ts";
import { keptLines } from "./followed-lines.ts";
import { keepLine } from "./kept-lines.ts";
import { keepCosts } from "./row-costs.ts";

export interface PastPredictions {
  /** ISO 8601: when the run ended. */
  readonly at: string;
  readonly model: string;
  readonly release: string;
  readonly reused: number;
  readonly computed: number;
  readonly failed: number;
  /** Of the whole run. */
  readonly seconds: number;
  /** Absent in lines of earlier versions, as all that follows. */
  readonly run?: string;
  readonly startedAt?: string;
  /** What computed the rows that no cache had. */
  readonly runner?: string;
  readonly toolkit?: string;
  /** Absent for pipes. */
  readonly input?: KnownFile;
  readonly output?: KnownFile;
  /** Reused rows by when and by what they were computed. */
  readonly batches?: readonly TalliedBatch[];
  /** Its rows were computed by other runs, which are counted. */
  readonly isMerge?: boolean;
}

interface KnownFile {
  readonly path: string;
  /** `sha256:…` */
  readonly identity: string;
  readonly bytes: number;
}

export interface PredictionRunFacts {
  readonly result: Pick<RunResult, "model" | "release" | "counts" | "seconds">;
  readonly startedAt: Date;
  readonly runner?: string;
  readonly toolkit?: string;
  /** Of files, not of pipes. Absolute. */
  readonly input?: string;
  readonly output?: string;
  readonly batches?: readonly TalliedBatch[];
  readonly isMerge?: boolean;
}

/** Answers the id of the run. */
export async function keepPredictions(
  facts: PredictionRunFacts,
  { environment, emit }: { readonly environment: Environment; readonly emit: PredictEventSink },
): Promise<string | undefined> {
  const { result, startedAt, runner, toolkit, batches = [], isMerge } = facts;
  const { model, release, counts, seconds } = result;
  const reused = counts.reusedLocal + counts.reusedCloud;
  const { computed, failed } = counts;
  if (reused + computed + failed === 0) return undefined;
  const [input, output] = await Promise.all([knownFile(facts.input), knownFile(facts.output)]);
  const run = newRunId(startedAt);
  const fact: PastPredictions = {
    ...{ at: new Date().toISOString(), model, release, reused, computed, failed, seconds },
    ...{ run, startedAt: startedAt.toISOString() },
    ...defined({ runner, toolkit, input, output, isMerge }),
    ...(batches.length === 0 ? {} : { batches }),
  };
  await keepLine("predictions", fact, environment, {
    dropping: (facts) => keepCosts(facts, environment),
    onTrouble: (message) => emit({ kind: "warning", message }),
  });
  return run;
}

/** What slices whose shards are in a folder computed and reused, as far as they were computed by this home. */
export async function batchesOfSlices(
  folder: string,
  environment: Environment,
): Promise<readonly TalliedBatch[]> {
  const newest = new Map<string, PastPredictions>();
  for (const past of await pastPredictions(environment))
    if (past.output?.path.startsWith(`${folder}/`) === true) newest.set(past.output.path, past);
  return [...newest.values()].flatMap(({ computed, at, runner, toolkit, batches = [] }) => [
    ...(computed === 0 ? [] : [{ rows: computed, computedAt: at, ...defined({ runner, toolkit }) }]),
    ...batches,
  ]);
}

/** undefined for what cannot be read any more. */
async function knownFile(path: string | undefined): Promise<KnownFile | undefined> {
  if (path === undefined) return undefined;
  try {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of createReadStream(onDisk(path), { highWaterMark: 1 << 20 })) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    return { path, identity: `sha256:${hash.digest("hex")}`, bytes };
  } catch {
    return undefined;
  }
}

export function pastPredictions(environment: Environment): Promise<readonly PastPredictions[]> {
  return keptLines<PastPredictions>("predictions", environment);
}
