import { expect, it, vi } from "vitest";
import { limitMs } from "../../test/limit.mjs";
import { freshAsk } from "../kernel/index.ts";
import { createFlakyTier, createMemoryTier, type PredictionTier } from "../store/predictions/index.ts";
import { Place } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { scriptedModel } from "./scripted-runner.ts";

const model = scriptedModel();
const scope = { modelId: model.id, release: model.release, columns: model.columns };
const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ input: `C${from + i}`, values: [i] }));

function recorderOf(tiers: { readonly local?: PredictionTier; readonly cloud?: PredictionTier }) {
  const warnings: string[] = [];
  const places = (["local", "cloud"] as const).flatMap((source) => {
    const tier = tiers[source];
    if (tier === undefined) return [];
    return [new Place({ source, tier, trouble: "is-a-miss", warn: (message) => warnings.push(message) })];
  });
  return { recorder: new Recorder({ scope, places, ask: freshAsk() }), warnings };
}

it("writes to the tiers before the one that answered", async () => {
  const local = createMemoryTier();
  const cloud = createMemoryTier();
  const { recorder } = recorderOf({ local, cloud });
  recorder.add(rows(0, 3), "computed");
  recorder.add(rows(10, 2), "cloud");
  recorder.add(rows(20, 1), "local");
  await recorder.settle("everything");
  expect([await local.count(scope, freshAsk()), await cloud.count(scope, freshAsk())]).toEqual([5, 3]);
});

it("hands full groups on at once and waits for the rest only when asked", async () => {
  const local = createMemoryTier();
  const { recorder } = recorderOf({ local });
  recorder.add(rows(0, 1000), "computed");
  recorder.add(rows(1000, 10), "computed");
  await recorder.keepUp();
  await recorder.settle("local");
  expect(await local.count(scope, freshAsk())).toBe(1010);
});

it("writes what a slow model answered without waiting for its next answers", async () => {
  const local = createMemoryTier();
  const { recorder } = recorderOf({ local });
  recorder.add(rows(0, 3), "computed");
  await vi.waitFor(async () => expect(await local.count(scope, freshAsk())).toBe(3), limitMs / 2);
});

it("a group that cannot be written is a warning and does not take the next one with it", async () => {
  const inner = createMemoryTier();
  const flaky = createFlakyTier(inner, (verb, call) => (verb === "putMany" && call === 1 ? "bug" : "none"));
  const { recorder } = recorderOf({ local: flaky });
  recorder.add(rows(0, 1000), "computed");
  recorder.add(rows(1000, 1000), "computed");
  // A bug is not hidden: settle throws it, after the second group was written.
  await expect(recorder.settle("everything")).rejects.toThrow();
  expect(await inner.count(scope, freshAsk())).toBe(1000);
});

it("a tier that is full is told once and left alone", async () => {
  const full = createFlakyTier(createMemoryTier(), (verb) => (verb === "putMany" ? "full" : "none"));
  const { recorder, warnings } = recorderOf({ local: full });
  recorder.add(rows(0, 1000), "computed");
  recorder.add(rows(1000, 1000), "computed");
  await recorder.settle("everything");
  expect(warnings).toHaveLength(1);
  expect(full.calls.filter((verb) => verb === "putMany")).toHaveLength(1);
});

it("never writes to a tier that only answers", async () => {
  const tier = createMemoryTier();
  const { recorder } = recorderOf({ local: { ...tier, can: { ...tier.can, write: false } } });
  recorder.add(rows(0, 2000), "computed");
  await recorder.settle("everything");
  expect(await tier.count(scope, freshAsk())).toBe(0);
});
