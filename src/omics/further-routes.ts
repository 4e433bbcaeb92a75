/**
 * What the service has no operation for and people need: why a task was computed, how large a cache is. Unmodified
 * clients never call these paths; `curl --aws-sigv4` and our own tools do.
 */

import type { Route } from "../http/index.ts";
import type { Logs, PlacedLine } from "../ledger/index.ts";
import { ServiceException } from "../protocol/index.ts";
import type { ServiceRequest } from "./aws-services/service-request.ts";

export interface FurtherRoute extends Route {
  readonly name: string;
  answer(at: ServiceRequest, labels: Readonly<Record<string, string>>): Promise<unknown>;
}

export const furtherRoutes: readonly FurtherRoute[] = [
  { name: "ExplainRunTask", method: "GET", path: "/run/{run}/task/{task}/explain", answer: explainTask },
  { name: "GetRunCacheSize", method: "GET", path: "/runCache/{cache}/size", answer: cacheSize },
  { name: "ListRunEvents", method: "GET", path: "/run/{run}/events", answer: listEvents },
];

async function explainTask(
  { parts, caller, ask }: ServiceRequest,
  { run: runId = "", task: taskId = "" }: Readonly<Record<string, string>>,
): Promise<unknown> {
  const run = parts.ledger.runs.get(caller.account, runId);
  const task = parts.ledger.tasks.get(caller.account, taskId);
  const explanation =
    run === undefined || task?.runId !== run.id ? undefined : await parts.runs.explain(run, task, ask);
  if (explanation === undefined)
    throw new ServiceException(
      "ResourceNotFoundException",
      `There is nothing to explain of task ${taskId} of run ${runId}.`,
    );
  return explanation;
}

async function cacheSize(
  { parts, caller, ask }: ServiceRequest,
  { cache: id = "" }: Readonly<Record<string, string>>,
): Promise<unknown> {
  const cache = parts.ledger.runCaches.get(caller.account, id);
  if (cache === undefined)
    throw new ServiceException("ResourceNotFoundException", `The run cache ${id} was not found.`);
  return parts.runs.cacheSize(cache, ask);
}

async function listEvents(
  { parts, caller }: ServiceRequest,
  { run: runId = "" }: Readonly<Record<string, string>>,
): Promise<unknown> {
  if (parts.ledger.runs.get(caller.account, runId) === undefined)
    throw new ServiceException("ResourceNotFoundException", `The run ${runId} was not found.`);
  return { events: await eventsOf(runId, parts.ledger.logs, caller.account) };
}

/** What is shown of a run; its engine log has the rest. */
const mostEvents = 10_000;

/** The log of the run and its engine's, in the order of time. */
async function eventsOf(runId: string, logs: Logs, account: string): Promise<readonly unknown[]> {
  const lines: PlacedLine[] = [];
  for (const stream of [`run/${runId}`, `run/${runId}/engine`])
    for await (const line of logs.lines(account, stream)) {
      lines.push(line);
      if (lines.length >= mostEvents) break;
    }
  return lines
    .sort((a, b) => a.at - b.at || a.start - b.start)
    .map(({ at, message }) => ({ at: new Date(at).toISOString(), message }));
}
