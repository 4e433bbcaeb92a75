/** What the writer processes write and the tests expect: rows that say of themselves whether they are right. */
import type { ModelId } from "../../src/kernel/index.ts";
import type { PredictionRow, PredictionScope } from "../../src/task/index.ts";

export const scope: PredictionScope = {
  modelId: "eos1abc" as ModelId,
  release: "v1",
  columns: [
    { name: "weight", type: "float" },
    { name: "rings", type: "integer" },
    { name: "label", type: "string" },
  ],
};

const rowsPerBatch = 60;

/** The one right row of an input. */
export function rowFor(input: string): PredictionRow {
  return {
    input,
    values: [input.length / 7, input.length, input.endsWith("0") ? null : `label of ${input}`],
  };
}

/** Two thirds of a batch belong to its writer, one third is written by every writer. */
export function batchOf(writer: number, batch: number): readonly PredictionRow[] {
  return Array.from({ length: rowsPerBatch }, (_, i) =>
    rowFor(i % 3 === 0 ? `shared ${batch} ${i}` : `writer ${writer} ${batch} ${i}`),
  );
}
