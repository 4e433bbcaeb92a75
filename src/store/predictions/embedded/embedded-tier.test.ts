import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshAsk } from "../../../kernel/index.ts";
import type { TierEvent } from "../events.ts";
import { collect, manyRows, predictionTierContract, row, scopeOf } from "../tier-contract.ts";
import { createEmbeddedTier } from "./embedded-tier.ts";

predictionTierContract({
  name: "embedded tier",
  make: async () => {
    const folder = mkdtempSync(join(tmpdir(), "memoir-embedded-"));
    return {
      connect: () => createEmbeddedTier({ folder }),
      persistent: true,
      dispose: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
});

describe("the embedded tier", () => {
  const ask = freshAsk();
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "memoir.embedded."));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("takes rows older than the age limit as missing, and stores them again when they are put again", async () => {
    let now = Date.parse("2026-01-01T00:00:00Z");
    const tier = createEmbeddedTier({ folder, expireAfterMs: 60_000, now: () => now });
    await tier.open(ask);
    const scope = scopeOf();
    await tier.putMany(scope, [row("old", 1, 1, "a"), row("renewed", 1, 1, "a")], ask);
    now += 45_000;
    await tier.putMany(scope, [row("young", 2, 2, "b")], ask);
    now += 30_000;
    expect((await tier.putMany(scope, [row("renewed", 1, 1, "a")], ask)).stored).toBe(1);
    const answers = await tier.getMany(scope, ["old", "young", "renewed"], ask);
    expect(answers.map((answer) => answer?.input)).toEqual([undefined, "young", "renewed"]);
    expect(await tier.count(scope, ask)).toBe(2);
    expect((await collect(tier, scope, ask)).map((each) => each.input)).toEqual(["renewed", "young"]);
    await tier.close();
  });

  it("sees what another tier on the same folder stores while both are open, far past the first map size", async () => {
    const [a, b] = [createEmbeddedTier({ folder }), createEmbeddedTier({ folder })];
    await Promise.all([a.open(ask), b.open(ask)]);
    const scope = scopeOf();
    expect(await a.getMany(scope, ["input 7"], ask)).toEqual([undefined]);
    await b.putMany(scope, manyRows(30_000), ask);
    expect(
      (await a.getMany(scope, ["input 7", "input 29999"], ask)).every((answer) => answer !== undefined),
    ).toBe(true);
    expect(await a.count(scope, ask)).toBe(30_000);
    await Promise.all([a.close(), b.close()]);
  });

  it("says that a file which is not a store is damaged, and does not touch it", async () => {
    writeFileSync(join(folder, "data.mdb"), "this is not a store ".repeat(1000));
    const tier = createEmbeddedTier({ folder });
    await expect(tier.open(ask)).rejects.toMatchObject({ code: "STORE_TIER_DAMAGED" });
  });

  it("says that a folder which cannot be made is damaged or not writable", async () => {
    writeFileSync(join(folder, "file"), "");
    const tier = createEmbeddedTier({ folder: join(folder, "file", "below") });
    await expect(tier.open(ask)).rejects.toMatchObject({ code: "STORE_TIER_DAMAGED" });
  });

  it("counts torn records as misses, reports them, and replaces them when the row is put again", async () => {
    const events: TierEvent[] = [];
    const tier = createEmbeddedTier({ folder, onEvent: (event) => events.push(event) });
    await tier.open(ask);
    const scope = scopeOf();
    await tier.putMany(scope, [row("torn", 1.5, 1, "a"), row("whole", 2.5, 2, "b")], ask);
    await tier.close();
    await tearRecord(folder, "torn");
    await tier.open(ask);
    const answers = await tier.getMany(scope, ["torn", "whole"], ask);
    expect(answers.map((answer) => answer?.values[2])).toEqual([undefined, "b"]);
    expect(events).toEqual([{ kind: "tier-rows-damaged", tier: tier.name, modelId: scope.modelId, rows: 1 }]);
    expect((await tier.putMany(scope, [row("torn", 1.5, 1, "a")], ask)).stored).toBe(1);
    expect((await tier.getMany(scope, ["torn"], ask))[0]?.values).toEqual([1.5, 1, "a"]);
    await tier.close();
  });

  it("can be closed twice, and says that it is closed when it is used afterwards", async () => {
    const tier = createEmbeddedTier({ folder });
    await tier.open(ask);
    await tier.close();
    await tier.close();
    await expect(tier.getMany(scopeOf(), ["x"], ask)).rejects.toMatchObject({
      code: "STORE_TIER_UNREACHABLE",
    });
  });
});

/** Flips one bit in the middle of the record of an input of the first scope. */
async function tearRecord(folder: string, input: string): Promise<void> {
  const { open } = await import("lmdb");
  const root = open({ path: folder, noSubdir: false, maxDbs: 8, overlappingSync: false });
  const rows = root.openDB<Uint8Array, Uint8Array>({
    name: "rows-1",
    encoding: "binary",
    keyEncoding: "binary",
  });
  const key = Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.from(input)]);
  const bytes = Buffer.from(rows.getBinary(key) ?? []);
  expect(bytes.length).toBeGreaterThan(20);
  bytes[18] = (bytes[18] ?? 0) ^ 0x10;
  rows.putSync(key, bytes);
  await root.close();
}
