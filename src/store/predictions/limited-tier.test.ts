import { describe, expect, test } from "vitest";
import { freshAsk, type ModelId } from "../../kernel/index.ts";
import { guardTier } from "./guarded-tier.ts";
import { limitTier } from "./limited-tier.ts";
import { createMemoryTier } from "./memory-tier.ts";

const scope = {
  modelId: "eos3b5e" as ModelId,
  release: "v1",
  columns: [{ name: "mol_weight", type: "float" }],
} as const;
const row = { input: "CCO", values: [46.069], canonical: "rdkit:CCO" };

async function tierWithRow() {
  const tier = guardTier(createMemoryTier(), { use: "required" });
  await tier.open(freshAsk());
  await tier.putMany(scope, [row], freshAsk());
  return tier;
}

describe("a cloud tier that is only read", () => {
  test("answers canonical look-ups, too, and says that it takes no rows", async () => {
    const tier = limitTier(await tierWithRow(), "read");
    expect(tier.can).toMatchObject({ canonicalIndex: true, write: false });
    expect(await tier.getMany(scope, ["CCO"], freshAsk())).toMatchObject([row]);
    expect(await tier.getManyCanonical?.(scope, ["rdkit:CCO"], freshAsk())).toMatchObject([row]);
    expect(await tier.count(scope, freshAsk())).toBe(1);
  });
});

describe("a cloud tier that is only written to", () => {
  test("answers nothing and keeps rows", async () => {
    const whole = await tierWithRow();
    const tier = limitTier(whole, "write");
    expect(await tier.getMany(scope, ["CCO"], freshAsk())).toEqual([undefined]);
    expect(await tier.getManyCanonical?.(scope, ["rdkit:CCO"], freshAsk())).toEqual([undefined]);
    await tier.putMany(scope, [{ input: "CCC", values: [44.097] }], freshAsk());
    expect(await whole.count(scope, freshAsk())).toBe(2);
  });
});
