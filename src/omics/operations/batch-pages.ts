/** The runs of a batch, a few at a time, so that other requests get their turn. */
import { defined } from "../../kernel/index.ts";
import type { BatchRecord, BatchRunRecord } from "../../ledger/index.ts";
import type { ServerParts } from "../parts.ts";

/** Others get a turn after this many runs of a batch, which may have 100,000. */
export const runsAtOnce = 250;

/** Works through all of them, a few at a time; what is written for these few is written in one step. */
export async function inTurns<T>(
  { ledger }: Pick<ServerParts, "ledger">,
  items: readonly T[],
  work: (item: T) => void,
): Promise<void> {
  for (let start = 0; start < items.length; start += runsAtOnce) {
    ledger.transaction(() => {
      for (const item of items.slice(start, start + runsAtOnce)) work(item);
    });
    await nextTurn();
  }
}

/** The same for the runs of a batch that is written down already. */
export async function eachRun(
  { ledger }: Pick<ServerParts, "ledger">,
  { account, id: batchId }: Pick<BatchRecord, "account" | "id">,
  work: (item: BatchRunRecord) => void,
): Promise<void> {
  for await (const items of pagesOf({ ledger }, { account, id: batchId }))
    ledger.transaction(() => items.forEach(work));
}

export async function* pagesOf(
  { ledger }: Pick<ServerParts, "ledger">,
  { account, id: batchId }: Pick<BatchRecord, "account" | "id">,
): AsyncGenerator<readonly BatchRunRecord[]> {
  for (let token: string | undefined; ; ) {
    const wanted = { limit: runsAtOnce, ...defined({ token }) };
    const { items, nextToken } = ledger.batchRuns.page(account, { batchId }, wanted);
    yield items;
    if (nextToken === undefined) return;
    token = nextToken;
    await nextTurn();
  }
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
