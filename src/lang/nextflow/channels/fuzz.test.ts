import fc from "fast-check";
import { expect, test } from "vitest";
import { operatorCase, strangeOperator } from "./testing/strange.ts";

test("whatever an operator is given ends in items or in a failure of the script", async () => {
  await fc.assert(
    fc.asyncProperty(operatorCase, async (each) => {
      expect(await strangeOperator(each)).toBeUndefined();
    }),
    { seed: 25_10, numRuns: 3000 },
  );
});

test.each([
  { operator: "splitCsv", given: ["[sep: '']"] },
  { operator: "splitText", given: ["[by: 0]"] },
  { operator: "splitFasta", given: ["[by: -1]"] },
  { operator: "collate", given: ["0"] },
  { operator: "buffer", given: ["[size: 0]"] },
])("$operator with $given ends", async (each) => {
  expect(
    await strangeOperator({ kind: "queue", source: "['a\\nb\\n', '>x\\nAC\\n']", ...each }),
  ).toBeUndefined();
});
