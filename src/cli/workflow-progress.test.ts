import { describe, expect, it } from "vitest";
import type { TimedEvent } from "../engine/index.ts";
import type { Screen } from "./screen.ts";
import { createWorkflowProgress } from "./workflow-progress.ts";

function screenOf(terminal: "terminal" | "pipe") {
  const said: string[] = [];
  const shown: string[] = [];
  const same = (text: string) => text;
  const screen: Screen = {
    out: () => {},
    say: (line) => void said.push(line),
    status: (line) => void shown.push(line),
    errorIsTerminal: terminal === "terminal",
    columns: 60,
    paint: { bold: same, dim: same, green: same, yellow: same, red: same },
  };
  return { screen, said, shown };
}

const usage = { wallSeconds: 1.5, cpuSeconds: null, maxRssBytes: null };
const events = (call: string): TimedEvent[] => [
  { kind: "call.asked", call, task: "t", at: 0 },
  { kind: "call.started", call, task: "t", attempt: 1, attemptId: "a", directory: "/d", at: 0 },
  { kind: "call.computed", call, task: "t", directory: "/d", usage, at: 0 },
];

describe("progress of a workflow run", () => {
  it("is one line on a terminal, no longer than it is wide", () => {
    let clock = 0;
    const { screen, shown, said } = screenOf("terminal");
    const progress = createWorkflowProgress(screen, () => (clock += 200));
    for (const n of [1, 2, 3, 4, 5])
      progress.event({ kind: "call.asked", call: `w.c[${n}]`, task: "t", at: 0 });
    for (const event of events("w.a_long_name_of_a_call_that_runs_now").slice(0, 2)) progress.event(event);
    expect(shown.at(-1)).toMatch(/^\d+\.\d s \| 5 waiting, 1 running \| w\.a_long/);
    expect(shown.every((line) => line.length < 60)).toBe(true);
    expect(said).toEqual([]);
    progress.end();
    expect(shown.at(-1)).toBe("");
  });

  it("is a line for each of the first calls elsewhere, and then a summary now and then", () => {
    let clock = 0;
    const { screen, said, shown } = screenOf("pipe");
    const progress = createWorkflowProgress(screen, () => clock);
    for (let n = 0; n < 100; n++) for (const event of events(`w.c[${n}]`)) progress.event(event);
    expect(said).toHaveLength(40);
    expect(said[0]).toBe("computed w.c[0] in 1.5 s");
    clock = 6_000;
    progress.event({ kind: "call.asked", call: "w.last", task: "t", at: 0 });
    expect(said.at(-1)).toBe("6.0 s | 1 waiting, 100 computed");
    expect(shown).toEqual([]);
    progress.end();
  });

  it("reports once why results are not kept, where there is a cache to keep them", () => {
    const { screen, said } = screenOf("pipe");
    const started = { kind: "run.started", run: "r", workflow: "w", directory: "/d", at: 0 } as const;
    const missed = (call: string, words: string): TimedEvent => ({
      kind: "call.missed",
      call,
      task: "t",
      reason: { kind: "not-reusable", words },
      at: 0,
    });
    const without = createWorkflowProgress(screen, () => 0);
    without.event(started);
    without.event(missed("w.a", "no cache is used"));
    const progress = createWorkflowProgress(screen, () => 0);
    progress.event({ ...started, cache: "file:///c" });
    for (const call of ["w.a", "w.b"]) progress.event(missed(call, "it runs without a container"));
    progress.event(missed("w.c", "meta says volatile: true"));
    expect(said).toEqual([
      "not kept: w.a: it runs without a container",
      "not kept: w.c: meta says volatile: true",
    ]);
  });

  it("reports failures, retries and problems with the cache at once", () => {
    const { screen, said } = screenOf("pipe");
    const progress = createWorkflowProgress(screen, () => 0);
    const failure = { kind: "exit-code", message: "exit code 3", attempts: 1 } as const;
    progress.event({ kind: "call.retried", call: "w.a", task: "a", why: failure, at: 0 });
    progress.event({ kind: "call.failed", call: "w.a", task: "a", failure, at: 0 });
    progress.event({
      kind: "cache.trouble",
      doing: "recording",
      call: "w.b",
      words: "the disk is full",
      at: 0,
    });
    expect(said).toEqual([
      "trying again: w.a: exit code 3",
      "failed: w.a: exit code 3",
      "cache: recording: the disk is full",
    ]);
    progress.end();
  });
});
