/**
 * What a run leaves whose process was lost: its tasks are ended, results that waited for the end of the run are recorded,
 * and its folder says how it ended.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { endAttempt, endCrashedRun, recordLeftovers, type TimedEvent } from "../../../engine/index.ts";
import type { Executor } from "../../../exec/core/index.ts";
import { freshAsk, messageOf } from "../../../kernel/index.ts";
import { createFingerprinter, fileMemo } from "../../../keys/index.ts";
import type { EntryNames, KnownContents } from "../../../store/entries/index.ts";
import type { Environment } from "../../environment.ts";
import { createExecutor } from "../../workflows/executors.ts";
import { frontEndsOf } from "../../workflows/front-ends.ts";
import { createRemoteFiles } from "../../workflows/remote-files.ts";
import { openRunCache, startLease } from "../../workflows/run-cache.ts";
import type { RunOrder } from "../../workflows/run-order.ts";
import { taskExecutorOrders } from "../../workflows/task-executors.ts";

type Started = Extract<TimedEvent, { kind: "call.started" }>;

export class LeftAttempts {
  readonly #order: RunOrder;
  /** The newest attempt of each call. */
  readonly #started = new Map<string, Started>();
  #directory: string | undefined;

  constructor(order: RunOrder) {
    this.#order = order;
  }

  note(event: TimedEvent): void {
    switch (event.kind) {
      case "run.started":
        this.#directory = event.directory;
        break;
      case "call.started":
        this.#started.set(event.call, event);
        break;
      case "call.computed":
      case "call.retried":
      case "call.failed":
      case "call.cancelled":
        this.#started.delete(event.call);
        break;
      default:
        break;
    }
  }

  /** Answers what could not be done, for the run's log. */
  async stop(
    why: string,
    { environment, names }: { readonly environment: Environment; readonly names: EntryNames | undefined },
  ): Promise<readonly string[]> {
    const trouble: string[] = [];
    const executors = new Map<string | undefined, Promise<Executor | undefined>>();
    for (const { attemptId, directory, executor: name } of this.#started.values()) {
      try {
        const opening = executors.get(name) ?? this.#executorOf(name, environment);
        executors.set(name, opening);
        const executor = await opening;
        if (executor !== undefined) await endAttempt(executor, { attemptId, directory }, freshAsk());
      } catch (error) {
        trouble.push(`ending ${attemptId}: ${messageOf(error)}`);
      }
    }
    for (const opening of executors.values())
      await opening.then(
        (executor) => executor?.close(),
        () => undefined,
      );
    if (this.#directory === undefined) return trouble;
    try {
      trouble.push(...(await this.#record(this.#directory, { environment, names })));
    } catch (error) {
      trouble.push(`recording its finished tasks: ${messageOf(error)}`);
    }
    await endCrashedRun(this.#directory, why);
    return trouble;
  }

  /** Whatever its behaviour, a cache keeps what a failed run has finished. */
  async #record(
    directory: string,
    { environment, names }: { readonly environment: Environment; readonly names: EntryNames | undefined },
  ): Promise<readonly string[]> {
    const { cache: order, runId = "" } = this.#order;
    if (order.kind === "none") return [];
    const ask = freshAsk();
    const remote = createRemoteFiles(environment.s3);
    const memo = fileMemo(join(environment.home, "fingerprints"));
    const fingerprinter = createFingerprinter({ memo, remote, policy: order.record.policies.identity });
    const contents: KnownContents = {
      ofFile: async (path, ofAsk) => (await fingerprinter.contentOf(path, ofAsk)).sha256,
      named: (name) => memo.get(name),
      remember: (name, sha256) => memo.put(name, sha256),
    };
    try {
      const { cache, trouble } = await openRunCache(order, environment, { contents, names }, ask);
      if (cache === undefined) return trouble === undefined ? [] : [trouble];
      const lease = await startLease(cache, runId, ask);
      try {
        const claim = async (uuid: string) => lease?.used(uuid);
        const newUuid = async () => (await lease?.newUuid()) ?? randomUUID();
        const { recorded, refused } = await recordLeftovers(
          directory,
          { store: cache.entries, claim, newUuid, remote },
          ask,
        );
        return recorded === 0 ? refused : [`${recorded} finished tasks were recorded`, ...refused];
      } finally {
        await lease?.close();
        await cache.close();
      }
    } finally {
      await fingerprinter.close();
      await remote.close();
    }
  }

  /** By its name in the run; undefined = the run's own. */
  async #executorOf(name: string | undefined, environment: Environment): Promise<Executor | undefined> {
    const { executor, taskExecutors = [], program } = this.#order;
    const order =
      name === undefined
        ? executor
        : taskExecutorOrders(executor, taskExecutors).find(({ pattern }) => pattern === name)?.order;
    const frontEnd = frontEndsOf(environment).find(({ language }) => language === program.language);
    if (order === undefined || frontEnd === undefined) return undefined;
    return (await createExecutor(order, frontEnd, environment, () => {})).executor;
  }
}
