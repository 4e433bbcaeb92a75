import { expect, it } from "vitest";
import type { TimedEvent } from "../../engine/index.ts";
import { RunTallies } from "./run-tallies.ts";

it("each look-up counts once: as a hit, a miss or trouble; what is never looked up counts as none", () => {
  const tallies = new RunTallies();
  const events = [
    { kind: "call.reused" },
    { kind: "call.missed", reason: { kind: "no-entry" } },
    { kind: "call.missed", reason: { kind: "trouble" } },
    { kind: "call.missed", reason: { kind: "not-reusable" } },
    { kind: "call.computed" },
    { kind: "call.failed" },
    { kind: "call.cancelled" },
    { kind: "call.recorded" },
    { kind: "log" },
  ];
  for (const event of events) tallies.count(event as TimedEvent);
  const before = tallies.now();
  tallies.count({ kind: "call.computed" } as TimedEvent);
  expect(before).toEqual({
    tasks: { reused: 1, computed: 1, failed: 1, cancelled: 1 },
    lookups: { hit: 1, miss: 1, trouble: 1 },
    recorded: 1,
  });
});
