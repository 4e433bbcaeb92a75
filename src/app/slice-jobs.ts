/** How the slices of a batch become attempts of an executor, and how their shards come back: where files are shared. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Attempt, attemptPaths } from "../exec/core/index.ts";
import type { Ask } from "../kernel/index.ts";
import type { BatchPlan, Source } from "../predict/index.ts";
import type { Environment } from "./environment.ts";
import type { PredictionSettings } from "./sessions.ts";
import { isRedisAddress } from "./tier-address.ts";
import { placesOf } from "./tiers.ts";

export interface SliceOfPlan {
  readonly plan: BatchPlan;
  readonly slice: number;
}

export interface SlicePlace {
  /** Of the batch: `plan.json`, its rows and its shards are in it. */
  readonly folder: string;
  /** Of the attempt. */
  readonly directory: string;
  readonly number: number;
}

export interface SliceJobs {
  /** Before the first attempt of a run. */
  prepare(folder: string, ask: Ask): Promise<void>;
  attemptOf(of: SliceOfPlan, place: SlicePlace): Promise<Attempt>;
  /** After the end of an attempt: its shard, if it made one, is where a merge finds it. */
  bring(of: SliceOfPlan & { readonly folder: string }, attempt: Attempt, ask: Ask): Promise<void>;
  /** Caches in which the jobs did not record what they computed: the merge does it. */
  unrecorded(plan: BatchPlan): readonly Source[];
}

/** What a job is asked for. */
export interface SliceOptions {
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly batchSize?: number;
  readonly workers?: number;
  readonly timeoutMs?: number;
}

export function attemptId(plan: BatchPlan, slice: number, number: number): string {
  return `memoir-batch-${plan.id.slice(0, 16)}-${slice}-${number}`;
}

/** Flags of `memoir batch work`, as the user chose them for all slices. */
export function workFlags(
  { batchSize, workers, timeoutMs, cpus }: SliceOptions,
  settings: Pick<PredictionSettings, "isolation" | "runnerUrl">,
  { modelGuard }: Pick<Environment, "modelGuard">,
): readonly string[] {
  const threads = workers ?? cpus;
  const isolation = settings.isolation ?? modelGuard;
  return [
    ...(batchSize === undefined ? [] : ["--batch-size", String(batchSize)]),
    ...(threads === undefined ? [] : ["--workers", String(threads)]),
    ...(timeoutMs === undefined ? [] : ["--timeout", String(timeoutMs / 1000)]),
    ...(isolation === undefined ? [] : [isolation === "off" ? "--no-guard" : "--isolate"]),
    ...(settings.runnerUrl === undefined ? [] : ["--runner-url", settings.runnerUrl]),
  ];
}

/** A word for /bin/sh. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Jobs start this program itself, and read and write the folder of the batch. */
export class SharedSliceJobs implements SliceJobs {
  readonly #options: SliceOptions;
  readonly #settings: PredictionSettings;
  readonly #environment: Environment;
  /** This program: the words that start it on every machine. */
  readonly #program: readonly string[];

  constructor(parts: {
    readonly options: SliceOptions;
    readonly settings: PredictionSettings;
    readonly environment: Environment;
    readonly program: readonly string[];
  }) {
    this.#options = parts.options;
    this.#settings = parts.settings;
    this.#environment = parts.environment;
    this.#program = parts.program;
  }

  async prepare(folder: string): Promise<void> {
    await writeFile(join(folder, "environment"), this.#variables(), { mode: 0o600 });
  }

  async attemptOf({ plan, slice }: SliceOfPlan, place: SlicePlace): Promise<Attempt> {
    const { folder, directory, number } = place;
    const { cpus, memoryBytes } = this.#options;
    await mkdir(directory, { recursive: true });
    const { command } = attemptPaths(directory);
    // It may be running.
    if (!existsSync(command)) await writeFile(command, this.#script(folder, slice));
    return {
      id: attemptId(plan, slice, number),
      directory,
      shell: ["/bin/sh"],
      inputs: [],
      env: {},
      resources: { cpu: cpus ?? 1, memoryBytes: memoryBytes ?? 0, gpu: 0 },
      network: true,
      labels: { "memoir.batch": plan.id },
    };
  }

  /** The job wrote it there. */
  async bring(): Promise<void> {}

  unrecorded(): readonly Source[] {
    const { local } = placesOf(this.#settings, this.#environment);
    return isRedisAddress(local) ? [] : ["local"];
  }

  #script(folder: string, slice: number): string {
    const words = [
      ...this.#program,
      ...["batch", "work", join(folder, "plan.json"), "--slice", String(slice)],
      ...workFlags(this.#options, this.#settings, this.#environment),
    ];
    return `. ${quoted(join(folder, "environment"))}\nexec ${words.map(quoted).join(" ")}\n`;
  }

  /**
   * As schedulers do by themselves, but in a file that only its owner can read: it may hold credentials. TMPDIR stays
   * that of the job.
   */
  #variables(): string {
    const { programs, home } = this.#environment;
    const { local, cloud } = placesOf(this.#settings, this.#environment);
    const own = /^(?:SLURM|SLURMD|SBATCH|PBS|LSF|LSB|SGE)_|^(?:TMPDIR|PWD|OLDPWD|SHLVL|_)$/;
    const kept = Object.entries(programs).filter(
      ([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !own.test(name),
    );
    const places = { MEMOIR_HOME: home, MEMOIR_CLOUD: cloud };
    const lines = Object.entries({ ...Object.fromEntries(kept), ...places }).map(
      ([name, value]) => `export ${name}=${quoted(value)}\n`,
    );
    // Each job has a separate embedded cache, in its directory.
    const cache = isRedisAddress(local) ? quoted(local) : '"$TMPDIR/predictions"';
    return `${lines.join("")}export MEMOIR_LOCAL=${cache}\n`;
  }
}
