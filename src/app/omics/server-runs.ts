/** The server's runs as people look at them: rows, and where the engine keeps what happened. */
import { readRunJson } from "../../engine/index.ts";
import { defined, unreachable } from "../../kernel/index.ts";
import type { Ledger, RunRecord } from "../../ledger/index.ts";
import type { Environment } from "../environment.ts";
import type { CacheRecord } from "../workflows/cache-registry.ts";
import type { RunSource, ServerRunRow } from "../workflows/list-runs.ts";
import { type EngineRun, folderOfRun, readEngineRun } from "./engine-runs.ts";
import { type AllowedPlaces, withinOf } from "./places.ts";
import { cacheRecord } from "./run-cache-records.ts";

const rowsAtOnce = 100;

export class ServerRuns {
  readonly #ledger: Ledger;
  readonly #environment: Environment;
  readonly #allowed: AllowedPlaces;

  constructor(parts: {
    readonly ledger: Ledger;
    readonly environment: Environment;
    readonly allowed: AllowedPlaces;
  }) {
    this.#ledger = parts.ledger;
    this.#environment = parts.environment;
    this.#allowed = parts.allowed;
  }

  sourceOf(account: string): RunSource {
    const runs = this.#ledger.runs;
    const rowOf = (run: RunRecord) => this.rowOf(run);
    return {
      async *rows(after) {
        for (let before = after === undefined ? undefined : Number(after); ; ) {
          const found = runs.newest(account, {
            limit: rowsAtOnce,
            ...defined({ before }),
          });
          for (const { seq, record } of found)
            yield { position: String(seq), at: record.createdAt, row: await rowOf(record) };
          before = found.at(-1)?.seq;
          if (before === undefined || found.length < rowsAtOnce) return;
        }
      },
    };
  }

  find(account: string, id: string): RunRecord | undefined {
    return this.#ledger.runs.get(account, id);
  }

  async rowOf(run: RunRecord): Promise<ServerRunRow> {
    const engine = await this.engineRun(run);
    const record = engine === undefined ? undefined : await readRunJson(engine.directory);
    const workflow = this.#ledger.workflows.get(run.account, run.workflowId)?.name ?? run.workflowId;
    const { id, name, createdAt, startTime, stopTime, statusMessage, tags } = run;
    return {
      id,
      origin: "server",
      ...defined({ name }),
      workflow,
      state: stateOf(run),
      createdAt,
      ...defined({
        startedAt: startTime,
        endedAt: stopTime,
        message: statusMessage,
        calls: record?.calls,
        tags: Object.keys(tags).length === 0 ? undefined : tags,
        savedSeconds: record?.savedSeconds,
      }),
    };
  }

  /** undefined = it has not begun. */
  engineRun(run: RunRecord): Promise<EngineRun | undefined> {
    return readEngineRun(folderOfRun(this.#environment, run));
  }

  hasEnded({ account, id }: RunRecord): boolean {
    const status = this.#ledger.runs.get(account, id)?.status;
    return status === undefined || endedStatuses.includes(status);
  }

  /** What the tasks of a call said, newest attempt last; undefined where nothing was logged. */
  async logOf(run: RunRecord, call: string): Promise<string | undefined> {
    const tasks = this.#ledger.tasks.all(run.account, { runId: run.id, callPath: call });
    const last = tasks.at(-1);
    if (last === undefined) return undefined;
    const stream = `run/${run.id}/task/${last.id}`;
    const page = await this.#ledger.logs.read(run.account, stream, { limit: mostLines, newest: true });
    return page?.lines.map(({ message }) => `${message}\n`).join("");
  }

  caches(
    account: string,
  ): readonly { readonly id: string; readonly name?: string; readonly record: CacheRecord }[] {
    return this.#ledger.runCaches.all(account, { status: "ACTIVE" }).map((cache) => ({
      id: cache.id,
      ...defined({ name: cache.name }),
      record: {
        ...cacheRecord(cache),
        ...(cache.name === undefined
          ? { kind: "unnamed" as const }
          : { kind: "named" as const, name: cache.name, uuid: cache.uuid }),
        createdAt: cache.createdAt,
        ...defined({ description: cache.description }),
        ...withinOf(this.#allowed),
      },
    }));
  }
}

/** As much of a task's log as fits on a page. */
const mostLines = 1_000;

const endedStatuses: readonly string[] = ["COMPLETED", "FAILED", "CANCELLED", "DELETED"];

function stateOf({ status }: RunRecord): ServerRunRow["state"] {
  switch (status) {
    case "PENDING":
      return "pending";
    case "STARTING":
    case "RUNNING":
    case "STOPPING":
      return "running";
    case "COMPLETED":
      return "succeeded";
    case "FAILED":
      return "failed";
    case "CANCELLED":
    case "DELETED":
      return "cancelled";
    default:
      return unreachable(status);
  }
}
