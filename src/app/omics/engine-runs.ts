/**
 * Runs of the engine carry the name of the server's run: `<id>-<first 8 of its uuid>`, and `-2`, `-3` after restarts of
 * the server. The uuid distinguishes two servers that share a cache or a container engine.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../../files/index.ts";
import type { Ledger, RunRecord } from "../../ledger/index.ts";
import type { Environment } from "../environment.ts";

/** A name that no run of this folder has. */
export async function nextEngineRun(run: RunRecord, folder: string): Promise<string> {
  await makeFolders(folder);
  const earlier = (await readdir(folder)).filter((name) => isRunOf(run, name)).length;
  return earlier === 0 ? stem(run) : `${stem(run)}-${earlier + 1}`;
}

export function isRunOf(run: Pick<RunRecord, "id" | "uuid">, engineRun: string): boolean {
  return engineRun === stem(run) || engineRun.startsWith(`${stem(run)}-`);
}

/** The name of the run that computed something: the server's id, when it is one of the account's. */
export function knownRun(ledger: Ledger, account: string, engineRun: string): string {
  const id = /^(\d{1,18})-[0-9a-f]{8}(-\d+)?$/.exec(engineRun)?.[1];
  const run = id === undefined ? undefined : ledger.runs.get(account, id);
  return run !== undefined && isRunOf(run, engineRun) ? run.id : engineRun;
}

function stem(run: Pick<RunRecord, "id" | "uuid">): string {
  return `${run.id}-${run.uuid.slice(0, 8)}`;
}

export interface EngineRun {
  readonly run: string;
  readonly directory: string;
}

/** What a run of the server leaves on the local disk. */
export function folderOfRun({ home }: Pick<Environment, "home">, { account, id }: RunRecord): string {
  return join(home, "server", "runs", account, id);
}

/** The engine's newest run for it; undefined before there is one. */
export async function readEngineRun(folder: string): Promise<EngineRun | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, engineRunName), "utf8"));
  } catch {
    return undefined;
  }
}

export const engineRunName = "engine-run.json";
