/** `memoir runs cancel` */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type RunJson, readRunJson, type ShownState, shownState } from "../../../engine/index.ts";
import { AppError, type Ask, pause } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { type OneRunOptions, oneRun } from "./one-run.ts";

export interface CancelResult {
  readonly run: string;
  readonly state: ShownState;
}

const cancelWaitMs = 60_000;

/** Asks the run to stop, and waits until it has. Throws RUN_NOT_RUNNING. */
export async function cancelRun(
  options: OneRunOptions,
  environment: Environment,
  ask: Ask,
): Promise<CancelResult> {
  const { record, directory } = await oneRun(options, environment, ask);
  await requestCancel(directory);
  const until = Date.now() + cancelWaitMs;
  let now: RunJson = record;
  while (shownState(now) === "running" && Date.now() < until && !ask.signal.aborted) {
    await pause(200, ask);
    now = (await readRunJson(directory)) ?? now;
  }
  return { run: record.id, state: shownState(now) };
}

/** Asks the run to stop. Throws RUN_NOT_RUNNING. */
export async function requestCancel(directory: string): Promise<void> {
  const record = await readRunJson(directory);
  const state = record === undefined ? "deleted" : shownState(record);
  if (state !== "running")
    throw new AppError("RUN_NOT_RUNNING", `cancelling ${record?.id ?? directory}: it is ${state}`);
  await writeFile(join(directory, "cancel"), "");
}
