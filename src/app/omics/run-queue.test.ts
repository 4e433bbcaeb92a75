import fc from "fast-check";
import { expect, it } from "vitest";
import type { RunRecord } from "../../ledger/index.ts";
import { RunQueue } from "./run-queue.ts";

const runOf = (id: number, priority: number, status = "PENDING") =>
  ({ account: "a", id: String(id), priority, status, runGroupId: undefined }) as unknown as RunRecord;
const all = () => true;

it("larger priorities come first, and equal ones in their order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4 })), (priorities) => {
      const queue = new RunQueue();
      for (const [id, priority] of priorities.entries()) queue.add(runOf(id, priority));
      const taken = priorities.map(() => Number(queue.take(all)?.id));
      const expected = priorities.map((_, id) => id);
      expect(taken).toEqual(expected.sort((x, y) => (priorities[y] ?? 0) - (priorities[x] ?? 0) || x - y));
      expect(queue.take(all)).toBeUndefined();
    }),
  );
});

it("what an earlier server had begun comes before every priority", () => {
  const queue = new RunQueue();
  queue.add(runOf(1, 100_000));
  queue.add(runOf(2, 0, "RUNNING"));
  expect([queue.take(all)?.id, queue.take(all)?.id]).toEqual(["2", "1"]);
});

it("one that does not fit is skipped and keeps its position", () => {
  const queue = new RunQueue();
  for (const id of [1, 2, 3]) queue.add(runOf(id, 5));
  expect(queue.take(({ id }) => id !== "1")?.id).toBe("2");
  expect([queue.take(all)?.id, queue.take(all)?.id]).toEqual(["1", "3"]);
});

it("one that was removed is not taken, and one of another account with its id stays", () => {
  const queue = new RunQueue();
  queue.add(runOf(1, 1));
  queue.add({ ...runOf(1, 1), account: "b" });
  queue.remove({ account: "a", id: "1", runGroupId: undefined });
  expect(queue.take(all)).toMatchObject({ account: "b", id: "1" });
  expect(queue.take(all)).toBeUndefined();
});
