/**
 * The export phase: what a run leaves in its output location.
 *
 *   <runOutputUri>/out/<output>/…     the final outputs
 *   <runOutputUri>/logs/outputs.json  where each of them is
 *   <runOutputUri>/logs/engine.log    what happened
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Ask, mapBounded } from "../../kernel/index.ts";
import type { RunRecord } from "../../ledger/index.ts";
import { openObjectStore } from "../../store/objects/index.ts";
import type { Environment } from "../environment.ts";

const uploadsAtOnce = 8;

export interface ExportedRun {
  /** The run's folder on this machine. */
  readonly directory: string;
  /** As the command line prints them: files are host paths below `<directory>/out`. */
  readonly outputs: unknown;
}

export async function exportOutputs(
  run: RunRecord,
  result: ExportedRun,
  environment: Environment,
  ask: Ask,
): Promise<void> {
  const store = openObjectStore(run.runOutputUri, { s3: environment.s3 });
  try {
    await store.open(ask);
    const files = await filesBelow(join(result.directory, "out"));
    await mapBounded(files, uploadsAtOnce, (file) =>
      store.putFile(`out/${file}`, join(result.directory, "out", file), ask),
    );
    const outputs = relocated(result.outputs, `${result.directory}/out/`, `${run.runOutputUri}/out/`);
    await store.put("logs/outputs.json", Buffer.from(`${JSON.stringify(outputs, null, 2)}\n`), ask);
  } finally {
    await store.close();
  }
}

export async function exportLog(
  run: RunRecord,
  text: string,
  environment: Environment,
  ask: Ask,
): Promise<void> {
  const store = openObjectStore(run.runOutputUri, { s3: environment.s3 });
  try {
    await store.open(ask);
    await store.put("logs/engine.log", Buffer.from(text), ask);
  } finally {
    await store.close();
  }
}

/** Names relative to the folder; links are followed, since delivered outputs may be links into a cache. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function relocated(value: unknown, from: string, to: string): unknown {
  if (typeof value === "string") return value.startsWith(from) ? to + value.slice(from.length) : value;
  if (Array.isArray(value)) return value.map((item) => relocated(item, from, to));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, relocated(item, from, to)]));
}
