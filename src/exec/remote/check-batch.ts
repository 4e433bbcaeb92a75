/** What `memoir doctor` says of the job queue of AWS Batch that the environment names. */
import { type Ask, defined, withTimeout } from "../../kernel/index.ts";
import type { CheckAnswer } from "../core/index.ts";
import { BatchClient } from "./batch-client.ts";

const limitMs = 10_000;

export async function checkBatch(env: Readonly<Record<string, string>>, ask: Ask): Promise<CheckAnswer> {
  const queue = env["MEMOIR_BATCH_QUEUE"] ?? "";
  if (queue === "") return { state: "absent", detail: "MEMOIR_BATCH_QUEUE is not set" };
  const region = env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"];
  if (region === undefined) return { state: "trouble", detail: "AWS_REGION is not set" };
  const client = new BatchClient({
    queue,
    region,
    ...defined({ endpoint: env["AWS_ENDPOINT_URL_BATCH"] ?? env["AWS_ENDPOINT_URL"] }),
    s3: { region, endpoint: undefined },
    putBytes: () => Promise.reject(new Error("nothing is submitted")),
    say: () => {},
  });
  const limited = withTimeout(ask, limitMs);
  try {
    const answer = await client.service(limited.ask);
    if (answer.kind === "answered") return { state: "ok", detail: `${answer.value.name}, ${region}` };
    return { state: "trouble", detail: answer.words };
  } finally {
    limited.done();
    client.close();
  }
}
