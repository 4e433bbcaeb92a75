/** Runs a workflow as its order says. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  exactOutputs,
  type RunSummary,
  runWorkflow,
  type TimedEvent,
  tidyLeases,
} from "../../engine/index.ts";
import { type Ask, defined, type ExactJson, freshAsk, messageOf } from "../../kernel/index.ts";
import type { RunFailure } from "../../lang/core/index.ts";
import type { TaskFailure } from "../../task/index.ts";
import type { Environment } from "../environment.ts";
import { type PastRecheck, RecheckKeeper } from "../history/recheck-history.ts";
import { keepRun } from "../history/run-index.ts";
import { announceEnd, endOf } from "./announce-end.ts";
import { keepBudget } from "./caches/keep-budget.ts";
import { withRecord } from "./caches/use-cache.ts";
import { watchForCancel } from "./cancel-watch.ts";
import { type DiagnosticFact, diagnosticFact } from "./diagnostic-facts.ts";
import { prepared } from "./prepare-run.ts";
import { keepRequest } from "./run-again.ts";
import type { RunOrder, RunPorts } from "./run-order.ts";
import { newRunId, runsFolder } from "./runs-folder.ts";
import { markUnstable } from "./unstable-tasks.ts";

/** A finished run as plain data: what `--json` prints. */
export interface WorkflowRunResult extends Omit<RunSummary, "outputs" | "failures" | "inputs"> {
  /** As in `outputs.json`; files are their paths in every language. */
  readonly outputs: ExactJson;
  readonly failures: readonly FailureFact[];
}

export type FailureFact =
  | {
      readonly kind: "task";
      readonly call: string;
      readonly failure: TaskFailure;
      /** The rendered command of the attempt, where one was made. */
      readonly command?: string;
    }
  | { readonly kind: "evaluation"; readonly diagnostic: DiagnosticFact };

export async function runOrder(
  order: RunOrder,
  ports: RunPorts,
  environment: Environment,
  ask: Ask,
): Promise<WorkflowRunResult> {
  return resultOf(await runToSummary(order, ports, environment, ask));
}

/** As `runOrder`, with the outputs as the engine has them. */
export async function runToSummary(
  order: RunOrder,
  ports: RunPorts,
  environment: Environment,
  ask: Ask,
): Promise<RunSummary> {
  const runId = order.runId ?? newRunId();
  const rechecks = new RecheckKeeper({ order, runId, environment });
  const onEvent = (event: TimedEvent) => {
    rechecks.note(event);
    ports.onEvent(event);
  };
  const say = (words: string) => onEvent({ kind: "log", words, at: Date.now() });
  const startedAt = new Date();
  let began: Promise<void> | undefined;
  let directory: string | undefined;
  const noting = (event: TimedEvent) => {
    onEvent(event);
    if (event.kind !== "run.started") return;
    const folder = event.directory;
    directory = folder;
    if (order.isListed !== true) return;
    const { run: id, workflow } = event;
    const facts = {
      ...({ kind: "began", id, workflow, directory: folder } as const),
      startedAt: startedAt.toISOString(),
    };
    const { asked } = order;
    began = Promise.all([
      keepRun(facts, environment),
      // Without it the run cannot be run again from the page, and that is all.
      asked === undefined ? undefined : keepRequest(folder, asked).catch(() => undefined),
    ]).then(() => undefined);
  };
  const summary = await runToEnd(
    { order, ports: { ...ports, onEvent: noting }, runId },
    environment,
    ask,
  ).catch(async (error) => {
    // A run that never began is the user's to correct.
    if (directory !== undefined)
      await announceEnd(
        order.notify,
        { end: { run: runId, ...endOf(error), directory }, startedAt },
        say,
        freshAsk(),
      );
    throw error;
  });
  await began;
  if (began !== undefined) {
    const { state, calls, savedSeconds } = summary;
    const endedAt = new Date().toISOString();
    await keepRun({ kind: "ended", id: runId, state, endedAt, calls, savedSeconds }, environment);
  }
  await rechecks.keep((found) => markInCache(found, { order, environment, say }, ask));
  if (order.cache.kind === "record" && order.cache.record !== undefined)
    await keepBudget(order.cache.record, environment, say, ask);
  const { run, workflow, state, calls, savedSeconds } = summary;
  const end = { run, workflow, state, calls, savedSeconds, directory: summary.directory };
  await announceEnd(order.notify, { end, startedAt }, say, ask);
  return summary;
}

/** Trouble with the mark is mentioned, and changes nothing about the run. */
async function markInCache(
  found: PastRecheck,
  {
    order,
    environment,
    say,
  }: {
    readonly order: RunOrder;
    readonly environment: Environment;
    readonly say: (words: string) => void;
  },
  ask: Ask,
): Promise<void> {
  if (order.cache.kind !== "record") return;
  try {
    // The run may have been stopped.
    const markAsk = ask.signal.aborted ? freshAsk() : ask;
    await withRecord(order.cache.record, environment, markAsk, (cache) =>
      markUnstable(cache, found, markAsk),
    );
  } catch (error) {
    say(`the task ${found.task} could not be marked in the cache: ${messageOf(error)}`);
  }
}

async function runToEnd(
  { order, ports, runId }: { readonly order: RunOrder; readonly ports: RunPorts; readonly runId: string },
  environment: Environment,
  ask: Ask,
): Promise<RunSummary> {
  const { onEvent } = ports;
  return prepared(
    { order, ports, runId },
    environment,
    ask,
    async ({ parts, inputs, warnings, startLease, leases, log }) => {
      const runs = runsFolder(order.runsDir, environment);
      const directory = join(runs, runId);
      const lease = await startLease();
      const cancel = watchForCancel(directory, ask);
      log.to = (words) => onEvent({ kind: "log", words, at: Date.now() });
      for (const words of warnings) log.to(words);
      try {
        await ports.ready?.();
        return await runWorkflow({ ...parts, runId, runs, onEvent }, inputs, cancel.ask);
      } finally {
        cancel.stop();
        await lease?.close();
        if (leases !== undefined) await tidyLeases(leases);
      }
    },
  );
}

async function resultOf({ inputs, ...summary }: RunSummary): Promise<WorkflowRunResult> {
  const failures = await Promise.all(summary.failures.map(failureFact));
  return { ...summary, outputs: exactOutputs(summary.outputs), failures };
}

export async function failureFact(failure: RunFailure): Promise<FailureFact> {
  if (failure.kind === "evaluation")
    return { kind: "evaluation", diagnostic: diagnosticFact(failure.diagnostic) };
  const { path: call, failure: why } = failure;
  const command =
    why.directory === undefined
      ? undefined
      : await readFile(join(why.directory, "command"), "utf8").catch(() => undefined);
  return { kind: "task", call, failure: why, ...defined({ command }) };
}
