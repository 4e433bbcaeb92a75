import { expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import type { RunGroupRecord } from "../../ledger/index.ts";
import { SharedTurns } from "./shared-turns.ts";

const capacity = { cpu: 4, gpu: 2, memoryBytes: 1_000 };
const one = { cpu: 1, gpu: 0, memoryBytes: 10 };
const groupOf = (limits: Partial<RunGroupRecord>) => ({ account: "a", id: "g", ...limits }) as RunGroupRecord;

/** Whether a turn that is asked for comes before one that the machine has room for at once. */
async function waits(asked: Promise<unknown>, free: () => Promise<unknown>): Promise<boolean> {
  let came = false;
  void asked.then(() => {
    came = true;
  });
  await free();
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  return !came;
}

it("tasks of a group wait for each other, those of others do not", async () => {
  const turns = new SharedTurns();
  const group = groupOf({ maxCpus: 1 });
  const [a, b] = [turns.of(() => group)(capacity, "here"), turns.of(() => group)(capacity, "here")];
  const other = turns.of(() => undefined)(capacity, "here");
  const leave = await a.acquire(one, freshAsk());
  const second = b.acquire(one, freshAsk());
  expect(await waits(second, () => other.acquire(one, freshAsk()))).toBe(true);
  leave?.();
  expect(await second).toBeTypeOf("function");
});

it("all runs together stay within the machine, whatever their groups allow", async () => {
  const turns = new SharedTurns();
  const [a, b] = ["g", "h"].map((id) => turns.of(() => groupOf({ id, maxCpus: 100 }))(capacity, "here"));
  const leave = await a?.acquire({ ...one, cpu: 3 }, freshAsk());
  const second = b?.acquire({ ...one, cpu: 2 }, freshAsk()) ?? Promise.resolve();
  expect(await waits(second, async () => a?.acquire(one, freshAsk()))).toBe(true);
  leave?.();
  expect(await second).toBeTypeOf("function");
});

it("one who gives up while the machine is full gives its group's share back", async () => {
  const turns = new SharedTurns();
  const mine = turns.of(() => groupOf({ maxCpus: 1 }))(capacity, "here");
  const other = turns.of(() => undefined)(capacity, "here");
  const leave = await other.acquire({ ...one, cpu: 4 }, freshAsk());
  const controller = new AbortController();
  const given = mine.acquire(one, { signal: controller.signal });
  expect(await waits(given, async () => {})).toBe(true);
  controller.abort();
  expect(await given).toBeUndefined();
  leave?.();
  expect(await mine.acquire(one, freshAsk())).toBeTypeOf("function");
});

it("a request for more than its group allows is reported with both numbers", () => {
  const turns = new SharedTurns().of(() => groupOf({ maxCpus: 2, maxGpus: 1 }))(capacity, "here");
  expect(turns.excess({ ...one, cpu: 3 })).toBe("asks for 3 cpus, its run group allows 2");
  expect(turns.excess({ ...one, gpu: 2 })).toBe("asks for 2 gpus, its run group allows 1");
  expect(turns.excess(one)).toBeUndefined();
  expect(turns.fitted({ ...one, cpu: 4, gpu: 2 })).toMatchObject({ cpu: 2, gpu: 1 });
});

it("changed limits of a group count for what starts later", async () => {
  const turns = new SharedTurns();
  let maxCpus = 1;
  const mine = turns.of(() => groupOf({ maxCpus }))(capacity, "here");
  await mine.acquire(one, freshAsk());
  maxCpus = 2;
  expect(await mine.acquire(one, freshAsk())).toBeTypeOf("function");
});

it("jobs of a cluster count for their group, and not for the machine", async () => {
  const turns = new SharedTurns();
  const cluster = { cpu: Number.POSITIVE_INFINITY, gpu: 0, memoryBytes: Number.POSITIVE_INFINITY };
  const jobs = turns.of(() => groupOf({ maxCpus: 8 }))(cluster, "elsewhere");
  const here = turns.of(() => undefined)(capacity, "here");
  const eight = { ...one, cpu: 8 };
  const leave = await jobs.acquire(eight, freshAsk());
  const second = jobs.acquire(one, freshAsk());
  expect(await waits(second, () => here.acquire({ ...one, cpu: 4 }, freshAsk()))).toBe(true);
  leave?.();
  expect(await second).toBeTypeOf("function");
  expect(jobs.excess({ ...one, cpu: 9 })).toContain("its run group allows 8");
});
