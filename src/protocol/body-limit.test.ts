import { expect, it } from "vitest";
import { bodyLimitOf } from "./body-limit.ts";
import { operations } from "./operations.ts";

it("every operation may send a small body, whatever its table says", () => {
  for (const operation of Object.values(operations)) {
    const { textBytes, wholeBytes } = bodyLimitOf(operation);
    expect(textBytes).toBeGreaterThanOrEqual(1 << 20);
    expect(textBytes).toBeLessThanOrEqual(32 << 20);
    expect(wholeBytes).toBeGreaterThanOrEqual(textBytes);
  }
});

it("a definition's blob counts as the base64 text that it is sent as, and nothing else may be that large", () => {
  const { textBytes, wholeBytes } = bodyLimitOf(operations.CreateWorkflow);
  const blob = operations.CreateWorkflow.body?.members["definitionZip"]?.shape;
  if (blob?.kind !== "blob") throw new Error("definitionZip is not a blob");
  expect(wholeBytes - textBytes).toBe(Math.ceil(blob.maxBytes / 3) * 4);
});

it("a batch may hold the parameters of all its runs", () => {
  expect(bodyLimitOf(operations.StartRunBatch).textBytes).toBeGreaterThan(100 * 256 * 1024);
});
