/** Progress of prediction runs: a moving line on a terminal, a plain line every few seconds elsewhere. */
import type { PredictEvent, RunCounts } from "../predict/index.ts";
import { count, duration } from "./format.ts";
import type { Screen } from "./screen.ts";

const terminalEveryMs = 100;
const plainEveryMs = 5_000;
const barWidth = 20;

export interface Progress {
  event(event: PredictEvent): void;
  /** Removes the moving line. */
  end(): void;
}

export function createProgress(screen: Screen, now: () => number = () => performance.now()): Progress {
  const startedAt = now();
  let shownAt = screen.errorIsTerminal ? Number.NEGATIVE_INFINITY : startedAt;
  let resumedRows = 0;
  const due = () => {
    const every = screen.errorIsTerminal ? terminalEveryMs : plainEveryMs;
    if (now() - shownAt < every) return false;
    shownAt = now();
    return true;
  };
  const show = (line: string) => {
    if (screen.errorIsTerminal) screen.status(line.slice(0, screen.columns - 1));
    else screen.say(line);
  };
  return {
    event: (event) => {
      switch (event.kind) {
        case "warning":
          screen.say(`${screen.paint.yellow("warning:")} ${event.message}`);
          return;
        case "resumed":
          resumedRows = event.rows;
          screen.say(`resuming after the first ${count(event.rows)} rows of an interrupted run`);
          return;
        case "model-opening":
          if (screen.errorIsTerminal) screen.status("making the model ready ...");
          return;
        case "dumping":
          if (due()) show(`${count(event.rows)} rows written`);
          return;
        case "storing":
          if (due()) show(storingLine(event, (now() - startedAt) / 1000));
          return;
        case "progress":
          if (due()) show(progressLine(event, resumedRows, (now() - startedAt) / 1000));
          return;
        default:
          return;
      }
    },
    end: () => screen.status(""),
  };
}

/** Shows the events of some work until it ends. */
export async function withProgress<T>(
  screen: Screen,
  work: (emit: (event: PredictEvent) => void) => Promise<T>,
): Promise<T> {
  const progress = createProgress(screen);
  try {
    return await work(progress.event);
  } finally {
    progress.end();
  }
}

export function progressLine(
  event: Extract<PredictEvent, { kind: "progress" }>,
  resumedRows: number,
  seconds: number,
): string {
  const { counts, bytesAnswered, bytesTotal } = event;
  const rows =
    counts.reusedLocal +
    counts.reusedCloud +
    counts.computed +
    counts.failed +
    counts.missing +
    (counts.nearest ?? 0);
  const rate = (rows - resumedRows) / Math.max(seconds, 0.001);
  const parts = [`${count(rows)} rows`, `${count(Math.round(rate))} rows/s`];
  const share =
    bytesTotal === undefined || bytesTotal === 0 ? undefined : Math.min(1, bytesAnswered / bytesTotal);
  if (share !== undefined && share > 0 && share < 1 && seconds > 2)
    parts.push(`${duration((seconds * (1 - share)) / share)} left`);
  return `${bar(share)}${parts.join(", ")} | ${shortCounts(counts)}`;
}

export function storingLine(event: Extract<PredictEvent, { kind: "storing" }>, seconds: number): string {
  const { rows, share } = event;
  const parts = [`${count(rows)} rows`, `${count(Math.round(rows / Math.max(seconds, 0.001)))} rows/s`];
  if (share !== undefined && share > 0 && share < 1 && seconds > 2)
    parts.push(`${duration((seconds * (1 - share)) / share)} left`);
  return `${bar(share)}${parts.join(", ")}`;
}

/** `12 reused from the local cache, 5 computed, 1 failed`; zeros are left out. */
export function countsText(counts: RunCounts): string {
  const parts = [
    counts.reusedLocal > 0 ? `${count(counts.reusedLocal)} reused from the local cache` : "",
    counts.reusedCloud > 0 ? `${count(counts.reusedCloud)} reused from the cloud cache` : "",
    (counts.nearest ?? 0) > 0 ? `${count(counts.nearest ?? 0)} answered by similar molecules` : "",
    counts.computed > 0 ? `${count(counts.computed)} computed` : "",
    counts.failed > 0 ? `${count(counts.failed)} failed` : "",
    counts.missing > 0 ? `${count(counts.missing)} missing` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? "nothing answered yet" : parts.join(", ");
}

function shortCounts(counts: RunCounts): string {
  const all = [
    [counts.reusedLocal, "local"],
    [counts.reusedCloud, "cloud"],
    [counts.nearest ?? 0, "similar"],
    [counts.computed, "computed"],
    [counts.failed, "failed"],
    [counts.missing, "missing"],
  ] as const;
  const words = all.filter(([rows]) => rows > 0).map(([rows, word]) => `${count(rows)} ${word}`);
  return words.length === 0 ? "nothing answered yet" : words.join(", ");
}

function bar(share: number | undefined): string {
  if (share === undefined) return "";
  const full = Math.floor(share * barWidth);
  return `[${"#".repeat(full)}${"-".repeat(barWidth - full)}] ${String(Math.floor(share * 100)).padStart(3)} % `;
}
