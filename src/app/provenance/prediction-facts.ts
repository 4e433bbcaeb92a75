/** Runs of predictions as the makers of their outputs. */

import { defined } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { type PastPredictions, pastPredictions } from "../history/prediction-history.ts";
import type { CallFacts, RunFacts } from "./run-facts.ts";

export async function predictionRuns(since: number, environment: Environment): Promise<readonly RunFacts[]> {
  const past = await pastPredictions(environment);
  return past
    .filter(({ at, run }) => run !== undefined && Date.parse(at) >= since)
    .map((each) => factsOf(each, past));
}

/** The run during which a row of this model and release was computed; undefined = none of those that are known. */
export function runThatComputed(
  row: { readonly model: string; readonly release?: string; readonly computedAt?: string },
  past: readonly PastPredictions[],
): string | undefined {
  const { model, release, computedAt } = row;
  if (computedAt === undefined) return undefined;
  const found = past.filter(
    (each) =>
      each.model === model &&
      each.release === release &&
      each.computed > 0 &&
      each.startedAt !== undefined &&
      each.startedAt <= computedAt &&
      computedAt <= each.at,
  );
  // Two that ran at the same time: which of them it was is not known.
  return found.length === 1 ? found[0]?.run : undefined;
}

function factsOf(past: PastPredictions, all: readonly PastPredictions[]): RunFacts {
  const { at, startedAt = at, run = "", model, release, input, output, runner, toolkit } = past;
  const { computed, reused, failed } = past;
  const batches = [
    ...(computed === 0 || past.isMerge === true
      ? []
      : [{ rows: computed, computedAt: at, ...defined({ runner, toolkit }), run }]),
    ...(past.batches ?? []).map((batch) => ({
      ...batch,
      ...defined({ run: runThatComputed({ model, release, ...batch }, all) }),
    })),
  ];
  const call: CallFacts = {
    ...{ call: "predict", task: model, state: computed === 0 && reused > 0 ? "reused" : "computed" },
    ...{ askedAt: Date.parse(startedAt), startedAt: Date.parse(startedAt), endedAt: Date.parse(at) },
    inputs: input === undefined ? [] : [{ place: "input", location: input.path, identity: input.identity }],
    outputs:
      output === undefined
        ? []
        : [
            {
              ...{ output: "predictions", kind: "file", location: output.path },
              ...{ identity: output.identity, bytes: output.bytes },
            },
          ],
  };
  return {
    origin: { kind: "home" },
    record: { id: run, workflow: model, language: "predictions", startedAt, state: "succeeded" },
    directory: "",
    calls: new Map([[call.call, call]]),
    delivered: new Map(),
    predictions: { model, release, ...defined({ runner, toolkit }), computed, reused, failed, batches },
  };
}
