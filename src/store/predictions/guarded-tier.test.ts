import { describe, expect, it } from "vitest";
import { AppError, type Ask, freshAsk } from "../../kernel/index.ts";
import type { TierEvent } from "./events.ts";
import { createFlakyTier, type Mishap, type TierVerb } from "./flaky-tier.ts";
import { guardTier } from "./guarded-tier.ts";
import { createMemoryTier } from "./memory-tier.ts";
import { createNullTier } from "./null-tier.ts";
import type { GuardOptions } from "./tier-calls.ts";
import { collect, manyRows, predictionTierContract, row, scopeOf } from "./tier-contract.ts";

predictionTierContract({
  name: "guarded memory tier",
  make: async () => ({
    connect: () => guardTier(createMemoryTier(), { use: "required" }),
    persistent: false,
    dispose: async () => {},
  }),
});

const ask = freshAsk();
const scope = scopeOf();

function guarded(mishap: (verb: TierVerb, call: number) => Mishap, options: Partial<GuardOptions> = {}) {
  const events: TierEvent[] = [];
  const clock = { now: 0 };
  const flaky = createFlakyTier(createMemoryTier(), mishap);
  const tier = guardTier(flaky, {
    use: "optional",
    onEvent: (event) => events.push(event),
    now: () => clock.now,
    ...options,
  });
  return { tier, flaky, events, clock };
}

