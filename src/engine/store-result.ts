/** Recording one result that is written down in the list of waiting ones. */
import { type Ask, defined, isAppError, messageOf } from "../kernel/index.ts";
import type { Entry } from "../store/entries/index.ts";
import type { RunCacheParts } from "./run-parts.ts";
import { changedSince, type WaitingResult, type WaitingResults } from "./waiting-results.ts";

export function storeMessage(error: unknown): string {
  return isAppError(error) ? `${error.message}. ${error.hint}` : messageOf(error);
}

/** The files are not provably what the task left. */
export class ChangedError extends Error {}

export async function checkUnchanged(result: WaitingResult): Promise<void> {
  const changed = await changedSince(result);
  if (changed !== undefined) throw new ChangedError(changed);
}

export async function storeResult(
  result: WaitingResult,
  waiting: WaitingResults,
  cache: Pick<RunCacheParts, "store" | "newUuid" | "remote">,
  ask: Ask,
): Promise<Entry> {
  const { newUuid, store, remote } = cache;
  const recorded = await store.record(result.entry, ask, {
    ...defined({ newUuid }),
    ...(remote === undefined
      ? {}
      : {
          fetch: async (location, path, within) => (await remote.fetch(location, path, {}, within)).sha256,
        }),
    onContent: (source, content) => {
      const known = result.contents.get(source);
      if (known !== undefined && known !== content)
        throw new ChangedError(`${source} was changed since the task ended`);
      waiting.learn(result, source, content);
    },
  });
  waiting.done(result, "recorded");
  return recorded;
}
