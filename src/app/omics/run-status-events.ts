/** Changes of the status of runs and tasks, posted in the shape of EventBridge's HealthOmics events. Best effort, as there. */
import { randomUUID } from "node:crypto";
import { defined, freshAsk } from "../../kernel/index.ts";
import type { Ledger, RunRecord, TaskRecord } from "../../ledger/index.ts";
import { post } from "../workflows/announce-end.ts";

export interface PosterParts {
  readonly url: string;
  readonly region: string;
  readonly ledger: Pick<Ledger, "workflows">;
  readonly onBug: (error: unknown) => void;
}

/** More are dropped while the receiver does not answer. */
const mostWaiting = 1_000;

export interface StatusPoster {
  run(run: RunRecord): void;
  task(task: TaskRecord, run: RunRecord): void;
}

/** Events arrive in the order of the changes; nothing waits for the receiver. */
export function statusPoster(parts: PosterParts): StatusPoster {
  let last = Promise.resolve();
  let waiting = 0;
  const send = (event: object) => {
    if (waiting >= mostWaiting) return;
    waiting++;
    last = last
      .then(() => post(parts.url, event, () => {}, freshAsk()))
      .catch(parts.onBug)
      .finally(() => waiting--);
  };
  return {
    run: (run) => send(runEvent(run, parts)),
    task: (task, run) => send(taskEvent(task, run, parts)),
  };
}

function taskEvent(task: TaskRecord, run: RunRecord, { region, ledger }: PosterParts): object {
  const { account, id, status } = task;
  const { id: runId, uuid: runUuid, name: runName, workflowId } = run;
  const arn = `arn:aws:omics:${region}:${account}:task/${id}`;
  const runArn = `arn:aws:omics:${region}:${account}:run/${runId}`;
  const workflowName = ledger.workflows.get(account, workflowId)?.name;
  return {
    ...{ version: "0", id: randomUUID(), "detail-type": "Task Status Change", source: "aws.omics" },
    ...{ account, time: new Date().toISOString(), region, resources: [arn] },
    detail: {
      ...{ omicsVersion: "1.0.0", arn, status, runArn, runUuid, runId, workflowId },
      ...defined({ runName, workflowName }),
    },
  };
}

function runEvent(run: RunRecord, { region, ledger }: PosterParts): object {
  const { account, id, uuid, name: runName, runOutputUri, workflowId, status } = run;
  const arn = `arn:aws:omics:${region}:${account}:run/${id}`;
  const workflowName = ledger.workflows.get(account, workflowId)?.name;
  return {
    ...{ version: "0", id: randomUUID(), "detail-type": "Run Status Change", source: "aws.omics" },
    ...{ account, time: new Date().toISOString(), region, resources: [arn] },
    detail: {
      ...{ omicsVersion: "1.0.0", arn, status, uuid, runId: id, runOutputUri, workflowId },
      ...defined({ runName, workflowName }),
    },
  };
}
