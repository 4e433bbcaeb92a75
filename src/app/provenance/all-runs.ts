/** Every run of this home: of the command line, wherever its folder is, and of the server. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readRunJson } from "../../engine/index.ts";
import type { Ask } from "../../kernel/index.ts";
import { checkAsk } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { type PastRunOptions, pastRuns } from "../history/past-runs.ts";
import { RunIndex } from "../history/run-index.ts";
import { readEngineRun } from "../omics/engine-runs.ts";
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
    for (const directory of await new RunIndex(environment).folders()) {
      checkAsk(ask, "reading past runs");
      const record = found.has(directory) ? undefined : await readRunJson(directory);
      if (record !== undefined) found.set(directory, { origin: { kind: "home" }, record, directory });
    }
  return [...found.values()].sort((a, b) => (a.record.startedAt < b.record.startedAt ? 1 : -1));
}

/** A run of the server that has begun, by its id. */
export async function serverRun(id: string, environment: Environment): Promise<FoundOrigin | undefined> {
  if (!/^\d{1,18}$/.test(id)) return undefined;
  const accounts = join(environment.home, "server", "runs");
  for (const account of await readdir(accounts).catch(() => [])) {
    const engine = await readEngineRun(join(accounts, account, id));
    const record = engine === undefined ? undefined : await readRunJson(engine.directory);
    if (engine !== undefined && record !== undefined)
      return { origin: { kind: "server", account, id }, record, directory: engine.directory };
  }
  return undefined;
}
