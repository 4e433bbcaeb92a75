import { expect, it } from "vitest";
import { AppError, freshAsk } from "../kernel/index.ts";
import type { Runner } from "../models/index.ts";
import type { Prediction } from "../task/index.ts";
import { Computer } from "./computer.ts";

const inputs = Array.from({ length: 250 }, (_, i) => `input ${i}`);
const valuesOf = (predictions: readonly Prediction[]) =>
  predictions.map((prediction) =>
    prediction.kind === "computed" ? prediction.values[0] : prediction.reason,
  );

/** Answers lengths; `before` is awaited for each batch. */
function runnerWith(before: (batch: readonly string[], signal: AbortSignal) => Promise<void>) {
  const batches: number[] = [];
  const runner: Runner = {
    ...{ kind: "scripted", toolkit: undefined, startsPerBatch: true },
    open: async () => {},
    predict: async (batch, ask) => {
      batches.push(batch.length);
      await before(batch, ask.signal);
      if (ask.signal.aborted) throw new AppError("RUN_INTERRUPTED", "interrupted");
      return batch.map((input) => ({ kind: "computed", values: [input.length] }));
    },
    close: async () => {},
  };
  return { runner, batches };
}

function computerOf(runner: Runner, trialMs?: number) {
  const recorded: string[] = [];
  const computer = new Computer({
    ...{ runner, columns: [{ name: "length", type: "integer" }], batchSize: undefined, parallel: 1 },
    ...{ equalInputs: "share", opening: () => {} },
    computed: (batch) => void recorded.push(...batch),
    ...(trialMs === undefined ? {} : { trialMs }),
  });
  return { computer, recorded };
}

it("starts a program that starts for every batch once where that is enough", async () => {
  const { runner, batches } = runnerWith(async () => {});
  const { computer } = computerOf(runner);
  const answers = await computer.compute(inputs, freshAsk(), () => {});
  expect(valuesOf(answers)).toEqual(inputs.map(({ length }) => length));
  expect(batches).toEqual([250]);
});

it("gives up a first batch that takes too long, and computes it in small ones, each recorded once", async () => {
  const { runner, batches } = runnerWith(async (batch, signal) => {
    if (batch.length === inputs.length && !signal.aborted)
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  });
  const { computer, recorded } = computerOf(runner, 1);
  let progress = 0;
  const answers = await computer.compute(inputs, freshAsk(), (part) => {
    progress += part.length;
  });
  expect(valuesOf(answers)).toEqual(inputs.map(({ length }) => length));
  expect(batches.slice(0, 2)).toEqual([250, 100]);
  expect(recorded).toEqual(inputs);
  expect(progress).toBe(inputs.length);
});

it("does not try smaller batches when the run is interrupted", async () => {
  const stop = new AbortController();
  const { runner, batches } = runnerWith(async () => stop.abort(new Error("enough")));
  const { computer, recorded } = computerOf(runner);
  const asked = computer.compute(inputs, { signal: stop.signal }, () => {});
  await expect(asked).rejects.toMatchObject({ code: "RUN_INTERRUPTED" });
  expect([batches, recorded]).toEqual([[250], []]);
});
