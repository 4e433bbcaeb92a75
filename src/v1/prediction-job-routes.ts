/** Predictions of an uploaded file: submit it, watch it, fetch the result. */
import { createReadStream } from "node:fs";
import { RequestProblem } from "../http/index.ts";
import { RawAnswer } from "./raw-answer.ts";
import { prefix, type Sent, type V1Request, type V1Route } from "./route.ts";

const jobs = `${prefix}/predictions/{model}/jobs`;
const one = `${jobs}/{job}`;

/** A few hundred thousand molecules; larger files are for the command line. */
export const mostUploadBytes = 32 << 20;
const uploadPath = new RegExp(`^${prefix}/predictions/[^/]+/jobs(\\?|$)`);

export function isUpload(target: string): boolean {
  return uploadPath.test(target);
}

/** A model by its id, never by a folder. */
export function modelOf({ labels }: V1Request): string {
  const model = labels["model"] ?? "";
  if (/^[a-z0-9][a-z0-9_-]{0,127}$/i.test(model)) return model;
  throw new RequestProblem({
    status: 404,
    code: "MODEL_NOT_FOUND",
    detail: `looking for the model ${model.slice(0, 128)}: an id is letters, digits, dashes and underscores`,
  });
}

function job({ labels }: V1Request): string {
  return labels["job"] ?? "";
}

export const predictionJobRoutes: readonly V1Route[] = [
  {
    ...{ name: "listPredictionJobs", method: "GET", path: jobs, schema: "PredictionJobs", for: "operators" },
    ...{ query: {} },
    summary: "Files that were uploaded for predictions of a model, newest first",
    answer: async (request) => ({ jobs: await request.browse.predictions.jobs.list(modelOf(request)) }),
  },
  {
    ...{ name: "submitPredictionJob", method: "POST", path: jobs, schema: "PredictionJob", for: "operators" },
    ...{ upload: "text/csv" },
    summary:
      "Predicts for the molecules of a CSV or TSV file, which is the body; rows that are stored are reused",
    query: { name: { kind: "text", about: "name of the file; default: molecules.csv" } },
    answer: (request) => {
      const { bytes, query, browse } = request;
      if (bytes.length === 0)
        throw new RequestProblem({
          ...{ status: 400, code: "REQUEST_INVALID" },
          detail: "the body is empty; send a CSV file with a column of molecules",
        });
      return browse.predictions.jobs.submit(modelOf(request), query.text("name") ?? "molecules.csv", bytes);
    },
  },
  {
    ...{ name: "getPredictionJob", method: "GET", path: one, schema: "PredictionJob", for: "operators" },
    ...{ query: {}, streams: true },
    summary: "How far a file is; with `accept: text/event-stream` while it changes",
    answer: (request) => request.browse.predictions.jobs.find(modelOf(request), job(request)),
    stream: async function* (request): AsyncGenerator<Sent | undefined> {
      const { browse, ask } = request;
      for await (const each of browse.predictions.jobs.follow(modelOf(request), job(request), ask))
        yield each === undefined ? undefined : { event: "job", data: each };
    },
  },
  {
    ...{ name: "cancelPredictionJob", method: "POST", path: `${one}/cancel`, schema: "PredictionJob" },
    ...{ for: "operators", query: {} },
    summary: "Stops the predictions of a file; what was computed stays stored",
    answer: (request) => request.browse.predictions.jobs.cancel(modelOf(request), job(request)),
  },
  {
    ...{ name: "deletePredictionJob", method: "POST", path: `${one}/delete`, schema: "PredictionJob" },
    ...{ for: "operators", query: {} },
    summary: "Deletes a file that was uploaded, with its result; what was computed stays stored",
    answer: (request) => request.browse.predictions.jobs.delete(modelOf(request), job(request)),
  },
  {
    ...{ name: "getPredictionResult", method: "GET", path: `${one}/result`, schema: "Bytes" },
    ...{ for: "operators", query: {} },
    summary: "The predictions of a file as CSV, in the order of its rows",
    answer: async (request) => {
      const { path, bytes } = await request.browse.predictions.jobs.result(modelOf(request), job(request));
      return new RawAnswer({
        status: 200,
        headers: {
          "cache-control": "no-store",
          "x-content-type-options": "nosniff",
          "content-type": "text/csv; charset=utf-8",
          "content-length": String(bytes),
          "content-disposition": `attachment; filename="${modelOf(request)}-predictions.csv"`,
        },
        body: { chunks: createReadStream(path) },
      });
    },
  },
];
