/** What a run of the server leaves in the logs: what happened, what its cache did, and its manifest. */
import type { TimedEvent } from "../../engine/index.ts";
import type { Ledger, RunRecord } from "../../ledger/index.ts";
import { knownRun } from "./engine-runs.ts";
import { arnsOf, runManifest, taskManifest } from "./manifests.ts";
import { eventMessage } from "./run-messages.ts";
import { cacheOf, storedDefinition } from "./run-relations.ts";

export class RunLog {
  readonly #ledger: Ledger;
  /** Of ARNs. */
  readonly #region: string;

  constructor({ ledger, region }: { readonly ledger: Ledger; readonly region: string }) {
    this.#ledger = ledger;
    this.#region = region;
  }

  line(run: RunRecord, part: "" | "/engine", message: string): void {
    if (run.logLevel === "OFF") return;
    const line = { at: Date.now(), message: withoutFolder(message, run) };
    this.#ledger.logs.append(run.account, `run/${run.id}${part}`, [line]);
  }

  /** Log streams: the run, its engine, each task's and the cache's, as tools look for them. */
  event(run: RunRecord, event: TimedEvent): void {
    const runOf = (engineRun: string) => knownRun(this.#ledger, run.account, engineRun);
    const words = eventMessage(event, runOf);
    if (words !== undefined) this.line(run, "/engine", words);
    const cacheEvent = cacheMessage(run, event, runOf);
    const cache = cacheOf(this.#ledger, run);
    if (cacheEvent === undefined || cache === undefined || run.logLevel === "OFF") return;
    const message = JSON.stringify({ logMessage: cacheEvent });
    this.#ledger.logs.append(run.account, `runCache/${cache.id}/${cache.uuid}`, [{ at: event.at, message }]);
  }

  /** The engine's log so far, one line per message. */
  async engineText(run: RunRecord): Promise<string> {
    let text = "";
    for await (const { at, message } of this.#ledger.logs.lines(run.account, `run/${run.id}/engine`))
      text += `${new Date(at).toISOString()} ${message}\n`;
    return text;
  }

  /** One JSON object per task and one for the run, in the stream that AWS's analysis tools read. */
  manifest(run: RunRecord): void {
    const ledger = this.#ledger;
    const at = Date.now();
    const tasks = ledger.tasks.all(run.account, { runId: run.id });
    const arn = arnsOf({ region: this.#region, account: run.account });
    const lines = tasks.map((task) => ({ at, message: JSON.stringify(taskManifest(task, arn)) }));
    const runLine = { at, message: runManifest(run, storedDefinition(ledger, run), arn) };
    ledger.logs.append(run.account, `manifest/run/${run.id}/${run.uuid}`, [...lines, runLine]);
  }
}

/** Where the server keeps the bundle is not for its clients. */
export function withoutFolder(text: string, { definition }: RunRecord): string {
  const folder = definition?.folder ?? "";
  return folder === "" ? text : text.replaceAll(`${folder}/`, "").replaceAll(folder, "the definition");
}

function cacheMessage(
  run: RunRecord,
  event: TimedEvent,
  runOf: (engineRun: string) => string,
): string | undefined {
  switch (event.kind) {
    case "call.reused":
      return `CACHE_HIT run: ${run.id}, task: ${event.task}, entry: ${event.entry}, created by run: ${runOf(event.fromRun)}`;
    case "call.recorded":
      return `CACHE_ENTRY_CREATED run: ${run.id}, call: ${event.call}, entry: ${event.entry}`;
    case "call.missed":
      return `CACHE_MISS run: ${run.id}, task: ${event.task}, call: ${event.call}, reason: ${event.reason.kind === "no-entry" ? "no entry of its key" : event.reason.words}`;
    default:
      return undefined;
  }
}
