/** Submit, look at and cancel jobs. A key sees the jobs of its account about models that it may see, and no others. */
import { RequestProblem } from "../http/index.ts";
import { integerOf, readBody, seedOf, textOf, textsOf } from "./body.ts";
import { uploadMissing } from "./create-upload.ts";
import type { JobRecord, JobRequest } from "./job-store.ts";
import type { JobsRequest } from "./request.ts";
import { invalid, maySee, requireUse, scopeOf } from "./served.ts";
import { digestPattern, mostJobInputs } from "./uploads.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export async function submitJob(request: JobsRequest): Promise<unknown> {
  const { caller, ask, controller } = request;
  requireUse(caller, "read");
  const known = ["requestId", "model", "release", "columns", "fetch", "inputs", "samples", "seed", "upload"];
  const body = readBody(request.body, known);
  const requestId = textOf(body, "requestId", uuid).toLowerCase();
  const model = textOf(body, "model", /^[\s\S]{1,64}$/);
  const scope = await scopeOf({ model, body }, request, ask);
  const what = ((): Omit<JobRequest, "scope"> => {
    switch (body["fetch"]) {
      case "all":
        return { fetch: "all" };
      case "sample":
        return {
          fetch: "sample",
          samples: integerOf(body, "samples", 1_000_000),
          seed: seedOf(body),
        };
      case "filter": {
        const { inputs, upload } = body;
        if (upload === undefined) return { fetch: "filter", inputs: textsOf(body, "inputs", mostJobInputs) };
        if (inputs !== undefined) throw invalid("a job has inputs or upload, not both");
        return { fetch: "filter", upload: textOf(body, "upload", digestPattern) };
      }
      default:
        throw invalid("fetch must be all, sample or filter");
    }
  })();
  const { account } = caller;
  if (what.upload !== undefined && !(await controller.hasUpload({ account, sha256: what.upload })))
    throw uploadMissing();
  return shown(await controller.submit(caller.account, { requestId, scope, ...what }, ask));
}

export async function listJobs({ caller, controller }: JobsRequest): Promise<unknown> {
  requireUse(caller, "read");
  const jobs = (await controller.list(caller.account)).filter(({ model }) => maySee(caller, model));
  return { account: caller.account, jobs: jobs.map(shown) };
}

export async function getJob(request: JobsRequest): Promise<unknown> {
  return shown(await jobOf(request));
}

export async function cancelJob(request: JobsRequest): Promise<unknown> {
  const job = await jobOf(request);
  return shown((await request.controller.cancel(job)) ?? job);
}

/** Each with a link that works for 15 minutes. */
export async function listFiles(request: JobsRequest): Promise<unknown> {
  const job = await jobOf(request);
  if (job.state !== "SUCCEEDED")
    throw new RequestProblem({
      ...{ status: 409, code: "JOB_NOT_SUCCEEDED" },
      detail: `the job is ${job.state}; only a job that succeeded has files`,
    });
  return {
    account: job.account,
    files: await Promise.all(
      job.files.map(async (file) => ({ ...file, ...(await request.linkOf({ ...job, name: file.name })) })),
    ),
  };
}

async function jobOf({ caller, controller, label }: JobsRequest): Promise<JobRecord> {
  requireUse(caller, "read");
  const job = await controller.find({ account: caller.account, id: label("job") });
  if (job !== undefined && maySee(caller, job.model)) return job;
  throw new RequestProblem({
    ...{ status: 404, code: "JOB_NOT_FOUND" },
    detail: "this account has no such job; jobs are removed after two days",
  });
}

function shown({ files, ...job }: JobRecord) {
  return { ...job, rows: files.reduce((sum, { rows }) => sum + rows, 0), files: files.length };
}
