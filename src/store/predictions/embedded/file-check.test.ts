import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshAsk } from "../../../kernel/index.ts";
import { manyRows, scopeOf } from "../tier-contract.ts";
import { createEmbeddedTier } from "./embedded-tier.ts";
import { whatIsWrongWith } from "./file-check.ts";

describe("the check of a store's file", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "memoir-check-"));
    path = join(folder, "data.mdb");
    const tier = createEmbeddedTier({ folder });
    await tier.open(freshAsk());
    await tier.putMany(scopeOf(), manyRows(500), freshAsk());
    await tier.close();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("finds nothing wrong with a store, an empty file and no file", () => {
    expect(whatIsWrongWith(path)).toBeUndefined();
    expect(whatIsWrongWith(join(folder, "none"))).toBeUndefined();
    writeFileSync(join(folder, "empty"), "");
    expect(whatIsWrongWith(join(folder, "empty"))).toBeUndefined();
  });

  it("finds text, a cut file and an overwritten head wrong", () => {
    const whole = readFileSync(path);
    for (const [bytes, words] of [
      [Buffer.from("words".repeat(4000)), /first page/],
      [whole.subarray(0, 4200), /second page/],
      [whole.subarray(0, 8192), /ends after 8192 bytes/],
      [Buffer.concat([Buffer.alloc(4096), whole.subarray(4096)]), /first page/],
    ] as const) {
      writeFileSync(path, bytes);
      expect(whatIsWrongWith(path)).toMatch(words);
    }
  });
});
