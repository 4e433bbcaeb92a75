/** What the registry of executors knows of TES services before a run needs one. */
import type { ExecutorKind } from "../core/index.ts";

export const tesKind: ExecutorKind = {
  name: "tes",
  summary: "as tasks of a GA4GH TES service, whose machines share no files with this one",
  options: [
    {
      name: "tes-url",
      value: "url",
      description: "with --executor tes: address of the service",
      default: "MEMOIR_TES_URL",
    },
    {
      name: "work-prefix",
      value: "uri",
      description: "with --executor tes or aws-batch: s3://bucket/prefix for what tasks read and write",
      default: "MEMOIR_WORK_PREFIX",
    },
    {
      name: "helper-image",
      value: "image",
      description:
        "with --executor tes or aws-batch: image with sh, find, sha256sum and md5sum (aws-batch: and curl), run before and after each task",
      default: "a public one of busybox or curl",
    },
    {
      name: "preemptible",
      description:
        "with --executor tes: tasks may run on machines that can be taken away, and are repeated then",
    },
    {
      name: "max-jobs",
      value: "number",
      description: "with --executor slurm, template, tes or aws-batch: most jobs there at the same time",
      default: "1000",
    },
  ],
  checks: [
    {
      kind: "probe",
      name: "tes",
      enables: "tasks at a GA4GH TES service (--executor tes)",
      probe: async ({ env }, ask) => {
        const { checkTes } = await import("./check-tes.ts");
        return checkTes(env, ask);
      },
    },
  ],
  create: async (options, world) => {
    const { createTes } = await import("./create-tes.ts");
    return createTes(options, world);
  },
};

export const awsBatchKind: ExecutorKind = {
  name: "aws-batch",
  summary: "as jobs of AWS Batch",
  options: [
    {
      name: "job-queue",
      value: "name",
      description: "with --executor aws-batch: job queue, by name or ARN",
      default: "MEMOIR_BATCH_QUEUE",
    },
    {
      name: "job-role",
      value: "arn",
      description: "with --executor aws-batch: role that gives jobs access to S3",
      default: "that of the machines",
    },
    {
      name: "pull-role",
      value: "arn",
      description: "with --executor aws-batch: role that pulls images for jobs",
      default: "that of the machines",
    },
    ...tesKind.options.filter(({ name }) => ["work-prefix", "helper-image", "max-jobs"].includes(name)),
  ],
  checks: [
    {
      kind: "probe",
      name: "aws-batch",
      enables: "tasks on AWS Batch (--executor aws-batch)",
      probe: async ({ env }, ask) => {
        const { checkBatch } = await import("./check-batch.ts");
        return checkBatch(env, ask);
      },
    },
  ],
  create: async (options, world) => {
    const { createBatch } = await import("./create-batch.ts");
    return createBatch(options, world);
  },
};
