/** Rows whose right values follow from the input alone: shared by the writer and its test. */
import type { ModelId } from "../../src/kernel/index.ts";
import type { PredictionRow, PredictionScope } from "../../src/task/index.ts";

export const killScope: PredictionScope = {
  modelId: "eos0kil" as ModelId,
  release: "v1",
  columns: [
    { name: "weight", type: "float" },
    { name: "version", type: "integer" },
    { name: "label", type: "string" },
  ],
};

/** Batches of 1 to 300 rows. The first row of each is overwritten by every batch of its writer. */
export function batchRows(writer: string, batch: number): readonly PredictionRow[] {
  const size = 1 + ((batch * 7919) % 300);
  const provenance = { computedAt: new Date(1.7e12 + batch).toISOString(), runner: `writer ${writer}` };
  return Array.from({ length: size }, (_, at) => {
    const input = at === 0 ? hotInput(writer) : `${writer} ${batch} ${at}${at === 1 ? "C".repeat(3000) : ""}`;
    return { input, values: rightValues(input, batch), provenance, canonical: `canonical of ${input}` };
  });
}

export function hotInput(writer: string): string {
  return `hot ${writer}`;
}

/** What a row of this input holds when it was written by this batch. */
export function rightValues(input: string, batch: number): readonly [number, number, string | null] {
  const weight = (input.length * 1000 + batch) / 7;
  return [weight, batch, batch % 5 === 0 ? null : `label ${batch}, of "${input.slice(0, 30)}"`];
}
