/**
 * Slices as tasks on machines that share no files with this one: the plan and the input are inputs of each task, its shard is
 * an output that is brought here. The task's image holds Memoir and the model. Nothing secret is among what a task is given:
 * it uses the cloud cache only with the role that the service gives it.
 */
import { existsSync } from "node:fs";
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  type Attempt,
  attemptPaths,
  type Executor,
  type ImageResolver,
  type PinnedImage,
} from "../exec/core/index.ts";
import {
  AppError,
  type Ask,
  defined,
  invariant,
  messageOf,
  systemErrorCode,
  type TaskPath,
} from "../kernel/index.ts";
import { type BatchPlan, type Source, shardFolderOf, shardPath } from "../predict/index.ts";
import { readTail } from "../process/index.ts";
import { isS3Uri } from "../store/objects/index.ts";
import { taskRoot, taskWork } from "../task/index.ts";
import type { Environment } from "./environment.ts";
import type { PredictionSettings } from "./sessions.ts";
import {
  attemptId,
  quoted,
  type SliceJobs,
  type SliceOfPlan,
  type SliceOptions,
  type SlicePlace,
  workFlags,
} from "./slice-jobs.ts";
import { placesOf } from "./tiers.ts";

/** Of a job whose memory nobody chose: services give less than a model needs. */
const defaultMemoryBytes = 2 * 2 ** 30;
/** Of a shard, brought at once. */
const pieceBytes = 8 << 20;
/** The summary of a job is one line. */
const summaryBytes = 1 << 20;

export class RemoteSliceJobs implements SliceJobs {
  readonly #options: SliceOptions;
  readonly #settings: PredictionSettings;
  readonly #environment: Environment;
  readonly #executor: Executor;
  readonly #images: ImageResolver;
  readonly #image: string;
  readonly #input: string;
  #pinned: PinnedImage | undefined;
  /** Slices whose jobs recorded everything in the cloud cache. */
  readonly #recorded = new Set<number>();

  constructor(parts: {
    readonly options: SliceOptions;
    readonly settings: PredictionSettings;
    readonly environment: Environment;
    readonly executor: Executor;
    readonly images: ImageResolver;
    readonly image: string;
    /** Path of the input. */
    readonly input: string;
  }) {
    this.#options = parts.options;
    this.#settings = parts.settings;
    this.#environment = parts.environment;
    this.#executor = parts.executor;
    this.#images = parts.images;
    this.#image = parts.image;
    this.#input = parts.input;
  }

  /** @throws EXEC_IMAGE_* before anything is submitted */
  async prepare(_folder: string, ask: Ask): Promise<void> {
    this.#pinned = await this.#images.pin(this.#image, ask);
  }

