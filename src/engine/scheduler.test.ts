import { describe, expect, it } from "vitest";
import { freshAsk } from "../kernel/index.ts";
import { Scheduler } from "./scheduler.ts";

const machine = { cpu: 4, memoryBytes: 1000, gpu: 1 };
const need = (cpu: number, memoryBytes = 1, gpu = 0) => ({ cpu, memoryBytes, gpu });

/** Asks for a turn and returns whether it has been granted by now. */
function ask(
  scheduler: Scheduler,
  resources: ReturnType<typeof need>,
  signal = new AbortController().signal,
) {
  const asked: { release?: () => void; state: "waiting" | "granted" | "gone" } = { state: "waiting" };
  const done = scheduler.acquire(resources, { signal }).then((release) => {
    asked.state = release === undefined ? "gone" : "granted";
    if (release !== undefined) asked.release = release;
  });
  return Object.assign(asked, { done });
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("the scheduler", () => {
  it("fits what is asked for into what there is", () => {
    const scheduler = new Scheduler(machine);
    expect(scheduler.fitted({ ...need(16, 2000, 2), diskBytes: 5 })).toEqual({ ...machine, diskBytes: 5 });
    expect(scheduler.fitted(need(1, 10, 1))).toEqual(need(1, 10, 1));
  });

  it("keeps the sums within the limits", async () => {
    const scheduler = new Scheduler(machine);
    const calls = [need(2), need(2), need(0.5)].map((resources) => ask(scheduler, resources));
    await settled();
    expect(calls.map((call) => call.state)).toEqual(["granted", "granted", "waiting"]);
    calls[0]?.release?.();
    await settled();
    expect(calls[2]?.state).toBe("granted");
  });

  it("adds fractions exactly", async () => {
    const scheduler = new Scheduler({ cpu: 0.3, memoryBytes: 10, gpu: 0 });
    const calls = [1, 2, 3].map(() => ask(scheduler, need(0.1)));
    await settled();
    expect(calls.every((call) => call.state === "granted")).toBe(true);
  });

  it("counts memory and gpus as well", async () => {
    const scheduler = new Scheduler(machine);
    const calls = [need(1, 900), need(1, 200), need(1, 1, 1), need(1, 1, 1)].map((resources) =>
      ask(scheduler, resources),
    );
    await settled();
    expect(calls.map((call) => call.state)).toEqual(["granted", "waiting", "granted", "waiting"]);
  });

  it("lets small calls pass a big one, but not for ever", async () => {
    const scheduler = new Scheduler(machine);
    const first = ask(scheduler, need(2));
    const big = ask(scheduler, need(4));
    await settled();
    let passed = 0;
    for (let i = 0; i < 100 && big.state === "waiting"; i++) {
      const small = ask(scheduler, need(1));
      await settled();
      if (small.state === "waiting") break;
      small.release?.();
      passed++;
    }
    expect(passed).toBeGreaterThan(0);
    expect(passed).toBeLessThan(100);
    first.release?.();
    await settled();
    expect(big.state).toBe("granted");
  });

  it("forgets a call that was cancelled while it waited", async () => {
    const scheduler = new Scheduler(machine);
    const running = ask(scheduler, need(4));
    const controller = new AbortController();
    const gone = ask(scheduler, need(4), controller.signal);
    const next = ask(scheduler, need(4));
    controller.abort();
    await settled();
    expect(gone.state).toBe("gone");
    running.release?.();
    running.release?.();
    await settled();
    expect(next.state).toBe("granted");
    expect(await scheduler.acquire(need(1), { ...freshAsk(), signal: AbortSignal.abort() })).toBeUndefined();
  });

  it("gives notice to the next two that wait, each once, and to nobody who need not wait", async () => {
    const scheduler = new Scheduler(machine);
    const noticed: string[] = [];
    const asked = (name: string) => scheduler.acquire(need(4), freshAsk(), () => noticed.push(name));
    const first = await asked("first");
    const second = asked("second");
    asked("third");
    asked("fourth");
    expect(noticed).toEqual(["second", "third"]);
    first?.();
    await second;
    expect(noticed).toEqual(["second", "third", "fourth"]);
  });

  it("says what is too much", () => {
    const scheduler = new Scheduler({ cpu: 4, memoryBytes: 8 * 2 ** 30, gpu: 0 });
    expect(scheduler.excess(need(4))).toBeUndefined();
    expect(scheduler.excess(need(5))).toContain("--max-cpus");
    expect(scheduler.excess(need(1, 9 * 2 ** 30))).toContain("asks for 9 GiB of memory, at most 8 GiB");
    expect(scheduler.excess(need(1, 1, 1))).toContain("gpus");
  });
});
