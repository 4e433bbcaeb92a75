/**
 * `/job/…`: predictions that are computed after their request was answered. Jobs are kept on disk: a server that was
 * stopped or killed resumes them. Each account sees, and resets, its own.
 */

import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import type { ModelServerParts } from "../app/index.ts";
import type { Caller } from "../http/index.ts";
import { JobController, JobFolder, type JobRecord } from "../jobs/index.ts";
import { AppError, freshAsk } from "../kernel/index.ts";
import { columnsDigest, rowFromWire } from "../store/predictions/index.ts";
import type { Cell, PredictionRow } from "../task/index.ts";
import { type Orientation, type OutputType, orientations, orientedJson } from "./orient.ts";
import { asJobFailure, type Predicting } from "./predicting.ts";
import { refusal } from "./refusal.ts";

export interface ServerJobsOptions {
  readonly parts: Pick<ModelServerParts, "model" | "jobsFolder">;
  readonly predicting: Predicting;
  readonly outputType: OutputType;
  /** Computes for jobs: who may submit one may have it computed. */
  readonly caller: Caller;
  readonly now: () => Date;
  readonly onBug: (error: unknown) => void;
}

export class ServerJobs {
  readonly #options: ServerJobsOptions;
  readonly #controller: JobController;

  constructor(options: ServerJobsOptions) {
    this.#options = options;
    const { parts, now, onBug } = options;
    const { release, columns } = parts.model;
    const refused = (): never => {
      throw new AppError("MODEL_RUN_FAILED", "jobs of a model server name their inputs");
    };
    this.#controller = new JobController({
      ...{ store: new JobFolder(parts.jobsFolder), now, onBug, doneInSubmit: 0 },
      tier: {
        count: refused,
        sample: refused,
        scan: refused,
        getMany: async (scope, inputs, ask) => {
          // A server that was started with another release does not answer for the one that was asked.
          if (scope.release !== release || columnsDigest(scope.columns) !== columnsDigest(columns))
            throw new AppError(
              "MODEL_NOT_FOUND",
              `the job is for release ${scope.release}, this is ${release}`,
            );
          const asked = { inputs, caller: options.caller, hidesReasons: true, cacheOnly: false };
          const always = { fetchCache: undefined, saveCache: undefined };
          try {
            const { rows } = await options.predicting.table({ ...asked, ...always }, ask);
            return inputs.map((input, at) => ({ input, values: rows[at] ?? columns.map(() => null) }));
          } catch (error) {
            throw asJobFailure(error);
          }
        },
      },
    });
  }

  resume(): Promise<void> {
    return this.#controller.resume();
  }

  close(): Promise<void> {
    return this.#controller.close();
  }

  async submit(account: string, inputs: readonly string[], orient: Orientation): Promise<unknown> {
    const { id: modelId, release, columns } = this.#options.parts.model;
    const scope = { modelId, release, columns };
    const request = { requestId: randomUUID(), scope, fetch: "filter", inputs, orient } as const;
    const { id } = await this.#controller.submit(account, request, freshAsk());
    return { job_id: idText(id), message: "Job submitted successfully." };
  }

  async status(account: string, id: string): Promise<unknown> {
    return { job_id: id, status: wordOf(await this.#find(account, id)) };
  }

  /** As JSON text. */
  async result(account: string, id: string): Promise<string> {
    const job = await this.#find(account, id);
    const status = wordOf(job);
    if (status !== "completed") return JSON.stringify({ job_id: id, status, result: null });
    const { columns } = this.#options.parts.model;
    const asked = await this.#controller.request(job);
    const rows: PredictionRow[] = [];
    for (const { name } of job.files) {
      const file = await this.#controller.file(job, name);
      if (file === undefined) throw notFound();
      const lines = createInterface({ input: createReadStream(file.path).pipe(createGunzip()) });
      for await (const line of lines) {
        const row = rowFromWire(asked?.scope.columns ?? columns, JSON.parse(line));
        if (row !== undefined) rows.push(row);
      }
    }
    const table = {
      columns: asked?.scope.columns ?? columns,
      index: rows.map(({ input }) => input),
      rows: rows.map(({ values }): readonly Cell[] => values),
    };
    const orient = orientations.find((each) => each === asked?.orient) ?? "records";
    return orientedJson(table, orient, this.#options.outputType);
  }

  async reset(account: string): Promise<unknown> {
    await this.#controller.reset(account);
    return { message: "All jobs have been reset." };
  }

  async #find(account: string, id: string): Promise<JobRecord> {
    const found = await this.#controller.find({ account, id: id.replaceAll("-", "") });
    if (found === undefined || idText(found.id) !== id) throw notFound();
    return found;
  }
}

function notFound() {
  return refusal(404, "Job not found");
}

function wordOf({ state }: JobRecord): "pending" | "completed" | "failed" {
  switch (state) {
    case "PENDING":
    case "RUNNING":
      return "pending";
    case "SUCCEEDED":
      return "completed";
    default:
      return "failed";
  }
}

/** The digest that names a job, written as ersilia-pack writes its ids. */
function idText(id: string): string {
  return id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
