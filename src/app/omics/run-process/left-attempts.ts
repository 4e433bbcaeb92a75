/** What a run leaves whose process was lost: its tasks are ended, and its folder says how it ended. */
import { endAttempt, endCrashedRun, type TimedEvent } from "../../../engine/index.ts";
import type { Executor } from "../../../exec/core/index.ts";
import { freshAsk, messageOf } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { createExecutor } from "../../workflows/executors.ts";
import { frontEndsOf } from "../../workflows/front-ends.ts";
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

  /** Answers what could not be ended. */
  async stop(why: string, environment: Environment): Promise<readonly string[]> {
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
    if (this.#directory !== undefined) await endCrashedRun(this.#directory, why);
    return trouble;
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
