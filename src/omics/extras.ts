/**
 * What the service has no operation for and people need: why a task was computed, how large a cache is. Unmodified
 * clients never call these paths; `curl --aws-sigv4` and our own tools do.
 */

import { type HttpResponse, jsonResponse } from "../http/index.ts";
import type { Logs, PlacedLine } from "../ledger/index.ts";
import { ServiceException } from "../protocol/index.ts";
import type { ServiceRequest } from "./aws-services/index.ts";

/** undefined = not one of these paths. */
export function extras(at: ServiceRequest): Promise<HttpResponse | undefined> | undefined {
  const known = at.request.method === "GET" && /\/(explain|size|events)$/.test(at.target.rawPath);
  return known ? answerExtra(at) : undefined;
}

async function answerExtra({
  target,
  caller,
  parts,
  ask,
}: ServiceRequest): Promise<HttpResponse | undefined> {
  const explain = /^\/run\/(\d{1,18})\/task\/(\d{1,18})\/explain$/.exec(target.rawPath);
  if (explain !== null) {
    const [, runId = "", taskId = ""] = explain;
    const run = parts.ledger.runs.get(caller.account, runId);
    const task = parts.ledger.tasks.get(caller.account, taskId);
    const explanation =
      run === undefined || task?.runId !== run.id ? undefined : await parts.runs.explain(run, task, ask);
    if (explanation === undefined)
      throw new ServiceException(
        "ResourceNotFoundException",
        `There is nothing to explain of task ${taskId} of run ${runId}.`,
      );
    return jsonResponse(200, explanation);
  }
  const size = /^\/runCache\/(\d{1,18})\/size$/.exec(target.rawPath);
  if (size !== null) {
    const [, id = ""] = size;
    const cache = parts.ledger.runCaches.get(caller.account, id);
    if (cache === undefined)
      throw new ServiceException("ResourceNotFoundException", `The run cache ${id} was not found.`);
    return jsonResponse(200, await parts.runs.cacheSize(cache, ask));
  }
  const events = /^\/run\/(\d{1,18})\/events$/.exec(target.rawPath);
  if (events === null) return undefined;
  const [, runId = ""] = events;
  if (parts.ledger.runs.get(caller.account, runId) === undefined)
    throw new ServiceException("ResourceNotFoundException", `The run ${runId} was not found.`);
  return jsonResponse(200, { events: await eventsOf(runId, parts.ledger.logs, caller.account) });
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
