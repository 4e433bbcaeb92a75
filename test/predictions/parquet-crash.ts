import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshAsk } from "../../src/kernel/index.ts";
import { openObjectStore, type S3Access } from "../../src/store/objects/index.ts";
import { createParquetTier, type TierEvent } from "../../src/store/predictions/index.ts";
import { removeFolder } from "../remove-folder.ts";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { scope } from "./parquet-rows.ts";
import { expectWhole, prepareWriters, type Writers } from "./parquet-writers.ts";

const ask = freshAsk();
let writers: Writers;

interface Place {
  readonly uri: string;
  readonly s3?: S3Access;
}

async function withTier<T>(
  place: Place,
  work: (tier: ReturnType<typeof createParquetTier>) => Promise<T>,
): Promise<T> {
  const events: TierEvent[] = [];
  const tier = createParquetTier({
    store: openObjectStore(place.uri, place.s3 === undefined ? {} : { s3: place.s3 }),
    onEvent: (event) => events.push(event),
  });
  await tier.open(ask);
  try {
    const result = await work(tier);
    expect(events).toEqual([]);
    return result;
  } finally {
    await tier.close();
  }
}

async function writersAtOnce(place: Place, count: number, batches: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, writer) => writer);
  const acknowledged = await Promise.all(numbers.map((writer) => writers.run({ ...place, writer, batches })));
  await withTier(place, async (tier) => {
    const rows = await expectWhole(tier, new Map(acknowledged.map((batches, writer) => [writer, batches])));
    // 40 rows of each batch are a writer's own, 20 are the same for all.
    expect(rows).toBe(count * batches * 40 + batches * 20);
    const report = await tier.compact(scope, ask);
    expect(report.rows).toBe(rows);
    await expectWhole(tier, new Map(acknowledged.map((batches, writer) => [writer, batches])));
  });
}

/** Kills are spread from the first step of a write to the merges that follow many writes; where nothing was written
 * by then, to later ones. */
async function killed(place: Place, kills: number, longestMs: number): Promise<void> {
  const acknowledged = new Map<number, readonly number[]>();
  const written = () => [...acknowledged.values()].some((batches) => batches.length > 0);
  for (let kill = 0; kill < kills || !written(); kill += 2) {
    const pair = [kill, kill + 1].map(async (writer) => {
      const afterMs = (writer * longestMs) / kills;
      acknowledged.set(writer, await writers.run({ ...place, writer, batches: 10_000 }, afterMs));
    });
    await Promise.all(pair);
  }
  await withTier(place, async (tier) => {
    const rows = await expectWhole(tier, acknowledged);
    expect(rows).toBeGreaterThan(0);
    await tier.compact(scope, ask);
    expect(await expectWhole(tier, acknowledged)).toBe(rows);
  });
}

/** How many writers are killed in a folder and on S3. */
export function describeParquetCrashes(kills: { readonly folder: number; readonly s3: number }): void {
  beforeAll(async () => {
    writers = await prepareWriters();
  });
  afterAll(() => writers.dispose());

  describe("Parquet in a folder, several processes", () => {
    const place = () => {
      const folder = mkdtempSync(join(tmpdir(), "memoir-parquet-crash-"));
      return { uri: folder, dispose: () => removeFolder(folder) };
    };

    test("writers at the same time lose nothing and leave no duplicates", async () => {
      const { uri, dispose } = place();
      await writersAtOnce({ uri }, 3, 25);
      dispose();
    });

    test(`${kills.folder} writers killed at any moment leave every acknowledged row and no wrong one`, async () => {
      const { uri, dispose } = place();
      await killed({ uri }, kills.folder, 400);
      const temps = readdirSync(join(uri, ".memoir-tmp"));
      expect(temps.length).toBeLessThan(2 * kills.folder);
      dispose();
    });
  });

  describeWith([s3Requirement], "Parquet on S3, several processes", () => {
    const place = async (): Promise<Place> => {
      const server = await sharedS3();
      const { endpoint, region, accessKeyId, secretAccessKey } = server;
      const s3 = { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
      return { uri: `s3://${await makeBucket(server)}/predictions of all`, s3 };
    };

    test("writers at the same time lose nothing and leave no duplicates", async () => {
      await writersAtOnce(await place(), 2, 20);
    });

    test(`${kills.s3} writers killed at any moment leave every acknowledged row and no wrong one`, async () => {
      await killed(await place(), kills.s3, 900);
    });
  });
}
