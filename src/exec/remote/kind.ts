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
      description: "with --executor tes: s3://bucket/prefix for what tasks read and write",
      default: "MEMOIR_WORK_PREFIX",
    },
    {
      name: "helper-image",
      value: "image",
      description:
        "with --executor tes: image with sh, find, sha256sum and md5sum, run before and after each task",
      default: "docker.io/library/busybox:1.36",
    },
    {
      name: "preemptible",
      description:
        "with --executor tes: tasks may run on machines that can be taken away, and are repeated then",
    },
    {
      name: "max-jobs",
      value: "number",
      description: "with --executor slurm, template or tes: most jobs there at the same time",
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
