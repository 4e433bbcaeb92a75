import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { firstDifference } from "./first-difference.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-differences-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function files(before: string | Uint8Array, after: string | Uint8Array): Promise<[never, never]> {
  const values: unknown[] = [];
  for (const [name, bytes] of [
    ["before", before],
    ["after", after],
  ] as const) {
    const location = join(folder, name);
    await writeFile(location, bytes);
    values.push({ kind: "file", location, basename: name } as never);
  }
  return values as [never, never];
}

it("shows the first line that differs", async () => {
  expect(await firstDifference("o", ...(await files("a\nb\nc\n", "a\nx\nc\n")))).toEqual({
    ...{ output: "o", kind: "line", line: 2, before: "b", after: "x" },
  });
  expect(await firstDifference("o", ...(await files("a\n", "a\nmore\n")))).toEqual({
    ...{ output: "o", kind: "line", line: 2, before: "", after: "more" },
  });
  const long = "x".repeat(100_000);
  expect(await firstDifference("o", ...(await files(`${long}\nend`, `${long}\nEnd`)))).toMatchObject({
    ...{ line: 2, before: "end", after: "End" },
  });
});

it("shows the first bytes that differ of what is not text", async () => {
  const bytes = (last: number) => Uint8Array.from([1, 0, 2, last]);
  expect(await firstDifference("o", ...(await files(bytes(3), bytes(4))))).toEqual({
    ...{ output: "o", kind: "bytes", at: 3, before: "03", after: "04" },
  });
});

it("shows values, and nothing for equal or unreadable files", async () => {
  expect(await firstDifference("n", 1 as never, 2 as never)).toEqual({
    ...{ output: "n", kind: "value", before: "1", after: "2" },
  });
  expect(await firstDifference("o", ...(await files("same", "same")))).toBe(undefined);
  const missing = { kind: "file", location: join(folder, "none"), basename: "none" } as never;
  expect(await firstDifference("o", missing, missing)).toBe(undefined);
});
