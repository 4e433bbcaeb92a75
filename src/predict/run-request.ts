/** What a prediction run is asked for, what it works with, and what it answers. */
import type { Readable } from "node:stream";
import type { Separator } from "../csv/index.ts";
import type { Canonicalizer, Model, Runner } from "../models/index.ts";
import type { PredictionTier } from "../store/predictions/index.ts";
import type { BatchTally } from "./batch-tally.ts";
import type { PredictEventSink, RunCounts } from "./events.ts";
import type { InputFormat, StreamedFormat } from "./files/format.ts";
import type { HeaderOptions } from "./files/header.ts";
import type { RowFormat } from "./files/row-format.ts";
import type { Mode } from "./mode.ts";
import type { NearestAnswers } from "./nearest-answers.ts";
import type { NotStored } from "./recorder.ts";
import type { RowSink } from "./row-sink.ts";
import type { Slice } from "./slices.ts";
import type { RowStream } from "./stream-output.ts";
import type { UnsentPlace } from "./unsent-rows.ts";

export interface RunRequest extends HeaderOptions {
  readonly mode: Mode;
  /** `never` stops after the look-ups (`--no-compute`). Default: what the mode says. */
  readonly computes?: "never";
  readonly input: string;
  readonly output: string;
  /** Read instead of the input file. */
  readonly inputStream?: Readable;
  /** Taken instead of the input file; each is one input. */
  readonly inputs?: AsyncIterable<string> | Iterable<string>;
  /** Rows go there as values, and no file is written. */
  readonly rows?: RowSink;
  /** Rows go there, and nothing is left in files by an interrupted run. */
  readonly outputStream?: RowStream;
  /** Default: by the extensions. */
  readonly inputFormat?: InputFormat;
  readonly outputFormat?: StreamedFormat;
  /** What separates the cells of the input. Default: what its first lines show. */
  readonly delimiter?: Separator;
  /** Default: what the mode says. */
  readonly missing?: string;
  readonly statusColumn: "with" | "without";
  readonly match: "exact" | "canonical";
  /**
   * Rows that no cache has are answered by those of similar molecules (see `RunParts.nearest`), from this similarity on.
   * Part of what decides the output.
   */
  readonly nearest?: number;
  /** Inputs handed to the model at once. Default: 100 at first, then as many as suit the model, up to 10,000. */
  readonly batchSize?: number;
  /** Batches at the same time. Default: 1. */
  readonly parallel?: number;
  /** Only the rows of this slice. */
  readonly slice?: Slice;
  /** Of the slice, only these rows of the input, counted from 0. */
  readonly isWanted?: (row: number) => boolean;
  /** Ends before all is done, so that a later run can resume. */
  readonly stopAfter?: StopAfter;
  /** In place of the output's format: how rows are written, and what its text depends on, options aside. */
  readonly rowFormat?: { readonly format: RowFormat; readonly identity: string };
}

export type StopAfter =
  | { readonly kind: "time"; readonly ms: number }
  /** Rows that this run writes, without resumed ones. */
  | { readonly kind: "rows"; readonly rows: number };

export interface RunParts {
  readonly model: Model;
  /** The tiers that the mode needs; opened by the run where that is still to do, closed by the caller. */
  readonly local: PredictionTier | undefined;
  readonly cloud: PredictionTier | undefined;
  /** Where answers wait that a tier could not be given; without it they are kept in memory until the run ends. */
  readonly unsent?: { readonly local?: UnsentPlace; readonly cloud?: UnsentPlace };
  /** Not open yet; opened only when something must be computed, and closed by the run. */
  readonly runner: Runner;
  readonly canonicalizer: () => Promise<Canonicalizer>;
  /** Counts reused rows by when and by what they were computed. */
  readonly batches?: BatchTally;
  /** Needed by `RunRequest.nearest`. */
  readonly nearest?: NearestAnswers;
  readonly emit: PredictEventSink;
}

export interface FailedInput {
  /** Row of the input, counted from 1 and without the header. */
  readonly row: number;
  readonly input: string;
  readonly reason: string;
}

export interface RunResult {
  readonly model: string;
  readonly release: string;
  readonly mode: Mode;
  readonly input: string;
  readonly output: string;
  readonly rows: number;
  readonly counts: RunCounts;
  /** False: the run stopped as `stopAfter` said, before all was done. The same run resumes. */
  readonly finished: boolean;
  /** Rows that an interrupted run had finished before this one. */
  readonly resumedRows: number;
  readonly seconds: number;
  /** Rows of this run (without resumed ones) per second. */
  readonly rowsPerSecond: number;
  /** The first failed rows of this run, at most 20. */
  readonly failures: readonly FailedInput[];
  /** Answers that a cache did not get; empty where each got all. */
  readonly notStored: readonly NotStored[];
  readonly warnings: readonly string[];
}