  async attemptOf({ plan, slice }: SliceOfPlan, place: SlicePlace): Promise<Attempt> {
    const { folder, directory, number } = place;
    const { cpus, memoryBytes } = this.#options;
    invariant(this.#pinned, "the image was looked up");
    await mkdir(directory, { recursive: true });
    const { command } = attemptPaths(directory);
    // It may be running.
    if (!existsSync(command)) await writeFile(command, this.#script(plan, slice));
    const staged = (path: string, location: string) => ({
      path: path as TaskPath,
      source: { kind: "file" as const, location, basename: basename(location) },
    });
    return {
      id: attemptId(plan, slice, number),
      directory,
      shell: ["/bin/sh"],
      inputs: [
        staged(inputPaths.plan, join(folder, "plan.json")),
        staged(inputPaths.rows, join(folder, "rows")),
        staged(inputPaths.input, this.#input),
      ],
      env: this.#variables(),
      image: this.#pinned,
      resources: { cpu: cpus ?? 1, memoryBytes: memoryBytes ?? defaultMemoryBytes, gpu: 0 },
      network: true,
      labels: { "memoir.run": `batch-${plan.id}`, "memoir.call": `slice ${slice}` },
    };
  }

  async bring(
    { plan, slice, folder }: SliceOfPlan & { readonly folder: string },
    attempt: Attempt,
    ask: Ask,
  ): Promise<void> {
    const files = this.#executor.filesOf?.(attempt, ask);
    invariant(files, "an executor that shares no files says where they are");
    const shards = shardFolderOf(join(folder, "plan.json"));
    const shard = shardPath(plan, shards, slice);
    const path = `${shardsInTask}/${basename(shard)}`;
    const facts = await files.stat(path);
    if (facts?.kind !== "file") return;
    if (await this.#recordedInCloud(attempt)) this.#recorded.add(slice);
    const fresh = `${shard}.new`;
    try {
      await mkdir(shards, { recursive: true });
      const file = await open(fresh, "w");
      try {
        for (let start = 0; start < facts.sizeBytes; start += pieceBytes)
          await file.writeFile(
            await files.read(path, { start, end: Math.min(start + pieceBytes, facts.sizeBytes) }),
          );
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(fresh, shard);
    } catch (error) {
      await rm(fresh, { force: true });
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      throw new AppError(
        code === "ENOSPC" || code === "EDQUOT" ? "DISK_FULL" : "FILE_NOT_WRITABLE",
        `bringing the shard of slice ${slice} to ${shards}: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }

  /** What a job could not record waits for nobody: its disk was removed. In doubt this machine records it again. */
  async #recordedInCloud({ directory }: Attempt): Promise<boolean> {
    const read = await readTail(attemptPaths(directory).stdout, summaryBytes).catch(() => undefined);
    try {
      const { notStored } = JSON.parse(read?.text ?? "") as { notStored: readonly unknown[] };
      return notStored.length === 0;
    } catch {
      return false;
    }
  }

  /** Shards that an earlier run has brought do not say what was recorded. */
  unrecorded({ rowsPerSlice }: BatchPlan): readonly Source[] {
    const isComplete = rowsPerSlice.every((rows, at) => rows === 0 || this.#recorded.has(at + 1));
    return this.#jobsUseCloud() && isComplete ? ["local"] : ["local", "cloud"];
  }

  #jobsUseCloud(): boolean {
    const { cloud } = placesOf(this.#settings, this.#environment);
    return (
      this.#executor.can.usesStores === true && isS3Uri(cloud) && this.#settings.cloudUse === "read-write"
    );
  }

  #script(plan: BatchPlan, slice: number): string {
    const words = [
      ...["memoir", "batch", "work", inputPaths.plan, "--slice", String(slice)],
      ...["--input", inputPaths.input, "--shards", shardsInTask, "--json"],
      ...workFlags(this.#options, this.#settings, this.#environment),
    ];
    const absent = `the image ${this.#image} has no command memoir: it has to hold Memoir and the model ${plan.model.id}`;
    return `command -v memoir > /dev/null || { echo ${quoted(absent)} >&2; exit 127; }\nexec ${words.map(quoted).join(" ")}\n`;
  }

  /** Anybody who may look at jobs sees these. */
  #variables(): Readonly<Record<string, string>> {
    const { programs } = this.#environment;
    const { cloud } = placesOf(this.#settings, this.#environment);
    const useful = ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"];
    const jobsUseCloud = this.#jobsUseCloud();
    return {
      MEMOIR_LOCAL: `${taskRoot}/tmp/predictions`,
      MEMOIR_CLOUD: jobsUseCloud ? cloud : `${taskRoot}/tmp/cloud`,
      ...(jobsUseCloud ? defined(Object.fromEntries(useful.map((name) => [name, programs[name]]))) : {}),
    };
  }
}

const inputPaths = {
  plan: `${taskRoot}/inputs/0/plan.json`,
  rows: `${taskRoot}/inputs/0/rows`,
  input: `${taskRoot}/inputs/1/input`,
} as const;
const shardsInTask = `${taskWork}/shards`;
