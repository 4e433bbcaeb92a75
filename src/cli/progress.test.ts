import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { countsText, createProgress, progressLine } from "./progress.ts";
import { createScreen } from "./screen.ts";

const counts = { reusedLocal: 1200, reusedCloud: 30, computed: 4, failed: 1, missing: 0 };
const progress = { kind: "progress", counts, bytesAnswered: 250, bytesTotal: 1000 } as const;

function recorder(terminal: boolean) {
  let text = "";
  const stderr = Object.assign(
    new Writable({
      write: (chunk, _, done) => {
        text += String(chunk);
        done();
      },
    }),
    { isTTY: terminal, columns: 100 },
  );
  const screen = createScreen({ stdout: stderr, stderr, env: { NO_COLOR: "1" } });
  return { screen, text: () => text };
}

describe("progress", () => {
  it("says how far it is, how fast, how long still, and where the answers came from", () => {
    expect(progressLine(progress, 0, 10)).toBe(
      "[#####---------------]  25 % 1,235 rows, 124 rows/s, 30 s left | 1,200 local, 30 cloud, 4 computed, 1 failed",
    );
  });

  it("does not count the rows of an interrupted run into its speed", () => {
    expect(progressLine(progress, 1135, 10)).toContain(" 10 rows/s");
  });

  it("moves one line on a terminal, at most ten times a second", () => {
    const { screen, text } = recorder(true);
    let now = 0;
    const shown = createProgress(screen, () => now);
    for (now = 0; now < 1000; now += 10) shown.event(progress);
    shown.end();
    expect(text().split("\r").length - 1).toBeLessThanOrEqual(10);
    expect(text()).not.toContain("\n");
    expect(text().endsWith("\r\u001b[K")).toBe(true);
  });

  it("writes a plain line every five seconds elsewhere", () => {
    const { screen, text } = recorder(false);
    let now = 0;
    const shown = createProgress(screen, () => now);
    for (now = 0; now <= 16_000; now += 100) shown.event(progress);
    expect(text().trim().split("\n")).toHaveLength(3);
    expect(text()).not.toContain("\r");
  });

  it("keeps warnings above the moving line", () => {
    const { screen, text } = recorder(true);
    const shown = createProgress(screen);
    shown.event(progress);
    shown.event({ kind: "warning", message: "careful" });
    expect(text()).toContain("\r\u001b[Kwarning: careful\n[###");
  });

  it("leaves out what did not happen", () => {
    expect(countsText({ reusedLocal: 0, reusedCloud: 0, computed: 2, failed: 0, missing: 1 })).toBe(
      "2 computed, 1 missing",
    );
  });
});

describe("colour", () => {
  const painted = (env: Record<string, string>) => {
    const stream = Object.assign(new Writable(), { isTTY: true });
    return createScreen({ stdout: stream, stderr: stream, env }).paint.red("x");
  };
  it("is used on terminals and left out with NO_COLOR or a dumb terminal", () => {
    expect(painted({ TERM: "xterm" })).toBe("\u001b[31mx\u001b[39m");
    expect(painted({ TERM: "xterm", NO_COLOR: "1" })).toBe("x");
    expect(painted({ TERM: "dumb" })).toBe("x");
    expect(painted({ TERM: "dumb", FORCE_COLOR: "1" })).toContain("\u001b");
  });
});
