/** `memoir store …`: stored predictions in projects, and Isaura's projects in place. */
import { resolve } from "node:path";
import { type Ask, defined } from "../../kernel/index.ts";
import { createCanonicalizer, createRunner } from "../../models/index.ts";
import { type PredictEventSink, type RunResult, runPredictions } from "../../predict/index.ts";
import type { Environment } from "../environment.ts";
import { warnOf } from "../tier-warnings.ts";
import type { Asked, InputColumn } from "./asked.ts";
import { copy, pull, push, write } from "./copy-rows.ts";
import { move, remove } from "./move-files.ts";
import { modelIn, type SourceOptions, sourceOf } from "./places.ts";
import { catalog, inspect, stats } from "./show-store.ts";

/** Looks the inputs of a file up; nothing is computed. */
export async function read(
  options: SourceOptions &
    InputColumn & { readonly model: string; readonly input: string; readonly output: string },
  { environment, emit }: Asked,
  ask: Ask,
): Promise<RunResult> {
  const model = await modelIn(options.model, options, environment, ask);
  const tier = sourceOf(options, environment, warnOf(emit));
  try {
    return await runPredictions(
      {
        mode: "cloud-cache-only",
        input: resolve(environment.cwd, options.input),
        output: resolve(environment.cwd, options.output),
        ...defined({ column: options.column }),
        statusColumn: "without",
        match: "exact",
      },
      {
        model,
        local: undefined,
        cloud: tier,
        runner: createRunner(model, { env: environment.programs }),
        canonicalizer: () => createCanonicalizer({}, ask),
        emit,
      },
      ask,
    );
  } finally {
    await tier.close();
  }
}

export type ProjectStore = ReturnType<typeof projectStore>;

/** Every verb of `memoir store`. */
export function projectStore(environment: Environment) {
  const bound =
    <Options, Result>(verb: (options: Options, asked: Asked, ask: Ask) => Promise<Result>) =>
    (options: Options, emit: PredictEventSink, ask: Ask): Promise<Result> =>
      verb(options, { environment, emit }, ask);
  return {
    write: bound(write),
    read: bound(read),
    copy: bound(copy),
    move: bound(move),
    remove: bound(remove),
    inspect: bound(inspect),
    catalog: bound(catalog),
    stats: bound(stats),
    push: bound(push),
    pull: bound(pull),
  };
}
