/** jobs: `/v1`, look-ups and jobs over stored predictions, as one function from request to response. */
export { createJobs, type Jobs, type JobsParts } from "./create-jobs.ts";
export { JobController } from "./job-controller.ts";
export type { JobRecord } from "./job-folder.ts";
