/**
 * Equal calls of different processes that share a cache compute once: who computes a key holds its lease, others wait
 * for the entry. A lease is a promise of no more than effort: losing one costs a second computation, never a wrong
 * result.
 */
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { link, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFoldersSync } from "../files/index.ts";
import { type Ask, type CallKey, systemErrorCode } from "../kernel/index.ts";
import { isOwner, lifeOf, thisOwner } from "../process/index.ts";
import type { ObjectStore } from "../store/objects/index.ts";

export type LeaseAnswer =
  | { readonly kind: "mine"; readonly release: () => Promise<void> }
  /** `by`: words for people. */
  | { readonly kind: "taken"; readonly by: string };

export interface CallLeases {
  /** Never waits for the other one. Throws when the place of leases cannot be used. */
  take(key: CallKey, ask: Ask): Promise<LeaseAnswer>;
}

/** A lease of another machine that was not renewed for this long belongs to a dead process. */
const leaseLivesMs = 90_000;
const renewEveryMs = 20_000;

interface LeaseNote {
  readonly owner: ReturnType<typeof thisOwner>;
  readonly run: string;
  /** Milliseconds since 1970, of the last sign of life; folders use the file's time instead. */
  readonly renewedAt: number;
}

/** Leases as files in `<folder>/<key[0..2]>/<key>`; folders on network file systems are shared between machines. */
export function folderLeases(folder: string, run: string): CallLeases {
  const owner = thisOwner();
  return {
    async take(key) {
      const path = join(folder, key.slice(0, 2), key);
      for (;;) {
        if (
          await createLease(path, JSON.stringify({ owner, run, renewedAt: Date.now() } satisfies LeaseNote))
        )
          return { kind: "mine", release: keepFile(path) };
        const held = await readLease(path);
        if (held === undefined) continue;
        if (!held.dead) return { kind: "taken", by: held.by };
        await removeDeadLease(path, held.text);
      }
    },
  };
}

/** false when the name is taken. A reader that comes before the text sees a lease of an unknown owner, which holds. */
function createLease(path: string, text: string): boolean {
  for (;;) {
    try {
      const fd = openSync(path, "wx");
      try {
        writeSync(fd, text);
      } finally {
        closeSync(fd);
      }
      return true;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === "EEXIST") return false;
      if (code !== "ENOENT") throw error;
      makeFoldersSync(dirname(path));
    }
  }
}

function keepFile(path: string): () => Promise<void> {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, renewEveryMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    unlinkIfThere(path);
  };
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}

async function readLease(
  path: string,
): Promise<{ readonly text: string; readonly by: string; readonly dead: boolean } | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    return { text, ...judge(text, mtimeMs) };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function judge(text: string, renewedAt: number): { readonly by: string; readonly dead: boolean } {
  const stale = Date.now() - renewedAt > leaseLivesMs;
  try {
    const note = JSON.parse(text) as Partial<LeaseNote>;
    if (!isOwner(note.owner)) return { by: "another run", dead: stale };
    const by = `run ${note.run ?? "?"} (process ${note.owner.pid} on ${note.owner.host})`;
    const life = lifeOf(note.owner);
    return { by, dead: life === "dead" || (life === "elsewhere" && stale) };
  } catch {
    return { by: "another run", dead: stale };
  }
}

/** Moves it aside first: of several who see a dead lease one moves it, and a living one that slipped in goes back. */
async function removeDeadLease(path: string, text: string): Promise<void> {
  const aside = `${path}.dead.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) !== text) await link(aside, path).catch(() => {});
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/** Leases as objects `<prefix><key>`; on S3 they rest on conditional writes and on signs of life. */
export function objectLeases(objects: ObjectStore, prefix: string, run: string): CallLeases {
  const owner = thisOwner();
  const note = () => Buffer.from(JSON.stringify({ owner, run, renewedAt: Date.now() } satisfies LeaseNote));
  return {
    async take(key, ask) {
      const name = `${prefix}${key}`;
      for (let tries = 0; ; tries++) {
        if ((await objects.putNew(name, note(), ask)) === "stored")
          return { kind: "mine", release: keepObject(objects, name, note, ask) };
        const bytes = await objects.read(name, ask);
        if (bytes === undefined && tries < 3) continue;
        const text = Buffer.from(bytes ?? new Uint8Array()).toString("utf8");
        const held = judge(text, renewedAtOf(text));
        if (!held.dead || tries >= 3) return { kind: "taken", by: held.by };
        await objects.remove([name], ask);
      }
    },
  };
}

function renewedAtOf(text: string): number {
  try {
    const { renewedAt } = JSON.parse(text) as Partial<LeaseNote>;
    return typeof renewedAt === "number" ? renewedAt : 0;
  } catch {
    return 0;
  }
}

function keepObject(
  objects: ObjectStore,
  name: string,
  note: () => Uint8Array,
  ask: Ask,
): () => Promise<void> {
  const timer = setInterval(() => {
    objects.put(name, note(), ask).catch(() => {});
  }, renewEveryMs);
  timer.unref();
  const ended = { signal: new AbortController().signal };
  return async () => {
    clearInterval(timer);
    await objects.remove([name], ended).catch(() => {});
  };
}
