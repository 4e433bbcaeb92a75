/**
 * Equal calls of different processes that share a cache compute once: who computes a key holds its lease, others wait
 * for the entry. A lease is a promise of no more than effort: losing one costs a second computation, never a wrong
 * result.
 */
import { randomUUID } from "node:crypto";
import { closeSync, openSync, readFileSync, rmdirSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { link, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFoldersSync } from "../files/index.ts";
import { type Ask, type CallKey, defined, freshAsk, systemErrorCode } from "../kernel/index.ts";
import { isOwner, lifeOf, thisOwner } from "../process/index.ts";
import type { ObjectStore } from "../store/objects/index.ts";

export type LeaseAnswer =
  | { readonly kind: "mine"; readonly release: () => Promise<void>; readonly takenOver?: Holder }
  | { readonly kind: "taken"; readonly by: Holder };

/** Who computes a call that others wait for. */
export interface Holder {
  readonly run: string;
  readonly host: string;
  readonly pid: number;
  /** When it began; undefined where that is unknown. */
  readonly since?: Date;
}

export interface CallLeases {
  /** Never waits for the other one. Throws when the place of leases cannot be used. */
  take(key: CallKey, ask: Ask): Promise<LeaseAnswer>;
}

export interface LeaseTimes {
  /** A lease that shows no sign of life for this long may be taken over by anybody. Default 90 s. */
  readonly livesMs?: number;
  /** Default 20 s. */
  readonly renewEveryMs?: number;
}

const defaults = { livesMs: 90_000, renewEveryMs: 20_000 };

interface LeaseNote {
  readonly owner: ReturnType<typeof thisOwner>;
  readonly run: string;
  /** Distinguishes this lease from a later one of the same run. */
  readonly id: string;
  /** Milliseconds since 1970, by the holder's clock: for people. */
  readonly takenAt: number;
  /** Another number with each sign of life. */
  readonly beat: number;
}

/** Leases as files in `<folder>/<key[0..2]>/<key>`; folders on network file systems are shared between machines. */
export function folderLeases(folder: string, run: string, times: LeaseTimes = {}): CallLeases {
  const { livesMs, renewEveryMs } = { ...defaults, ...times };
  const watch = new Watch(livesMs);
  return {
    async take(key) {
      const path = join(folder, key.slice(0, 2), key);
      let takenOver: Holder | undefined;
      for (;;) {
        const note = newNote(run);
        if (await createLease(path, textOf(note))) {
          watch.forget(key);
          const release = keepFile(path, note, { livesMs, renewEveryMs });
          return { kind: "mine", release, ...defined({ takenOver }) };
        }
        const text = await readIfThere(path);
        if (text === undefined) continue;
        const held = watch.judge(key, text, await ageOf(path));
        if (!held.dead) return { kind: "taken", by: held.by };
        await removeDeadLease(path, text);
        takenOver = held.by;
      }
    },
  };
}

function newNote(run: string): LeaseNote {
  return { owner: thisOwner(), run, id: randomUUID(), takenAt: Date.now(), beat: 0 };
}

function textOf(note: LeaseNote): string {
  return JSON.stringify(note);
}

/**
 * Whether holders show signs of life. Clocks of machines differ, so what counts is how long a lease has stayed the same
 * while it was watched; only for a holder on the same machine it is checked at once whether its process exists. A
 * process that exists but is stopped shows no sign of life: it is not waited for either.
 */
class Watch {
  readonly #livesMs: number;
  readonly #seen = new Map<string, { readonly text: string; readonly since: number }>();

  constructor(livesMs: number) {
    this.#livesMs = livesMs;
  }

  /** `ageMs`: since the last sign of life, by the local clock. */
  judge(key: string, text: string, ageMs = 0): { readonly by: Holder; readonly dead: boolean } {
    const now = performance.now();
    const seen = this.#seen.get(key);
    if (seen?.text !== text) this.#seen.set(key, { text, since: now });
    const stale = seen !== undefined && seen.text === text && now - seen.since > this.#livesMs;
    const note = readNote(text);
    // A reader that comes before the text sees a lease of an unknown owner, which holds.
    if (note === undefined) return { by: { run: "?", host: "?", pid: 0 }, dead: stale };
    const { host, pid } = note.owner;
    const since = typeof note.takenAt === "number" ? { since: new Date(note.takenAt) } : {};
    const by = { run: note.run ?? "?", host, pid, ...since };
    const life = lifeOf(note.owner);
    // A process on the same machine has the same clock, so it need not be watched for that long.
    return { by, dead: stale || life === "dead" || (life === "alive" && ageMs > this.#livesMs) };
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}

function readNote(text: string): (Partial<LeaseNote> & Pick<LeaseNote, "owner">) | undefined {
  try {
    const note = JSON.parse(text) as Partial<LeaseNote>;
    return isOwner(note.owner) ? { ...note, owner: note.owner } : undefined;
  } catch {
    return undefined;
  }
}

/** false when the name is taken. */
async function createLease(path: string, text: string): Promise<boolean> {
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

/**
 * Shows signs of life until it is released. A lease that somebody took over is theirs: it is neither renewed nor removed.
 * Its folder stays for the next lease until the run has ended (`tidyLeases`): to make and to remove a folder costs more
 * than the lease itself.
 */
function keepFile(
  path: string,
  note: LeaseNote,
  { livesMs, renewEveryMs }: Required<LeaseTimes>,
): () => Promise<void> {
  let text = textOf(note);
  let beat = note.beat;
  const life = signsOfLife(livesMs);
  const isOurs = () => {
    try {
      return readFileSync(path, "utf8") === text;
    } catch {
      return false;
    }
  };
  const timer = setInterval(() => {
    const at = life.now();
    if (!isOurs()) return;
    const next = textOf({ ...note, beat: ++beat });
    try {
      writeFileSync(path, next, { flag: "r+" });
      text = next;
      life.shown(at);
    } catch {
      // Without a sign of life others compute, too; that is all.
    }
  }, renewEveryMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    if (life.isFresh() || isOurs()) unlinkIfThere(path);
  };
}

/** Two clocks, since one of them stands still while the machine sleeps and the other can be set. */
type Moment = readonly [steady: number, date: number];

/** Whether the last sign of life of our lease is so young that nobody can have taken the lease over. */
function signsOfLife(livesMs: number): {
  readonly now: () => Moment;
  readonly shown: (at: Moment) => void;
  readonly isFresh: () => boolean;
} {
  const now = (): Moment => [performance.now(), Date.now()];
  let last = now();
  return {
    now,
    shown: (at) => {
      last = at;
    },
    isFresh: () => {
      const [steady, date] = now();
      return Math.max(steady - last[0], Math.abs(date - last[1])) < livesMs / 2;
    },
  };
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function ageOf(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return 0;
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
export function objectLeases(
  objects: ObjectStore,
  prefix: string,
  run: string,
  times: LeaseTimes = {},
): CallLeases {
  const { livesMs, renewEveryMs } = { ...defaults, ...times };
  const watch = new Watch(livesMs);
  return {
    async take(key, ask) {
      const name = `${prefix}${key}`;
      let takenOver: Holder | undefined;
      for (let tries = 0; ; tries++) {
        const note = newNote(run);
        if ((await objects.putNew(name, Buffer.from(textOf(note)), ask)) === "stored") {
          watch.forget(key);
          const release = keepObject({ objects, name, note }, { livesMs, renewEveryMs });
          return { kind: "mine", release, ...defined({ takenOver }) };
        }
        const bytes = await objects.read(name, ask);
        if (bytes === undefined && tries < 3) continue;
        const text = Buffer.from(bytes ?? new Uint8Array()).toString("utf8");
        const held = watch.judge(key, text);
        if (!held.dead || tries >= 3) return { kind: "taken", by: held.by };
        await objects.remove([name], ask);
        takenOver = held.by;
      }
    },
  };
}

/**
 * A lease is looked at before it is removed only if its last sign of life is so old that somebody may have taken it over:
 * with one call after the other each look would be a request that answers what is known.
 */
function keepObject(
  { objects, name, note }: { readonly objects: ObjectStore; readonly name: string; readonly note: LeaseNote },
  { livesMs, renewEveryMs }: Required<LeaseTimes>,
): () => Promise<void> {
  const ask = freshAsk();
  let beat = note.beat;
  const life = signsOfLife(livesMs);
  const isOurs = async () => {
    const bytes = await objects.read(name, ask);
    return bytes !== undefined && readNote(Buffer.from(bytes).toString("utf8"))?.id === note.id;
  };
  let renewing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    renewing = renewing
      .then(async () => {
        const sentAt = life.now();
        if (!(await isOurs())) return;
        await objects.put(name, Buffer.from(textOf({ ...note, beat: ++beat })), ask);
        life.shown(sentAt);
      })
      // Without a sign of life others compute, too; that is all.
      .catch(() => {});
  }, renewEveryMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await renewing;
    try {
      if (life.isFresh() || (await isOurs())) await objects.remove([name], ask);
    } catch {
      // It shows no more signs of life.
    }
  };
}

/** The leases of a cache that opens late: until then other runs cannot see what is being computed. */
export class LateLeases implements CallLeases {
  #leases: CallLeases | undefined;

  /** From then on calls that begin are visible to other runs. */
  use(leases: CallLeases): void {
    this.#leases = leases;
  }

  async take(key: CallKey, ask: Ask): Promise<LeaseAnswer> {
    return this.#leases?.take(key, ask) ?? { kind: "mine", release: async () => {} };
  }
}

/** Removes leases of local processes that no longer exist, and folders without leases. */
export async function tidyLeases(folder: string): Promise<void> {
  const shelves = await readdir(folder).catch(() => []);
  for (const shelf of shelves) {
    if (removedEmpty(join(folder, shelf))) continue;
    for (const name of await readdir(join(folder, shelf)).catch(() => [])) {
      const path = join(folder, shelf, name);
      const text = await readIfThere(path).catch(() => undefined);
      const owner = text === undefined ? undefined : readNote(text)?.owner;
      if (text !== undefined && owner !== undefined && lifeOf(owner) === "dead")
        await removeDeadLease(path, text).catch(() => {});
    }
    await rmdir(join(folder, shelf)).catch(() => {});
  }
}

function removedEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    // There are leases in it.
    return false;
  }
}
