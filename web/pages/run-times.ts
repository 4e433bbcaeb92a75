/** When a run began and how long it took. */
import { durationText } from "../format.ts";
import type { Run } from "../shapes.ts";

export function startOf(run: Run): string | undefined {
  return run.origin === "server" ? (run.startedAt ?? run.createdAt) : run.startedAt;
}

export function tookText(run: Run, now: number): string {
  const start = startOf(run);
  if (start === undefined) return "–";
  const end =
    run.endedAt === undefined ? (run.state === "running" ? now : undefined) : Date.parse(run.endedAt);
  return end === undefined ? "–" : durationText(Math.max(0, end - Date.parse(start)) / 1000);
}
