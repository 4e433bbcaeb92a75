/** Puts the executor for AWS Batch together. */
import { AppError, defined } from "../../kernel/index.ts";
import { isS3Uri, parseS3Uri } from "../../store/objects/index.ts";
import type { CreatedExecutor, ExecutorOptions, ExecutorWorld } from "../core/index.ts";
import { createRegistryImages } from "../images/index.ts";
import { BatchClient } from "./batch-client.ts";
import { createServiceExecutor } from "./service-executor.ts";
import { WorkStore } from "./work-store.ts";

const defaultHelper = "docker.io/curlimages/curl:8.11.1";

/** @throws AppError CLI_USAGE */
export function createBatch(options: ExecutorOptions, world: ExecutorWorld): CreatedExecutor {
  const { env, say, openObjects } = world;
  const given = (name: string, variable: string) => {
    const value = options[name] ?? env[variable];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const queue = given("job-queue", "MEMOIR_BATCH_QUEUE");
  if (queue === undefined || !/^[A-Za-z0-9:/_-]{1,256}$/.test(queue))
    throw usage(`--job-queue: expected the name or ARN of a job queue, got ${queue ?? "nothing"}`);
  const workPrefix = given("work-prefix", "MEMOIR_WORK_PREFIX");
  if (workPrefix === undefined || !isS3Uri(workPrefix))
    throw usage(`--work-prefix: expected s3://bucket/prefix, got ${workPrefix ?? "nothing"}`);
  parseS3Uri(workPrefix);
  const most = options["max-jobs"];
  if (most !== undefined && !/^[1-9]\d{0,8}$/.test(String(most)))
    throw usage(`--max-jobs ${most}: expected a number above 0`);
  const region = env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"];
  if (region === undefined) throw usage("AWS Batch: AWS_REGION is not set");
  const lists = new WorkStore(openObjects(workPrefix));
  const client = new BatchClient({
    queue,
    region,
    s3: { region, endpoint: env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"] },
    ...defined({
      endpoint: env["AWS_ENDPOINT_URL_BATCH"] ?? env["AWS_ENDPOINT_URL"],
      jobRole: given("job-role", "MEMOIR_BATCH_JOB_ROLE"),
      executionRole: given("pull-role", "MEMOIR_BATCH_PULL_ROLE"),
    }),
    putBytes: async (bytes, ask) => (await lists.putBytes(bytes, ask)).uri,
    say,
  });
  const executor = createServiceExecutor({
    name: "aws-batch",
    // The role of a job, which all of its containers have.
    usesStores: true,
    client,
    work: openObjects(workPrefix),
    openObjects,
    helperImage: given("helper-image", "MEMOIR_HELPER_IMAGE") ?? defaultHelper,
    ...(most === undefined ? {} : { maxJobs: Number(most) }),
    say,
  });
  return { executor, images: createRegistryImages({ env, platform: "linux/amd64" }) };
}

function usage(words: string): AppError {
  return new AppError("CLI_USAGE", `choosing the executor: ${words}`);
}
