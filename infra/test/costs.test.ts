/** The figures of README.md, computed from the prices and the measured counts that are written there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ModelId } from "../../src/kernel/index.ts";
import { statementPrice } from "../../src/store/predictions/athena/athena-price.ts";
import { itemBytes, itemOf } from "../../src/store/predictions/dynamodb/item.ts";
import { priceOf } from "../../src/store/predictions/dynamodb/price.ts";
import { synthesize } from "./synthesized.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "infra/README.md"), "utf8");
const tierPage = readFileSync(join(root, "docs/tiers/dynamodb.md"), "utf8");
/** Without the ends of lines. */
const running = (text: string) => text.replace(/\s+/g, " ");

/** The cells of the row that begins with these words. */
function rowOf(first: string, within: string): readonly string[] {
  const line = page
    .slice(page.indexOf(within))
    .split("\n")
    .find((each) => each.startsWith(`| ${first}`));
  return (line ?? "")
    .split("|")
    .slice(2, -1)
    .map((cell) => cell.trim());
}

const price = (of: string) => Number(rowOf(of, "| price of |")[0]);
const get = price("1,000 reads of S3") / 1_000;
const list = price("1,000 writes or lists") / 1_000;
const writeUnit = price("million write units") / 1e6;
const lookUp = price("million read units") / 1e6 / 2;
const million = 1e6;
const rows = 10 * million;

const row = (numbers: number) => ({
  input: "CC(C)Nc1ccc(cc1)C(=O)Nc2ccc(F)cc2F",
  values: Array.from({ length: numbers }, () => 1.5),
  provenance: {
    computedAt: "2026-12-01T00:00:00.000Z",
    runner: "builtin",
    toolkit: "rdkit-wasm 2026.9.1",
  },
});
const itemSize = (numbers: number) => {
  const columns = row(numbers).values.map((_, at) => ({ name: `c${at}`, type: "float" as const }));
  return itemBytes(
    itemOf({ modelId: "eos3b5e" as ModelId, release: "v1.0.0", columns }, row(numbers), undefined),
  );
};
const parts = running(page)
  .match(/reads ([\d,]+) parts for one input, ([\d,]+) for 1,000, and ([\d,]+) larger ones for 100,000/)
  ?.slice(1)
  .map((count) => Number(count.replace(",", "")));
const [forOne = 0, forThousand = 0, forMany = 0] = parts ?? [];
/** A million look-ups through the reader of the files, so many in one. */
const byReader = (reads: number, atOnce: number) => (million / atOnce) * (reads * get + list);
const inBatches = byReader(forThousand, 1_000);

describe("what it costs", () => {
  it("a million look-ups", () => {
    expect(rowOf("DynamoDB", "| per million look-ups |")).toEqual(
      Array.from({ length: 3 }, () => (million * lookUp).toFixed(2)),
    );
    expect(rowOf("S3,", "| per million look-ups |")).toEqual([
      byReader(forOne, 1).toFixed(2),
      inBatches.toFixed(2),
      byReader(forMany, 100_000).toFixed(3),
    ]);
    const gigabyte = 1e9;
    expect(rowOf("Athena", "| per million look-ups |").map(Number)).toEqual([
      million * statementPrice(1),
      1_000 * statementPrice(0.8 * gigabyte),
      10 * statementPrice(gigabyte),
    ]);
    expect(price("TB that Athena reads")).toBe(statementPrice(1e12));
  });

  it("to fill and to keep", () => {
    const kept = rowOf("to keep", "| fixed |").map(Number);
    const filled = priceOf(
      Array.from({ length: 1_000 }, () => itemSize(6)),
      0,
    );
    expect(Number(rowOf("to fill", "| fixed |")[0])).toBeCloseTo((filled.once / 1_000) * rows, 2);
    expect(filled.once / 1_000).toBeCloseTo(writeUnit, 12);
    expect(kept[0]).toBeCloseTo((filled.monthly / 1_000) * rows, 2);
    expect(kept[1]).toBeCloseTo(price("GB on S3"), 2);
    expect(filled.monthly / 1_000).toBeCloseTo(((itemSize(6) + 100) / 1e9) * price("GB in DynamoDB"), 15);
    expect(running(page)).toContain(`${itemSize(6) + 100} bytes an item`);
  });

  it("from when on the table pays, and that wide models do not", () => {
    const saved = (inBatches - million * lookUp) / million;
    const [load = 0] = rowOf("to fill", "| fixed |").map(Number);
    const [table = 0, files = 0] = rowOf("to keep", "| fixed |").map(Number);
    const breakEven = (load / saved / million).toFixed(1);
    expect(running(page)).toContain(
      `the table pays from about ${breakEven} million look-ups in batches of 1,000`,
    );
    expect(running(page)).toContain(
      `its storage from ${((table - files) / saved / million).toFixed(2)} million a month`,
    );
    const units = Math.ceil(itemSize(2_048) / 1_024);
    expect(running(page)).toContain(
      `2,048 numbers is ${units} write units, ${units} times the price to fill`,
    );
    expect(priceOf([itemSize(2_048)], 0).once / priceOf([itemSize(6)], 0).once).toBeCloseTo(units, 9);
    expect(running(tierPage)).toContain(
      `pays off after some ${breakEven} million look-ups in batches of 1,000`,
    );
    expect(running(tierPage)).toContain(`takes ${units} KB, costs ${units} times as much`);
    expect(running(tierPage)).toContain(`${load.toFixed(2)} USD once and ${table.toFixed(2)} USD a month`);
  });

  it("a call of the API, an idle stage, and at most a query", () => {
    const lambda = 0.05 * 0.5 * million * price("GB-second of Lambda") + price("million calls of Lambda");
    const gateway = price("million requests of the HTTP API");
    expect(running(page)).toContain(
      `about ${(gateway + lambda).toFixed(2)} USD per million on top (gateway ${gateway.toFixed(2)}, Lambda ${lambda.toFixed(2)}`,
    );
    const { api, data } = synthesize("dev");
    const alarms = Object.keys(api.findResources("AWS::CloudWatch::Alarm")).length;
    expect(alarms).toBe(5);
    expect(running(page)).toContain(
      `five alarms (${(alarms * price("alarm of CloudWatch")).toFixed(2)} a month)`,
    );
    const [group] = Object.values(data.findResources("AWS::Athena::WorkGroup"));
    const bytes = group?.["Properties"].WorkGroupConfiguration.BytesScannedCutoffPerQuery as number;
    expect(running(page)).toContain(`(${bytes / 1e9} GB, ${statementPrice(bytes).toFixed(2)} USD)`);
    // Metrics of each route are charged like custom ones.
    api.hasResourceProperties("AWS::ApiGatewayV2::Stage", {
      DefaultRouteSettings: { DetailedMetricsEnabled: false },
    });
  });
});