describe("the guard of a tier", () => {
  it("opens once, on first use, for callers that come at the same time", async () => {
    const { tier, flaky } = guarded(() => "none");
    await Promise.all([tier.getMany(scope, ["a"], ask), tier.count(scope, ask), tier.open(ask)]);
    expect(flaky.calls.filter((verb) => verb === "open")).toHaveLength(1);
  });

  it("tries a failed opening again on the next use", async () => {
    const { tier, clock } = guarded(
      (verb, call) => (verb === "open" && call === 1 ? "unreachable" : "none"),
      {
        retries: 0,
        restMs: 10,
      },
    );
    await tier.open(ask);
    expect(tier.reachable()).toBe(false);
    clock.now = 10;
    expect((await tier.putMany(scope, [row("a", 1, 1, "x")], ask)).stored).toBe(1);
  });

  it("tries again after trouble that may pass, without anybody noticing", async () => {
    const { tier, events, flaky } = guarded((verb, call) =>
      verb !== "open" && call === 1 ? "unreachable" : "none",
    );
    await tier.putMany(scope, manyRows(5), ask);
    expect((await tier.getMany(scope, ["input 1"], ask))[0]?.values[1]).toBe(1);
    expect(await collect(tier, scope, ask)).toHaveLength(5);
    expect(await tier.sample(scope, { count: 2, seed: "s" }, ask)).toHaveLength(2);
    expect(events).toEqual([]);
    expect(flaky.calls.filter((verb) => verb === "getMany")).toHaveLength(2);
  });

  it("does not try again what will not change", async () => {
    const { tier, flaky } = guarded((verb) => (verb === "getMany" ? "refused" : "none"), { use: "required" });
    await expect(tier.getMany(scope, ["a"], ask)).rejects.toMatchObject({ code: "STORE_TIER_REFUSED" });
    expect(flaky.calls.filter((verb) => verb === "getMany")).toHaveLength(1);
  });

  it("reports once that an optional tier is unavailable, answers misses without asking it, and reports when it is back", async () => {
    let broken = true;
    const { tier, flaky, events, clock } = guarded(() => (broken ? "unreachable" : "none"), { restMs: 1000 });
    expect(await tier.getMany(scope, ["a", "b"], ask)).toEqual([undefined, undefined]);
    const calls = flaky.calls.length;
    expect(await tier.getMany(scope, ["a"], ask)).toEqual([undefined]);
    expect(await tier.putMany(scope, manyRows(3), ask)).toEqual({ stored: 0, alreadyThere: 0 });
    expect(await collect(tier, scope, ask)).toEqual([]);
    expect([await tier.count(scope, ask), await tier.drop(scope, ask)]).toEqual([0, 0]);
    expect(flaky.calls.length).toBe(calls);
    clock.now = 1000;
    await tier.getMany(scope, ["a"], ask);
    expect(flaky.calls.length).toBeGreaterThan(calls);
    expect(events.map((event) => event.kind)).toEqual(["tier-unreachable"]);
    broken = false;
    // The rest grows with every failed try.
    clock.now = 3000;
    expect((await tier.putMany(scope, manyRows(3), ask)).stored).toBe(3);
    expect(events.map((event) => event.kind)).toEqual(["tier-unreachable", "tier-back"]);
  });

  it("turns an unreachable tier that is required into an error, at once from the second call on", async () => {
    const { tier, flaky } = guarded(() => "unreachable", { use: "required" });
    const unreachable = { code: "STORE_TIER_UNREACHABLE" };
    await expect(tier.open(ask)).rejects.toMatchObject(unreachable);
    const calls = flaky.calls.length;
    await expect(tier.getMany(scope, ["a"], ask)).rejects.toMatchObject(unreachable);
    await expect(collect(tier, scope, ask)).rejects.toMatchObject(unreachable);
    expect(flaky.calls.length).toBe(calls);
  });

  it.each<TierVerb>(["open", "getMany", "putMany", "scan", "count"])(
    "does not wait for a tier that hangs in %s, and does not ask it again",
    async (hanging) => {
      const { tier, events } = guarded((verb) => (verb === hanging ? "hang" : "none"), {
        openWithinMs: 20,
        callWithinMs: 20,
      });
      await tier.getMany(scope, ["a"], ask);
      await tier.putMany(scope, manyRows(2), ask);
      await collect(tier, scope, ask);
      await tier.count(scope, ask);
      expect(events).toHaveLength(1);
      expect(events[0]).toMatchObject({ kind: "tier-unreachable" });
    },
  );

  it("continues to read from a full tier; an optional one is reported once until a write works again", async () => {
    const { tier, events } = guarded((verb, call) =>
      verb === "putMany" && call !== 1 && call < 6 ? "full" : "none",
    );
    await tier.putMany(scope, [row("a", 1, 1, "x")], ask);
    expect(await tier.putMany(scope, manyRows(3), ask)).toEqual({ stored: 0, alreadyThere: 0 });
    await tier.putMany(scope, manyRows(3), ask);
    expect(events.map((event) => event.kind)).toEqual(["tier-write-refused"]);
    expect((await tier.getMany(scope, ["a"], ask))[0]?.input).toBe("a");
  });

  it("reports that nothing was stored when a required tier is full, and continues to read", async () => {
    const { tier, events, flaky } = guarded(
      (verb, call) => (verb === "putMany" && call > 1 ? "full" : "none"),
      {
        use: "required",
      },
    );
    await tier.putMany(scope, [row("a", 1, 1, "x")], ask);
    await expect(tier.putMany(scope, manyRows(3), ask)).rejects.toMatchObject({ code: "STORE_TIER_FULL" });
    expect(flaky.calls.filter((verb) => verb === "putMany")).toHaveLength(2);
    expect((await tier.getMany(scope, ["a"], ask))[0]?.input).toBe("a");
    expect(events).toEqual([]);
  });

  it("asks again at once after it was woken, however long it would have rested", async () => {
    let broken = true;
    const { tier } = guarded(() => (broken ? "unreachable" : "none"), { restMs: 60_000 });
    await tier.open(ask);
    broken = false;
    expect((await tier.putMany(scope, manyRows(3), ask)).stored).toBe(0);
    tier.wake?.();
    expect((await tier.putMany(scope, manyRows(3), ask)).stored).toBe(3);
  });

  it("closes what opens only after it was closed", async () => {
    const closed: string[] = [];
    let opens = () => {};
    const tier = guardTier(
      {
        ...createMemoryTier(),
        open: () =>
          new Promise<void>((resolve) => {
            opens = resolve;
          }).then(() => void closed.push("opened")),
        close: async () => void closed.push("closed"),
      },
      { use: "optional", openWithinMs: 10 },
    );
    await tier.open(ask);
    await tier.close();
    opens();
    await expect.poll(() => closed).toEqual(["closed", "opened", "closed"]);
  });

  it("ends and reports a scan of an optional tier that breaks in the middle; of a required one it fails", async () => {
    const breaking = (use: "optional" | "required") => {
      const events: TierEvent[] = [];
      const inner = createMemoryTier();
      const tier = guardTier(
        {
          ...inner,
          scan: async function* () {
            yield manyRows(2);
            throw new AppError("STORE_TIER_UNREACHABLE", "reading: gone");
          },
        },
        { use, onEvent: (event) => events.push(event) },
      );
      return { tier, events };
    };
    const optional = breaking("optional");
    expect(await collect(optional.tier, scope, ask)).toHaveLength(2);
    expect(optional.events.map((event) => event.kind)).toEqual(["tier-unreachable"]);
    await expect(collect(breaking("required").tier, scope, ask)).rejects.toMatchObject({
      code: "STORE_TIER_UNREACHABLE",
    });
  });

  it("lets bugs through, whatever the tier is for", async () => {
    const { tier } = guarded((verb) => (verb === "getMany" ? "bug" : "none"));
    await expect(tier.getMany(scope, ["a"], ask)).rejects.toThrow(TypeError);
  });

  it("stops at once when the user stops, even where the tier hangs, and does not blame the tier", async () => {
    const { tier, events } = guarded((verb) => (verb === "getMany" ? "hang" : "none"));
    await tier.open(ask);
    const stop = new AbortController();
    const stopping: Ask = { signal: stop.signal };
    const answer = tier.getMany(scope, ["a"], stopping);
    stop.abort();
    await expect(answer).rejects.toMatchObject({ code: "RUN_INTERRUPTED" });
    expect(tier.reachable()).toBe(true);
    expect(events).toEqual([]);
  });

  it("counts calls, rows, hits, misses, failures and what was stored", async () => {
    const { tier } = guarded((verb) => (verb === "count" ? "refused" : "none"));
    await tier.putMany(scope, manyRows(10), ask);
    await tier.getMany(scope, ["input 1", "input 2", "nowhere"], ask);
    await tier.count(scope, ask);
    const metrics = tier.metrics();
    expect(metrics).toMatchObject({ hits: 2, misses: 1, stored: 10 });
    expect(metrics.verbs.getMany).toMatchObject({ calls: 1, rows: 3, failures: 0 });
    expect(metrics.verbs.putMany).toMatchObject({ calls: 1, rows: 10 });
    expect(metrics.verbs.count).toMatchObject({ calls: 1, failures: 1 });
    expect(metrics.verbs.getMany.ms).toBeGreaterThan(0);
  });

  it("offers look-up by canonical form exactly where the tier does", () => {
    expect(guardTier(createNullTier(), { use: "optional" }).getManyCanonical).toBeUndefined();
    expect(guardTier(createMemoryTier(), { use: "optional" }).getManyCanonical).toBeDefined();
  });
});

describe("the tier that keeps nothing", () => {
  it("answers misses and stores nothing", async () => {
    const tier = createNullTier();
    await tier.open(ask);
    await tier.putMany(scope, manyRows(3), ask);
    expect(await tier.getMany(scope, ["input 1", "x"], ask)).toEqual([undefined, undefined]);
    expect(await collect(tier, scope, ask)).toEqual([]);
    expect([await tier.count(scope, ask), await tier.drop(scope, ask)]).toEqual([0, 0]);
    expect(await tier.sample(scope, { count: 3, seed: "s" }, ask)).toEqual([]);
    await tier.close();
  });
});
