import { describe, expect, it } from "vitest";
import { judge, rowsByJob, type Sight } from "./job-watch.ts";
import type { QueueRow } from "./parse-answers.ts";

const times = { pollMs: 1, settleMs: 2, missingMs: 3, stuckMs: 4, awayMs: 5 };
const row = (state: string, reason = "None"): QueueRow => ({
  jobId: "1",
  element: undefined,
  state,
  reason,
  name: "a",
});

function verdict(sight: Partial<Sight>) {
  return judge(
    { row: undefined, exitCode: undefined, hasEnd: false, isClaimed: false, isCancelled: false, ...sight },
    times,
  );
}

describe("what a look at Slurm means for a job", () => {
  it("is nothing where the controller does not answer, unless the job's own end is there", () => {
    expect(verdict({ row: "unknown" })).toEqual({ kind: "go-on" });
    expect(verdict({ row: "unknown", exitCode: 0 })).toEqual({ kind: "over" });
    expect(verdict({ row: "unknown", isCancelled: true })).toMatchObject({ what: "unreachable", ms: 5 });
  });

  it("is that it may not be listed yet where its row is missing", () => {
    expect(verdict({})).toMatchObject({ kind: "after", what: "missing", ms: 3 });
    expect(verdict({ exitCode: 0 })).toEqual({ kind: "over" });
  });

  it("is that its exit code may not be seen yet where it has ended without one", () => {
    expect(verdict({ row: row("COMPLETED") })).toMatchObject({ kind: "after", what: "ended", ms: 2 });
    expect(verdict({ row: row("FAILED"), hasEnd: true })).toEqual({ kind: "over" });
    expect(verdict({ row: row("COMPLETING"), exitCode: 0 })).toEqual({ kind: "over" });
  });

  it("is that it is over where its node could not begin it", () => {
    const failed = row("FAILED", "JobLaunchFailure");
    expect(verdict({ row: failed })).toEqual({ kind: "over" });
    expect(verdict({ row: failed, isClaimed: true })).toMatchObject({ kind: "after", what: "ended" });
  });

  it("is that its last state is still to come where it failed and Slurm tidies up", () => {
    const soon = { kind: "after", what: "ended", ms: 2 };
    expect(verdict({ row: row("COMPLETING"), hasEnd: true })).toMatchObject(soon);
    expect(verdict({ row: row("COMPLETING"), exitCode: 137 })).toMatchObject(soon);
    expect(verdict({ row: row("COMPLETING") })).toEqual({ kind: "go-on" });
  });

  it("is that it never starts where it waits for what never comes, and was not cancelled", () => {
    expect(verdict({ row: row("PENDING", "PartitionConfig") })).toMatchObject({
      what: "never-starts",
      ms: 4,
    });
    expect(verdict({ row: row("PENDING", "PartitionConfig"), isCancelled: true })).toEqual({ kind: "go-on" });
    expect(verdict({ row: row("PENDING", "Resources") })).toEqual({ kind: "go-on" });
  });

  it("is that it was put back into the queue where it has begun and waits", () => {
    expect(verdict({ row: row("PENDING", "BeginTime"), isClaimed: true })).toMatchObject({
      kind: "after",
      what: "requeued",
      ms: 2,
    });
    expect(verdict({ row: row("PENDING", "BeginTime") })).toEqual({ kind: "go-on" });
    expect(verdict({ row: row("RUNNING"), isClaimed: true })).toEqual({ kind: "go-on" });
  });

  it("is that it has ended, where its exit code stays there while Slurm says that it runs", () => {
    expect(verdict({ row: row("RUNNING"), exitCode: 0 })).toEqual({ kind: "after", what: "ended", ms: 2 });
    expect(verdict({ row: row("RUNNING"), hasEnd: true })).toMatchObject({ what: "ended" });
    expect(verdict({ row: row("RUNNING"), exitCode: 0, isCancelled: true })).toEqual({ kind: "go-on" });
  });

  it("is the end of a cancelled job that never began", () => {
    expect(verdict({ row: row("CANCELLED"), isCancelled: true })).toEqual({ kind: "over" });
    expect(verdict({ row: row("CANCELLED"), isCancelled: true, isClaimed: true })).toMatchObject({
      what: "ended",
    });
  });

  it("counts the job that is not over where two have one name", () => {
    const [over, runs] = [row("CANCELLED"), { ...row("RUNNING"), jobId: "2" }];
    for (const rows of [
      [over, runs],
      [runs, over],
    ])
      expect([...rowsByJob(rows).values()]).toEqual([runs]);
  });
});
