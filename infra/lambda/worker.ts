/** The function behind the queue: runs the jobs that submit handed over. A message that failed comes again. */
import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import { createApi, openStores, type Stores } from "./api.ts";
import { log } from "./log.ts";
import { readSettings, type Settings } from "./settings.ts";

/** Before the function is stopped: the job is given back whole, and nothing is half written. */
const leftMs = 10_000;

/** Made by the first message of this process. */
let opened: { readonly settings: Settings; readonly stores: Stores } | undefined;

export async function worker(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  if (opened === undefined) {
    const settings = readSettings(process.env);
    opened = { settings, stores: openStores(settings) };
  }
  const { settings, stores } = opened;
  const failed: string[] = [];
  for (const { messageId, body } of event.Records) {
    const ask = { signal: AbortSignal.timeout(Math.max(1, context.getRemainingTimeInMillis() - leftMs)) };
    const begun = performance.now();
    const facts = (more: object) => ({
      message: messageId,
      milliseconds: Math.round(performance.now() - begun),
      ...more,
    });
    try {
      const job = jobOf(body);
      const { region } = settings;
      const api = createApi({ stores, ask, account: job.account, region, onBug: () => {} });
      const done = await api.work(job, ask);
      log("info", facts({ job: job.id, state: done?.state ?? "REMOVED" }));
    } catch (error) {
      log("error", facts({ error: error instanceof Error ? error.message : "unknown" }));
      failed.push(messageId);
    }
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}

function jobOf(body: string): { readonly account: string; readonly id: string } {
  const { account, id } = JSON.parse(body) as { readonly account?: unknown; readonly id?: unknown };
  if (typeof account !== "string" || typeof id !== "string") throw new Error("the message names no job");
  return { account, id };
}
