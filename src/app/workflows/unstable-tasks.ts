/**
 * Tasks whose results differed when `--recheck` computed them again, marked in the cache itself, so that everybody who
 * shares it knows: `<cache uuid>/unstable/<digest of the name>.json`, one small file for each task.
 */
import { sha256 } from "../../hash/index.ts";
import { type Ask, mapBounded } from "../../kernel/index.ts";
import type { PastRecheck } from "../history/recheck-history.ts";
import type { OpenCache } from "./cache-place.ts";

type Place = Pick<OpenCache, "objects" | "cacheUuid">;

/** What one task's results were found to be. */
export type UnstableMark = Pick<PastRecheck, "task" | "at" | "run" | "call" | "outputs" | "differences">;

const readsAtOnce = 16;

export async function markUnstable(
  { objects, cacheUuid }: Place,
  mark: UnstableMark,
  ask: Ask,
): Promise<void> {
  const text = JSON.stringify({ format: 1, ...mark }, null, 2);
  await objects.put(nameOf(cacheUuid, mark.task), Buffer.from(`${text}\n`), ask);
}

export async function unstableTasks(
  { objects, cacheUuid }: Place,
  ask: Ask,
): Promise<readonly UnstableMark[]> {
  const names: string[] = [];
  for await (const { name } of objects.list(prefixOf(cacheUuid), ask)) names.push(name);
  const marks = await mapBounded(names, readsAtOnce, async (name) => markIn(await objects.read(name, ask)));
  return marks.flatMap((mark) => mark ?? []);
}

/** Answers whether there was a mark. */
export async function forgetUnstable(
  { objects, cacheUuid }: Place,
  task: string,
  ask: Ask,
): Promise<boolean> {
  const name = nameOf(cacheUuid, task);
  if ((await objects.head(name, ask)) === undefined) return false;
  await objects.remove([name], ask);
  return true;
}

function markIn(bytes: Uint8Array | undefined): UnstableMark | undefined {
  try {
    const mark = JSON.parse(Buffer.from(bytes ?? []).toString("utf8")) as Partial<UnstableMark>;
    return typeof mark.task === "string" ? (mark as UnstableMark) : undefined;
  } catch {
    return undefined;
  }
}

function prefixOf(cacheUuid: string): string {
  return `${cacheUuid}/unstable/`;
}

function nameOf(cacheUuid: string, task: string): string {
  return `${prefixOf(cacheUuid)}${sha256(task).slice(0, 32)}.json`;
}
