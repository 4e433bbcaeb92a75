/** Starts, kills and checks the writer processes of the Parquet tests. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { build } from "esbuild";
import { expect } from "vitest";
import { freshAsk } from "../../src/kernel/index.ts";
import type { PredictionTier } from "../../src/store/predictions/index.ts";
import { removeFolder } from "../remove-folder.ts";
import { batchOf, rowFor, scope } from "./parquet-rows.ts";
import type { Order } from "./parquet-writer.process.ts";

export interface Writers {
  /** Runs a writer to its end, or kills it `killAfterMs` after it is ready. Answers the batches it acknowledged. */
  run(order: Omit<Order, "tempFolder">, killAfterMs?: number): Promise<readonly number[]>;
  dispose(): void;
}

/** Bundles the writer once; it must be inside the package so that it finds its packages. */
export async function prepareWriters(): Promise<Writers> {
  mkdirSync("build", { recursive: true });
  const folder = mkdtempSync(join("build", "parquet-writers-"));
  const script = join(folder, "writer.mjs");
  await build({
    entryPoints: ["test/predictions/parquet-writer.process.ts"],
    outfile: script,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "warning",
  });
  const tempFolder = mkdtempSync(join(tmpdir(), "memoir-parquet-writers-"));
  return {
    run: async (order, killAfterMs) => {
      const child = spawn(
        process.execPath,
        ["--no-warnings", script, JSON.stringify({ ...order, tempFolder })],
        {
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      const ended = once(child, "close");
      const acknowledged: number[] = [];
      let done = false;
      for await (const line of createInterface(child.stdout)) {
        if (line === "done") done = true;
        if (line.startsWith("ack ")) acknowledged.push(Number(line.slice(4)));
        // The moment of the kill is what the test is about.
        if (line === "ready" && killAfterMs !== undefined)
          void wait(killAfterMs).then(() => child.kill("SIGKILL"));
      }
      await ended;
      if (killAfterMs === undefined) expect(done, `writer ${order.writer} ended early`).toBe(true);
      return acknowledged;
    },
    dispose: () => {
      for (const each of [folder, tempFolder]) removeFolder(each);
    },
  };
}

/** Every acknowledged row is there, every row that is there is right and there once. */
export async function expectWhole(
  tier: PredictionTier,
  acknowledged: ReadonlyMap<number, readonly number[]>,
): Promise<number> {
  const ask = freshAsk();
  const inputs = [...acknowledged].flatMap(([writer, batches]) =>
    batches.flatMap((batch) => batchOf(writer, batch).map((row) => row.input)),
  );
  const answers = await tier.getMany(scope, inputs, ask);
  for (const [at, answer] of answers.entries())
    expect(answer, `lost: ${inputs[at]}`).toEqual(rowFor(inputs[at] ?? ""));
  const seen = new Set<string>();
  for await (const rows of tier.scan(scope, ask))
    for (const row of rows) {
      expect(row).toEqual(rowFor(row.input));
      expect(seen.has(row.input), `twice: ${row.input}`).toBe(false);
      seen.add(row.input);
    }
  for (const input of inputs) expect(seen.has(input), `not scanned: ${input}`).toBe(true);
  expect(await tier.count(scope, ask)).toBe(seen.size);
  return seen.size;
}
