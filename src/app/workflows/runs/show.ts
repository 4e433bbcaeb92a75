/** `memoir runs show` */
import { type CallRow, callRows, type RunJson, readEvents, type TimedEvent } from "../../../engine/index.ts";
import { type Ask, checkAsk } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { type RunRow, rowOf } from "../list-runs.ts";
import { type OneRunOptions, oneRun } from "./one-run.ts";

export interface ShowResult extends RunRow {
  readonly record: RunJson;
  readonly rows: readonly CallRow[];
  /** Trouble with the cache and other words of the run. */
  readonly notes: readonly string[];
}

export async function showRun(
  options: OneRunOptions,
  environment: Environment,
  ask: Ask,
): Promise<ShowResult> {
  const found = await oneRun(options, environment, ask);
  const events = await readEvents(found.directory);
  checkAsk(ask, `reading the events of ${found.record.id}`);
  return { ...rowOf(found), record: found.record, rows: callRows(events), notes: events.flatMap(noteOf) };
}

function noteOf(event: TimedEvent): readonly string[] {
  if (event.kind === "cache.trouble") return [`cache, ${event.doing}: ${event.words}`];
  if (event.kind === "call.not-recorded") return [`${event.call} was not recorded: ${event.words}`];
  if (event.kind === "log") return [event.words];
  if (event.kind === "recheck.ended" && event.result !== "same")
    return [`recheck of ${event.call}: ${event.result} ${event.outputs.join(", ")}`];
  return [];
}
