/** jobs: `/v1`, look-ups and jobs over stored predictions, as one function from request to response. */
export { createJobs, type Jobs, type JobsParts } from "./create-jobs.ts";
export { JobController } from "./job-controller.ts";
export { JobFolder } from "./job-folder.ts";
export { JobObjects, resultName, uploadObject } from "./job-objects.ts";
export type { JobName, JobRecord } from "./job-store.ts";
export type { JobFileLink } from "./request.ts";
export { routes } from "./routes.ts";
export type { FileLink } from "./signed-links.ts";
export type { UploadForm, UploadLink } from "./uploads.ts";
