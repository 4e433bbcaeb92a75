/** Which rows of an input are not stored yet: those are computed elsewhere, and nothing has to be computed twice. */
import { type Ask, defined, isAppError } from "../../kernel/index.ts";
import { statuses } from "../files/answers.ts";
import { planOf, type Source } from "../mode.ts";
import { Recorder } from "../recorder.ts";
import { runPredictions } from "../run.ts";
import type { RunParts } from "../run-request.ts";
import { TierSlot } from "../tier-slot.ts";
import type { StoredRows } from "./merge.ts";
import type { BatchPlan } from "./plan.ts";
import { RowSet } from "./row-set.ts";

/** Looks up every row of the input. Where a store is in trouble, its rows count as missing. */
export async function rowsToCompute(plan: BatchPlan, parts: RunParts, ask: Ask): Promise<RowSet> {
  const missing = new RowSet();
  if (parts.model.reusable.kind === "never") return allRows(plan);
  let row = 0;
  try {
    const { path: input, format: inputFormat, delimiter, column, header } = plan.input;
    await runPredictions(
      {
        input,
        inputFormat,
        ...defined({ delimiter, column, header }),
        output: "rows",
        mode: plan.mode,
        computes: "never",
        // What only another spelling has is computed: a merge looks up the inputs as they are.
        match: "exact",
        statusColumn: "without",
        rows: async (rows) => {
          for (const { status } of rows) {
            if (status === statuses[0]) missing.add(row);
            row++;
          }
        },
      },
      parts,
      ask,
    );
    return missing;
  } catch (error) {
    if (!isAppError(error) || !error.code.startsWith("STORE_")) throw error;
    parts.emit({ kind: "warning", message: `${error.message}; every row is computed` });
    return allRows(plan);
  }
}

function allRows({ input }: BatchPlan): RowSet {
  const rows = new RowSet();
  for (let row = 0; row < input.rows; row++) rows.add(row);
  return rows;
}

export interface StoredRowsOptions {
  /** Of what the workers computed: ISO 8601 time, UTC. */
  readonly computedAt: string;
  /** Tiers in which the merge records what was computed: the workers did not. */
  readonly records: readonly Source[];
  readonly ask: Ask;
}

/** Where a merge finds the rows that were not computed. Where a tier fails now the merge fails, and can be repeated. */
export function storedRows(plan: BatchPlan, parts: RunParts, options: StoredRowsOptions): StoredRows {
  const { model, runner, unsent } = parts;
  const isReusable = model.reusable.kind === "reusable";
  const places = planOf(plan.mode).lookUp.flatMap((source) => {
    const tier = parts[source];
    return tier === undefined || !isReusable
      ? []
      : [new TierSlot({ source, tier, trouble: "ends-the-run", warn: () => {} })];
  });
  const provenance = {
    computedAt: options.computedAt,
    runner: runner.kind,
    ...defined({ toolkit: runner.toolkit }),
  };
  const recorded = places.filter(({ source }) => options.records.includes(source));
  if (recorded.length === 0) return { places, provenance };
  const scope = { modelId: model.id, release: model.release, columns: model.columns };
  return {
    places,
    provenance,
    recorder: new Recorder({ scope, places: recorded, ask: options.ask, ...defined({ unsent }) }),
  };
}
