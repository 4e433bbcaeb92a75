/** Every run of this home: of the command line, wherever its folder is, and of the server. */

import { readRunJson } from "../../engine/index.ts";
import type { Ask } from "../../kernel/index.ts";
import { checkAsk } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { type PastRunOptions, pastRuns } from "../history/past-runs.ts";
import { knownFolders } from "../history/run-index.ts";
import type { FoundOrigin, Origin } from "./run-facts.ts";

/** Newest first. */
export async function allRuns(
  options: PastRunOptions,
  environment: Environment,
  ask: Ask,
): Promise<readonly FoundOrigin[]> {
  const found = new Map<string, FoundOrigin>();
  for await (const { record, directory, account, id } of pastRuns(options, environment, ask)) {
    const origin: Origin =
      account === undefined
        ? { kind: "home" }
        : { kind: "server", account, ...(id === undefined ? {} : { id }) };
    found.set(directory, { origin, record, directory });
  }
  if (options.whose?.home !== false)
    for (const directory of await knownFolders(environment)) {
      checkAsk(ask, "reading past runs");
      const record = found.has(directory) ? undefined : await readRunJson(directory);
      if (record !== undefined) found.set(directory, { origin: { kind: "home" }, record, directory });
    }
  return [...found.values()].sort((a, b) => (a.record.startedAt < b.record.startedAt ? 1 : -1));
}
