/** Writes what the tiers hold for a model: everything, or N rows chosen as the mode says. */
import { digestOf } from "../hash/index.ts";
import { AppError, type Ask, checkAsk } from "../kernel/index.ts";
import type { Model } from "../models/index.ts";
import type { PredictionTier } from "../store/predictions/index.ts";
import type { PredictionRow, PredictionScope } from "../task/index.ts";
import { noCounts, type PredictEventSink } from "./events.ts";
import { statusCode } from "./files/answers.ts";
import { converterFor } from "./files/converter.ts";
import { outputFormatOf, type StreamedFormat } from "./files/format.ts";
import { rowFormatFor } from "./files/row-formats.ts";
import type { Mode, Source } from "./mode.ts";
import { OrderedWriter } from "./ordered-writer.ts";
import type { OutputRows } from "./output-rows.ts";
import { InputDigest, ResumableOutput } from "./resumable-output.ts";
import { type RowStream, streamOutput } from "./stream-output.ts";

export interface DumpRequest {
  readonly mode: Mode;
  readonly output: string;
  /** Rows go there instead of a file. */
  readonly outputStream?: RowStream;
  /** Default: by the extension of the output. */
  readonly outputFormat?: StreamedFormat;
  /** Maximum number of rows; undefined = every row. */
  readonly count?: number;
  /** Equal seed, equal stored rows: equal sample. */
  readonly seed: string;
  readonly statusColumn: "with" | "without";
}

export interface DumpParts {
  readonly model: Model;
  readonly local: PredictionTier | undefined;
  readonly cloud: PredictionTier | undefined;
  readonly emit: PredictEventSink;
}

export interface DumpResult {
  readonly model: string;
  readonly release: string;
  readonly mode: Mode;
  readonly output: string;
  readonly rows: number;
  readonly counts: { readonly local: number; readonly cloud: number };
  /** The seed of the random choice; absent where every row was written. */
  readonly seed?: string;
  readonly seconds: number;
}

/**
 * | mode | all | N |
 * |---|---|---|
 * | local, cloud | every row | a uniform random sample of up to N |
 * | cache-only | local rows, then cloud rows not already written | the first N local rows, filled up from the cloud at random |
 * @throws PREDICT_DUMP_NEEDS_MODE, PREDICT_TIER_NOT_CONFIGURED, STORE_*, FILE_NOT_WRITABLE, DISK_FULL.
 */
export async function dumpPredictions(request: DumpRequest, parts: DumpParts, ask: Ask): Promise<DumpResult> {
  const startedAt = performance.now();
  const format = request.outputFormat ?? outputFormatOf(request.output);
  const { id, release, columns } = parts.model;
  const scope: PredictionScope = { modelId: id, release, columns };
  const rows = chooseRows(request, parts, scope, ask);
  // No checkpoint is ever written, so nothing is resumed; the identity only has to differ from a run's.
  const identity = digestOf({ dump: id, at: Date.now() });
  const counts = noCounts();
  const output: OutputRows =
    request.outputStream === undefined
      ? await ResumableOutput.open({ path: request.output, identity })
      : streamOutput(request.output, request.outputStream);
  const writer = new OrderedWriter(
    output,
    rowFormatFor(format, { columns, missing: "", statusColumn: request.statusColumn }),
    counts,
  );
  const digest = new InputDigest();
  let finished = false;
  try {
    for await (const batch of rows) {
      checkAsk(ask, "dumping predictions");
      const code = batch.source === "local" ? statusCode.reusedLocal : statusCode.reusedCloud;
      await writer.write(
        {
          inputs: batch.rows.map((row) => row.input),
          values: batch.rows.map((row) => row.values),
          status: new Uint8Array(batch.rows.length).fill(code),
        },
        digest,
      );
      parts.emit({ kind: "dumping", rows: writer.rows });
    }
    await writer.finish(converterFor(format, columns, ask));
    finished = true;
  } finally {
    if (!finished) await output.abandon();
  }
  return {
    model: id,
    release,
    mode: request.mode,
    output: request.output,
    rows: writer.rows,
    counts: { local: counts.reusedLocal, cloud: counts.reusedCloud },
    ...(request.count === undefined ? {} : { seed: request.seed }),
    seconds: Math.round(performance.now() - startedAt) / 1000,
  };
}

interface Batch {
  readonly source: Source;
  readonly rows: readonly PredictionRow[];
}

function chooseRows(
  request: DumpRequest,
  parts: DumpParts,
  scope: PredictionScope,
  ask: Ask,
): AsyncGenerator<Batch> {
  const { mode } = request;
  switch (mode) {
    case "compute":
      throw new AppError(
        "PREDICT_DUMP_NEEDS_MODE",
        "cannot dump: the session says nothing about which cache to dump",
      );
    case "local-cache-only":
      return fromOne("local", need(parts, "local", mode), request, scope, ask);
    case "cloud-cache-only":
      return fromOne("cloud", need(parts, "cloud", mode), request, scope, ask);
    default: {
      const both = { local: need(parts, "local", mode), cloud: need(parts, "cloud", mode) };
      return fromBoth(both, request, scope, ask);
    }
  }
}

async function* fromOne(
  source: Source,
  tier: PredictionTier,
  request: DumpRequest,
  scope: PredictionScope,
  ask: Ask,
): AsyncGenerator<Batch> {
  await tier.open(ask);
  if (request.count === undefined) {
    for await (const rows of tier.scan(scope, ask)) yield { source, rows };
    return;
  }
  yield { source, rows: await tier.sample(scope, { count: request.count, seed: request.seed }, ask) };
}

async function* fromBoth(
  tiers: { readonly local: PredictionTier; readonly cloud: PredictionTier },
  request: DumpRequest,
  scope: PredictionScope,
  ask: Ask,
): AsyncGenerator<Batch> {
  const { local, cloud } = tiers;
  await local.open(ask);
  await cloud.open(ask);
  let left = request.count ?? Number.POSITIVE_INFINITY;
  for await (const rows of local.scan(scope, ask)) {
    const taken = rows.slice(0, left);
    left -= taken.length;
    if (taken.length > 0) yield { source: "local", rows: taken };
    if (left === 0) return;
  }
  // Every local row is written by now, so "already written" is "in the local tier": no list of them is kept in memory.
  const notWritten = async (rows: readonly PredictionRow[]) => {
    const known = await local.getMany(
      scope,
      rows.map((row) => row.input),
      ask,
    );
    return rows.filter((_, i) => known[i] === undefined);
  };
  if (request.count === undefined) {
    for await (const rows of cloud.scan(scope, ask)) yield { source: "cloud", rows: await notWritten(rows) };
    return;
  }
  // At most count - left of the sample are local rows, so a sample of `count` always leaves enough. Its order is
  // random, so the first of what remains are a uniform sample of the rows that only the cloud holds.
  const sample = await cloud.sample(scope, { count: request.count, seed: request.seed }, ask);
  yield { source: "cloud", rows: (await notWritten(sample)).slice(0, left) };
}

function need(parts: DumpParts, source: Source, mode: Mode): PredictionTier {
  const tier = parts[source];
  if (tier !== undefined) return tier;
  throw new AppError(
    "PREDICT_TIER_NOT_CONFIGURED",
    `cannot dump: the mode ${mode} needs a ${source} cache, and there is none`,
  );
}
