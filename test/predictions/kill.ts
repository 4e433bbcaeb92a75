/**
 * Kills processes that write predictions, at random points. After every kill the store opens, every acknowledged row is there with its value, and no row has a value that nobody wrote.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshAsk, pause } from "../../src/kernel/index.ts";
import {
  createEmbeddedTier,
  createRedisTier,
  type PredictionTier,
} from "../../src/store/predictions/index.ts";
import type { PredictionRow } from "../../src/task/index.ts";
import { limitMs } from "../limit.mjs";
import { removeFolder } from "../remove-folder.ts";
import { redisRequirement, startRedis } from "../servers/redis.ts";
import { describeWith } from "../servers/requirement.ts";
import { batchRows, hotInput, killScope, rightValues } from "./prediction-rows.ts";

const ask = freshAsk();
const writersAtOnce = 3;
/** Delays are drawn from this seed; where a kill really falls is up to the machine. */
const random = randomFrom(20261122);

// The bundle must be inside the package, so that the packages outside the bundle are found.
const program = join("build", `prediction-writer-${process.pid}.mjs`);

export function describeKilledWriters(embedded: KillCounts, redis: KillCounts): void {
  beforeAll(async () => {
    mkdirSync("build", { recursive: true });
    await build({
      entryPoints: ["test/predictions/prediction-writer.process.ts"],
      outfile: program,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20.19",
      packages: "external",
    });
  });
  afterAll(() => rmSync(program, { force: true }));

  describe("a writer that is killed", () => {
    it(`leaves the embedded store readable, with every acknowledged row and no wrong value (${embedded.kills} kills)`, () =>
      embeddedSurvives(embedded));
  });

  describeWith([redisRequirement], "a writer to Redis that is killed", () => {
    it(`leaves every acknowledged row and no wrong value, also when the server is killed with it (${redis.kills} kills)`, () =>
      redisSurvives(redis));
  });
}

/** The least of kills, and of acknowledged rows that were looked for after them. */
export interface KillCounts {
  readonly kills: number;
  readonly rows: number;
}

async function embeddedSurvives(least: KillCounts): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "memoir-kill-"));
  let kills = 0;
  let rows = 0;
  try {
    for (let round = 0; kills < least.kills || rows < least.rows; round++) {
      const writers = await startWriters("embedded", folder, `e${round}`);
      kills += await killAll(writers);
      rows += await expectIntact(createEmbeddedTier({ folder }), writers);
    }
  } finally {
    removeFolder(folder);
  }
}

async function redisSurvives(least: KillCounts): Promise<void> {
  const server = await startRedis({ unixSocket: true, appendOnly: "always" });
  let kills = 0;
  let rows = 0;
  try {
    for (let round = 0; kills < least.kills || rows < least.rows; round++) {
      const writers = await startWriters("redis", server.url, `r${round}`);
      const withServer = round % 4 === 3;
      if (withServer) {
        await pause(delay(), ask);
        await server.kill();
        kills++;
      }
      kills += await killAll(writers);
      if (withServer) await server.restart();
      rows += await expectIntact(createRedisTier({ url: server.url, connectWithinMs: limitMs / 2 }), writers);
    }
  } finally {
    await server.stop();
  }
}

interface Writer {
  readonly name: string;
  readonly process: ChildProcess;
  /** The last batch that the tier acknowledged; -1 = none. */
  acknowledged: number;
}

/** Resolves when all of them are writing. */
async function startWriters(kind: string, place: string, round: string): Promise<readonly Writer[]> {
  return Promise.all(
    Array.from({ length: writersAtOnce }, (_, at) => startWriter(kind, place, `${round}.${at}`)),
  );
}

async function startWriter(kind: string, place: string, name: string): Promise<Writer> {
  const child = spawn(process.execPath, [program, kind, place, name], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const writer: Writer = { name, process: child, acknowledged: -1 };
  await new Promise<void>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      if (line === "ready") resolve();
      else writer.acknowledged = Number(line.replace("ack ", ""));
    });
    child.once("close", (code) => reject(new Error(`writer ${name} ended with ${code} before it was ready`)));
  });
  return writer;
}

/** Kills each at a different moment; returns how many were still alive. */
async function killAll(writers: readonly Writer[]): Promise<number> {
  const killed = await Promise.all(
    writers.map(async ({ process: child }) => {
      const closed = child.exitCode === null ? once(child, "close") : undefined;
      await pause(delay(), ask);
      const alive = child.exitCode === null && child.signalCode === null;
      child.kill("SIGKILL");
      await closed;
      return alive;
    }),
  );
  return killed.filter((alive) => alive).length;
}

/** Answers how many acknowledged rows it found. */
async function expectIntact(tier: PredictionTier, writers: readonly Writer[]): Promise<number> {
  let found = 0;
  try {
    await tier.open(ask);
    for (const { name, acknowledged } of writers) {
      const rows = Array.from({ length: acknowledged + 1 }, (_, batch) =>
        batchRows(name, batch).slice(1),
      ).flat();
      const answers = await tier.getMany(
        killScope,
        rows.map((row) => row.input),
        ask,
      );
      expect(answers.map((answer) => answer?.values)).toEqual(rows.map((row) => row.values));
      found += rows.length;
      const [hot] = await tier.getMany(killScope, [hotInput(name)], ask);
      if (acknowledged >= 0) expect(hot?.values[1]).toBeGreaterThanOrEqual(acknowledged);
      if (rows.length > 0) {
        const [first] =
          (await tier.getManyCanonical?.(killScope, [`canonical of ${rows[0]?.input}`], ask)) ?? [];
        expect(first?.values).toEqual(rows[0]?.values);
      }
    }
    for await (const batch of tier.scan(killScope, ask)) for (const row of batch) expectRight(row);
    return found;
  } finally {
    await tier.close();
  }
}

/** Whoever wrote it, and whether or not it was acknowledged: the row is one that a writer makes. */
function expectRight(row: PredictionRow): void {
  const version = row.values[1];
  const right = typeof version === "number" && equal(row.values, rightValues(row.input, version));
  if (!right) throw new Error(`a row that nobody wrote: ${JSON.stringify(row)}`);
}

function equal(x: readonly unknown[], y: readonly unknown[]): boolean {
  return x.length === y.length && x.every((value, at) => Object.is(value, y[at]));
}

/** Milliseconds: most kills fall into the first writes, some later. */
function delay(): number {
  return Math.floor(random() ** 2 * 80);
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
