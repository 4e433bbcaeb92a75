import { describe, expect, it } from "vitest";
import { freshAsk, withPatience } from "./ask.ts";
import { CircuitBreaker, firedLate, Patience } from "./circuit-breaker.ts";

const make = (opensAfter = 1) => new CircuitBreaker({ opensAfter, firstRestMs: 100, longestRestMs: 350 });

/** Enters and fails. */
function fail(breaker: CircuitBreaker, at: number): void {
  const permit = breaker.enter(at);
  if (permit === undefined) throw new Error(`nobody may pass at ${at}`);
  permit.failed(at);
}

describe("a circuit breaker", () => {
  it("lets everybody pass until enough failures came in a row", () => {
    const breaker = make(3);
    fail(breaker, 0);
    fail(breaker, 1);
    breaker.enter(2)?.answered();
    fail(breaker, 3);
    fail(breaker, 4);
    expect(breaker.state(5)).toBe("closed");
    fail(breaker, 5);
    expect(breaker.state(6)).toBe("open");
    expect(breaker.enter(6)).toBeUndefined();
    expect(breaker.restMs(6)).toBe(99);
  });

  it("lets one probe pass after the rest, and its answer lets everybody pass", () => {
    const breaker = make();
    fail(breaker, 0);
    expect(breaker.enter(99)).toBeUndefined();
    const probe = breaker.enter(100);
    expect(probe?.isProbe).toBe(true);
    expect(breaker.enter(101)).toBeUndefined();
    probe?.answered();
    expect(breaker.state(102)).toBe("closed");
    expect(breaker.enter(102)?.isProbe).toBe(false);
  });

  it("rests longer after each failed probe, up to its limit, and is always tried again", () => {
    const breaker = make();
    fail(breaker, 0);
    let now = 0;
    const rests: number[] = [];
    for (let i = 0; i < 6; i++) {
      rests.push(breaker.restMs(now));
      now += breaker.restMs(now);
      fail(breaker, now);
    }
    expect(rests).toEqual([100, 200, 350, 350, 350, 350]);
    breaker.enter(now + 350)?.answered();
    fail(breaker, now + 351);
    expect(breaker.restMs(now + 351)).toBe(100);
  });

  it("counts what many learned at the same time once", () => {
    const breaker = make();
    const permits = [breaker.enter(0), breaker.enter(0), breaker.enter(0)];
    for (const [i, permit] of permits.entries()) permit?.failed(i * 50);
    expect(breaker.restMs(0)).toBe(100);
    const probe = breaker.enter(100);
    expect(probe?.isProbe).toBe(true);
  });

  it("learns from the late answer of a request that began before it opened", () => {
    const breaker = make();
    const early = breaker.enter(0);
    fail(breaker, 1);
    early?.answered();
    expect(breaker.state(2)).toBe("closed");
  });

  it("learns nothing from what says nothing about the other side", () => {
    const breaker = make();
    for (let i = 0; i < 10; i++) breaker.enter(i)?.inconclusive();
    expect(breaker.state(10)).toBe("closed");
    fail(breaker, 10);
    breaker.enter(110)?.inconclusive();
    const next = breaker.enter(111);
    expect(next?.isProbe).toBe(true);
    next?.failed(111);
    expect(breaker.restMs(111)).toBe(200);
  });

  it("sends another probe when the first one is never heard of again", () => {
    const breaker = make();
    fail(breaker, 0);
    expect(breaker.enter(100)).toBeDefined();
    expect(breaker.enter(449)).toBeUndefined();
    expect(breaker.enter(450)?.isProbe).toBe(true);
  });

  it("takes one report of each permit", () => {
    const breaker = make(2);
    const permit = breaker.enter(0);
    permit?.failed(0);
    permit?.failed(0);
    permit?.answered();
    expect(breaker.state(0)).toBe("closed");
    fail(breaker, 1);
    expect(breaker.state(1)).toBe("open");
  });
});

describe("a limit that is held against the other side", () => {
  it("runs out after its time when this process was served", () => {
    const patience = new Patience(1000, 0);
    const answers: string[] = [];
    for (let now = 100; now <= 1000; now += 100) answers.push(patience.tick(now));
    expect(answers).toEqual([...Array(9).fill("waiting"), "over"]);
  });

  it("does not count the time in which this process got no processor", () => {
    const patience = new Patience(1000, 0);
    expect(patience.tick(60_000)).toBe("waiting");
    expect(patience.tick(120_000)).toBe("waiting");
  });

  it("calls a time-out late when it fired long after its time", () => {
    expect(firedLate({ plannedMs: 1000, tookMs: 1100 })).toBe(false);
    expect(firedLate({ plannedMs: 1000, tookMs: 1400 })).toBe(true);
    expect(firedLate({ plannedMs: 20_000, tookMs: 24_000 })).toBe(false);
    expect(firedLate({ plannedMs: 20_000, tookMs: 26_000 })).toBe(true);
  });

  it("ends an Ask that nothing answers, and does not end one that was done in time", async () => {
    const { ask, done } = withPatience(freshAsk(), 20);
    await new Promise<void>((resolve) => ask.signal.addEventListener("abort", () => resolve()));
    expect(ask.signal.reason).toMatchObject({ name: "TimeoutError" });
    done();
  });

  it("reads what arrived while the event loop was held up before it runs out", async () => {
    const { ask, done } = withPatience(freshAsk(), 30);
    const answered = new Promise<"answered">((resolve) => setTimeout(() => resolve("answered"), 5));
    const over = new Promise<"over">((resolve) =>
      ask.signal.addEventListener("abort", () => resolve("over")),
    );
    const until = performance.now() + 200;
    while (performance.now() < until);
    expect(await Promise.race([answered, over])).toBe("answered");
    done();
  });
});
