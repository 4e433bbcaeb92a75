/** Changes of a run's status, posted in the shape of EventBridge's HealthOmics events. Best effort, as there. */
import { randomUUID } from "node:crypto";
import { defined, freshAsk } from "../../kernel/index.ts";
import type { Ledger, RunRecord } from "../../ledger/index.ts";
import { post } from "../workflows/announce-end.ts";

export interface PosterParts {
  readonly url: string;
  readonly region: string;
  readonly ledger: Pick<Ledger, "workflows">;
  readonly onBug: (error: unknown) => void;
}

/** More are dropped while the receiver does not answer. */
const mostWaiting = 1_000;

/** Events arrive in the order of the changes; nothing waits for the receiver. */
export function statusPoster(parts: PosterParts): (run: RunRecord) => void {
  let last = Promise.resolve();
  let waiting = 0;
  return (run) => {
    if (waiting >= mostWaiting) return;
    waiting++;
    const event = eventOf(run, parts);
    last = last
      .then(() => post(parts.url, event, () => {}, freshAsk()))
      .catch(parts.onBug)
      .finally(() => waiting--);
  };
}

function eventOf(run: RunRecord, { region, ledger }: PosterParts): object {
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
