/**
 * `memoir-cache.json` at a location says under which uuid its entries are kept, so that everybody who uses the location
 * shares them. It is small and old: tools that expire objects by age take it first. So runs write it again now and then,
 * and when it is missing the uuid is taken from what is there.
 */
import { randomUUID } from "node:crypto";
import { AppError, type Ask } from "../../kernel/index.ts";
import type { ObjectStore } from "../../store/objects/index.ts";

const markName = "memoir-cache.json";
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const renewAfterMs = 24 * 60 * 60 * 1000;

export interface SharedUuid {
  readonly uuid: string;
  /** What the user should know about how it was found. */
  readonly note?: string;
}

/**
 * The uuid under which a location's entries are kept; made by whoever comes first. Without a mark the only uuid with
 * entries is it, and gets its mark back.
 *
 * `several`: what to do when there are several. Whichever is taken, its entries are results of what their keys say, so a
 * run may take the one that was used last, and says so; nothing is written that would settle it. Whoever counts or
 * removes entries must not guess.
 */
export async function sharedUuid(
  objects: ObjectStore,
  several: "take the last used" | "refuse",
  ask: Ask,
): Promise<SharedUuid> {
  for (let tries = 0; tries < 2; tries++) {
    const bytes = await objects.read(markName, ask);
    if (bytes !== undefined) return { uuid: readMark(bytes, objects.uri) };
    const there = await uuidsWithEntries(objects, ask);
    if (there.length > 1) return chosen(objects, there, several, ask);
    await objects.putNew(markName, markOf(there[0] ?? randomUUID()), ask);
  }
  throw new AppError(
    "CACHE_DAMAGED",
    `opening the cache ${objects.uri}: ${markName} was written and cannot be read`,
  );
}

/** Keeps the mark from expiring before the entries do; puts back one that is missing. */
export async function renewMark(objects: ObjectStore, uuid: string, ask: Ask): Promise<void> {
  const info = await objects.head(markName, ask);
  if (info === undefined) {
    await objects.putNew(markName, markOf(uuid), ask);
    return;
  }
  if (Math.abs(Date.now() - info.modifiedAt.getTime()) < renewAfterMs) return;
  const bytes = await objects.read(markName, ask);
  // A cache that is known by its name may have another uuid than the location: the mark is not ours then.
  if (bytes !== undefined && readMark(bytes, objects.uri) === uuid) await objects.put(markName, bytes, ask);
}

function markOf(uuid: string): Uint8Array {
  const mark = { format: 1, uuid, note: "entries of Memoir run caches; safe to delete as a whole" };
  return Buffer.from(`${JSON.stringify(mark, null, 2)}\n`);
}

async function uuidsWithEntries(objects: ObjectStore, ask: Ask): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await objects.folders("", ask))
    if (uuidPattern.test(name) && (await objects.folders(`${name}/`, ask)).includes("entries"))
      found.push(name);
  return found;
}

async function chosen(
  objects: ObjectStore,
  there: readonly string[],
  several: "take the last used" | "refuse",
  ask: Ask,
): Promise<SharedUuid> {
  const dated = await Promise.all(
    there.map(async (uuid) => ({ uuid, usedAt: await lastUse(objects, uuid, ask) })),
  );
  dated.sort((a, b) => b.usedAt - a.usedAt || (a.uuid < b.uuid ? -1 : 1));
  const [first] = dated;
  const named = dated
    .map(({ uuid, usedAt }) =>
      usedAt === 0 ? `${uuid} (no run known)` : `${uuid} (last run ${new Date(usedAt).toISOString()})`,
    )
    .join(", ");
  const words = `opening the cache ${objects.uri}: ${markName} is missing and there are entries under ${there.length} uuids: ${named}`;
  const how = `to choose one, write {"format":1,"uuid":"<uuid>"} to ${objects.uri}/${markName}`;
  if (several === "refuse" || first === undefined) throw new AppError("CACHE_AMBIGUOUS", `${words}; ${how}`);
  return { uuid: first.uuid, note: `${words}. This run uses the first of them; ${how}` };
}

/** By the leases of runs, of which there are few; 0 = nobody knows. */
async function lastUse(objects: ObjectStore, uuid: string, ask: Ask): Promise<number> {
  let last = 0;
  for await (const { modifiedAt } of objects.list(`${uuid}/runs/`, ask))
    last = Math.max(last, modifiedAt.getTime());
  return last;
}

function readMark(bytes: Uint8Array, uri: string): string {
  try {
    const { uuid } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { readonly uuid?: unknown };
    if (typeof uuid === "string" && /^[0-9a-f-]{36}$/.test(uuid)) return uuid;
  } catch {
    // reported below
  }
  throw new AppError("CACHE_DAMAGED", `opening the cache ${uri}: ${markName} names no uuid`);
}
