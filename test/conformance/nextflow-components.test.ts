/** The runner of nf-test files, on small components in the tree. */
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { runComponents } from "./nextflow-components.ts";

test("tests run with their setup, and what comes out is compared with their snapshots", async () => {
  const results = await runComponents({ checkout: resolve("test/fixtures/nf-test"), only: [] });
  expect(results.map(({ name, kind, of }) => [name, kind, of])).toEqual([
    ["modules/own/count: reads - stub", "passed", undefined],
    ["modules/own/count: two samples - stub", "passed", undefined],
    ["modules/own/count: a bad suffix - stub", "passed", undefined],
    ["modules/own/count: what cannot be compared - stub", "excluded", "not comparable"],
    // Its snapshot is wrong.
    ["modules/own/join: counts - stub (with setup)", "failed", "output"],
    ["subworkflows/own/count_all: two samples - stub", "passed", undefined],
  ]);
  expect(results[4]?.why).toContain("all.txt:md5,00000000000000000000000000000000");
});
