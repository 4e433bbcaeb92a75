import { describe, expect, it } from "vitest";
import { md5Hex } from "../hash/index.ts";
import { isAppError } from "../kernel/index.ts";
import { parseSlice, rowsOfSlice, slicer } from "./slices.ts";

const inputs = Array.from({ length: 3_000 }, (_, i) => `C${i % 2_500}`);

async function* chunks() {
  for (let from = 0; from < inputs.length; from += 700)
    yield { inputs: inputs.slice(from, from + 700), bytesRead: from };
}

async function rowsOf(number: number, of: number): Promise<readonly number[]> {
  const rows: number[] = [];
  for await (const chunk of rowsOfSlice(chunks(), { slice: { number, of } }, 100)) {
    expect(chunk.inputs).toEqual(chunk.rows?.map((row) => inputs[row]));
    rows.push(...(chunk.rows ?? []));
  }
  return rows;
}

describe("slices", () => {
  it.each([1, 2, 3, 7, 50, 256])(
    "have every row exactly once in %i, in the order of the input",
    async (of) => {
      const all: number[] = [];
      for (let number = 1; number <= of; number++) {
        const rows = await rowsOf(number, of);
        expect(rows).toEqual([...rows].sort((a, b) => a - b));
        for (const row of rows) expect(slicer(of)(inputs[row] ?? "")).toBe(number);
        all.push(...rows);
      }
      expect(all.sort((a, b) => a - b)).toEqual(inputs.map((_, row) => row));
    },
  );

  it("are ranges of keys that do not overlap, so equal inputs are in one", async () => {
    let last = "";
    for (let number = 1; number <= 9; number++) {
      const keys = (await rowsOf(number, 9)).map((row) => md5Hex(inputs[row] ?? "")).sort();
      expect((keys[0] ?? last) >= last).toBe(true);
      last = keys.at(-1) ?? last;
    }
  });

  it("are named by two numbers, and nothing else", () => {
    expect(parseSlice("7/50", "--slice")).toEqual({ number: 7, of: 50 });
    for (const wrong of ["0/5", "6/5", "1/0", "7", "1/2/3", "-1/5", "1.5/3", "a/b", "", "1/100000"])
      expect(() => parseSlice(wrong, "--slice")).toThrow(
        expect.toSatisfy((error: unknown) => isAppError(error, "CLI_USAGE")),
      );
  });
});
