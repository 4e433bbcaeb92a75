/** Every route of `/v1`. */
import type { Route } from "../http/index.ts";
import { createUpload } from "./create-upload.ts";
import { cancelJob, getJob, listFiles, listJobs, submitJob } from "./jobs.ts";
import { listModels, listStored, lookUp, lookUpMolecule } from "./look-ups.ts";
import { type JobsRequest, prefix } from "./request.ts";
import { countRows, dropRows, putRows, sampleRows } from "./rows.ts";

export interface JobsRoute extends Route {
  /** `lookUp`; in metrics. */
  readonly name: string;
  /** Reads or writes many rows: only so many at a time. */
  readonly isHeavy?: boolean;
  answer(request: JobsRequest): Promise<unknown>;
}

const model = `${prefix}/models/{model}`;
const job = `${prefix}/jobs/{job}`;

export const routes: readonly JobsRoute[] = [
  { name: "listModels", method: "GET", path: `${prefix}/models`, answer: listModels },
  { name: "listStored", method: "GET", path: `${prefix}/stored`, answer: listStored, isHeavy: true },
  { name: "lookUp", method: "POST", path: `${model}/lookups`, answer: lookUp },
  { name: "lookUpMolecule", method: "POST", path: `${prefix}/molecules/lookups`, answer: lookUpMolecule },
  { name: "putRows", method: "POST", path: `${model}/rows`, answer: putRows },
  { name: "countRows", method: "POST", path: `${model}/count`, answer: countRows, isHeavy: true },
  { name: "sampleRows", method: "POST", path: `${model}/sample`, answer: sampleRows, isHeavy: true },
  { name: "dropRows", method: "POST", path: `${model}/drop`, answer: dropRows, isHeavy: true },
  { name: "createUpload", method: "POST", path: `${prefix}/uploads`, answer: createUpload },
  { name: "submitJob", method: "POST", path: `${prefix}/jobs`, answer: submitJob },
  { name: "listJobs", method: "GET", path: `${prefix}/jobs`, answer: listJobs },
  { name: "getJob", method: "GET", path: job, answer: getJob },
  { name: "listFiles", method: "GET", path: `${job}/files`, answer: listFiles },
  { name: "cancelJob", method: "POST", path: `${job}/cancel`, answer: cancelJob },
];
