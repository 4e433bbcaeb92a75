/** Runs of this home, of the command line and of the server, for what is counted over many of them. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type RunJson, readRunJson } from "../../engine/index.ts";
import { type Ask, checkAsk } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { readEngineRun } from "../omics/engine-runs.ts";
import { namesOfRuns, runsFolder } from "../workflows/runs-folder.ts";

export interface PastRun {
  readonly record: RunJson;
  readonly directory: string;
  /** Of runs of the server. */
  readonly account?: string;
  /** The server's id. */
  readonly id?: string;
}

export interface PastRunOptions {
  /** Milliseconds since 1970: only runs that began later. */
  readonly since?: number;
  /** Only those of the command line, or of this account. Default: all. */
  readonly whose?: { readonly home: boolean; readonly account?: string };
  readonly runsDir?: string;
}

export async function* pastRuns(
  { since = 0, whose, runsDir }: PastRunOptions,
  environment: Environment,
  ask: Ask,
): AsyncGenerator<PastRun> {
  const isWanted = ({ startedAt }: RunJson) => Date.parse(startedAt) >= since;
  if (whose?.home !== false) {
    const folder = runsFolder(runsDir, environment);
    for (const name of await namesOfRuns(folder)) {
      if (!/^[0-9A-Za-z]/.test(name)) continue;
      checkAsk(ask, "reading past runs");
      const directory = join(folder, name);
      const record = await readRunJson(directory);
      if (record !== undefined && isWanted(record)) yield { record, directory };
    }
  }
  const accounts = join(environment.home, "server", "runs");
  for (const account of await namesIn(accounts)) {
    if (whose !== undefined && !whose.home && account !== whose.account) continue;
    for (const id of await namesIn(join(accounts, account))) {
      checkAsk(ask, "reading past runs");
      const engine = await readEngineRun(join(accounts, account, id));
      const record = engine === undefined ? undefined : await readRunJson(engine.directory);
      if (engine !== undefined && record !== undefined && isWanted(record))
        yield { record, directory: engine.directory, account, id };
    }
  }
}

/** None where there is no such folder: nothing has run here yet. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
