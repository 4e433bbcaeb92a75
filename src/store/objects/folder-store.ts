/**
 * Objects as plain files of a folder. A write goes to `.memoir-tmp/`, is checked for its length, flushed to disk and
 * renamed, so that a reader sees the old bytes or the new ones and a crash or a full disk leaves no half object.
 */
import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import {
  access,
  copyFile,
  link,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { ConfinedFolder, type HeldFolder, makeFolders, withHeldFile } from "../../files/index.ts";
import { byCodeUnit, sha256File } from "../../hash/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  mapBounded,
  nameOfBytes,
  onDisk,
  systemErrorCode,
} from "../../kernel/index.ts";
import { folderError } from "./folder-errors.ts";
import { openFileReader } from "./folder-reader.ts";
import { checkInside, checkName, checkPrefix, type ObjectNames } from "./object-name.ts";
import type { ObjectInfo, ObjectStore, ObjectStoreAbilities } from "./object-store.ts";

export interface FolderStoreOptions {
  /** Made when it does not exist. */
  readonly path: string;
  /** Absolute folder that no link leads out of: neither the store's own path nor what is put into it meanwhile. */
  readonly within?: string;
  /** false = no fsync: for throw-away stores of tests and scratch data. Default true. */
  readonly durable?: boolean;
  /** `any`: a place of the user's, in which nothing but the objects stays. Default `portable`. */
  readonly names?: ObjectNames;
}

const tempFolder = ".memoir-tmp";
const toDisk = promisify(fsync);
const smallBytes = 1 << 20;
/** A temp file this old belongs to a process that died. */
const staleTempMs = 24 * 60 * 60 * 1000;
/** Node's file operations run on four threads; a few more in flight keep them busy. */
const readsAtOnce = 8;

export function createFolderStore(options: FolderStoreOptions): ObjectStore {
  const root = resolve(options.path);
  const durable = options.durable ?? true;
  const { names: allowed = "portable" } = options;
  const own = allowed === "any" ? checkInside : checkName;
  let hardLinks = false;
  let opened: Promise<ObjectStoreAbilities> | undefined;
  const pathFor = (name: string, check = own): string => {
    check(name);
    if (name === tempFolder || name.startsWith(`${tempFolder}/`))
      throw new AppError("STORE_NAME_INVALID", `using the object name ${name}: this name is reserved`);
    return join(root, ...name.split("/"));
  };
  const confined =
    options.within === undefined ? undefined : new ConfinedFolder({ within: options.within, path: root });
  let temps: HeldFolder | undefined;
  const temp = () => join(temps?.path ?? join(root, tempFolder), randomUUID());
  const guarded = async <T>(
    doing: string,
    access: "reading" | "writing",
    work: () => Promise<T>,
  ): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw folderError(error, doing, access);
    }
  };
  /** Work on one named object; the name is checked first. */
  const on = async <T>(
    verb: string,
    name: string,
    access: "reading" | "writing" | "removing",
    work: (path: string) => Promise<T>,
    check = own,
  ): Promise<T> => {
    const path = pathFor(name, check);
    return guarded(`${verb} ${path}`, access === "reading" ? "reading" : "writing", () =>
      confined === undefined ? work(path) : onConfined(confined, name, access, work),
    );
  };
  const onConfined = async <T>(
    top: ConfinedFolder,
    name: string,
    access: "reading" | "writing" | "removing",
    work: (path: string) => Promise<T>,
  ): Promise<T> => {
    const names = name.split("/");
    const base = names.pop() ?? "";
    const folder = await top.hold(names, access === "writing" ? "make" : "if there");
    // Where nothing is, so that the work says what it says of that.
    const nothing = join(root, tempFolder, randomUUID());
    if (folder === undefined) return work(nothing);
    try {
      if (access !== "reading") return await work(join(folder.path, base));
      const held = await withHeldFile(folder, base, async (path) => ({ answer: await work(path) }));
      return held === undefined ? await work(nothing) : held.answer;
    } catch (error) {
      if (systemErrorCode(error) !== "ELOOP") throw error;
      const words = `${join(root, name)} leads out of ${options.within}`;
      throw new AppError("FILE_OUT_OF_REACH", `using ${words}`, { cause: error });
    } finally {
      folder.close();
    }
  };
  const openConfined = async (top: ConfinedFolder): Promise<boolean> => {
    const folder = await top.hold([], "make");
    try {
      for (let tries = 1; ; tries++) {
        temps?.close();
        temps = await top.hold([tempFolder], "make").catch((error) => {
          if (error instanceof AppError) throw error;
          return undefined;
        });
        const place = folder?.path ?? root;
        try {
          return await openFolder(place, temps?.path ?? join(place, tempFolder));
        } catch (error) {
          // Somebody else who is done with the place has just taken the folder away.
          if (systemErrorCode(error) !== "ENOENT" || tries === 5) throw error;
        }
      }
    } finally {
      folder?.close();
    }
  };

  const store: ObjectStore = {
    uri: pathToFileURL(root).href.replace(/\/$/, ""),
    gapBytes: 8 * 1024,
    open: () => {
      opened ??= guarded(`opening the store in ${root}`, "writing", async () => {
        hardLinks = await (confined === undefined
          ? openFolder(root, join(root, tempFolder))
          : openConfined(confined));
        return { localFiles: true };
      }).catch((error) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    head: (name) => on("looking at", name, "reading", (path) => infoOf(name, path)),
    read: (name) => on("reading", name, "reading", (path) => orUndefined(() => readFile(path))),
    readRange: async (name, range, ask) => {
      const reader = await store.openReader(name, range.end, ask);
      try {
        const [bytes] = await reader.readRanges([range], ask);
        return bytes ?? new Uint8Array();
      } finally {
        await reader.close();
      }
    },
    openReader: (name, sizeBytes) =>
      on("opening", name, "reading", (path) => openFileReader(path, sizeBytes)),
    put: (name, bytes, ask) =>
      on("writing", name, "writing", async (path) => {
        await viaTemp(bytes, async (from) => {
          checkAsk(ask, `writing ${name}`);
          await into(path, async (target) => renameSync(from, target));
        });
        return requireInfo(name, path);
      }),
    putNew: (name, bytes, ask) =>
      on("writing", name, "writing", async (path) => {
        if ((await infoOf(name, path)) !== undefined) return "already-there";
        await store.open(ask);
        let outcome: "stored" | "already-there" = "stored";
        await viaTemp(bytes, async (from) => {
          checkAsk(ask, `writing ${name}`);
          await into(path, async (target) => {
            // Without hard links the last writer wins; the bytes are whole in either case.
            if (!hardLinks) return rename(from, target);
            await link(from, target).catch((error) => {
              if (systemErrorCode(error) !== "EEXIST") throw error;
              outcome = "already-there";
            });
            removeIfThere(from);
          });
        });
        return outcome;
      }),
    putFile: (name, path, ask) =>
      on(
        `copying ${path} to`,
        name,
        "writing",
        async (target) => {
          const wanted = await stat(onDisk(path)).catch((error) => {
            throw folderError(error, `reading ${path}`, "reading");
          });
          const from = await prepareTemp();
          try {
            await copyFile(onDisk(path), from, constants.COPYFILE_FICLONE);
            await checkLength(from, wanted.size);
            if (durable) await syncPath(from);
            checkAsk(ask, `copying ${path}`);
            await into(target, (to) => rename(from, onDisk(to)));
          } finally {
            await rm(from, { force: true });
          }
          return requireInfo(name, target);
        },
        checkInside,
      ),
    fetchFile: (name, path, expected, ask) =>
      on("reading", name, "reading", async (from) => {
        const { size, mtime } = await stat(onDisk(from));
        if (expected.sizeBytes !== undefined && size !== expected.sizeBytes)
          throw new AppError(
            "FILE_CHANGED",
            `reading ${from}: it has ${size} bytes, expected ${expected.sizeBytes}`,
          );
        const near = join(dirname(path), `.${randomUUID()}.tmp`);
        return guarded(`writing ${path}`, "writing", async () => {
          try {
            await copyFile(onDisk(from), onDisk(near), constants.COPYFILE_FICLONE);
            await checkLength(near, size);
            checkAsk(ask, `copying ${name}`);
            const sha256 = await sha256File(near, ask.signal);
            if (expected.sha256 !== undefined && sha256 !== expected.sha256)
              throw new AppError("FILE_CHANGED", `reading ${from}: it has other content than expected`);
            await rename(onDisk(near), onDisk(path));
            return { name, sizeBytes: size, modifiedAt: mtime, sha256 };
          } finally {
            await rm(onDisk(near), { force: true });
          }
        });
      }),
    list: (prefix, ask) => listFolder({ root, confined, look: store.head }, prefix, ask),
    folders: async (prefix, ask) => {
      checkAsk(ask, `listing ${root}`);
      if (prefix !== "") checkName(prefix.slice(0, -1));
      const folder = join(root, ...prefix.split("/"));
      return guarded(`listing ${folder}`, "reading", async () => {
        const held = await confined?.hold(
          prefix.split("/").filter((name) => name !== ""),
          "if there",
        );
        if (confined !== undefined && held === undefined) return [];
        const listed = () => readdir(held?.path ?? folder, { withFileTypes: true });
        const found = (await orUndefined(listed).finally(() => held?.close())) ?? [];
        const names = found.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
        return names.filter((name) => prefix !== "" || name !== tempFolder).sort(byCodeUnit);
      });
    },
    remove: async (names, ask) => {
      for (const name of names) checkInside(name);
      await mapBounded(names, readsAtOnce, (name) =>
        on(
          "removing",
          name,
          "removing",
          async (path) => {
            checkAsk(ask, `removing ${path}`);
            await orUndefined(() => unlink(onDisk(path)));
          },
          checkInside,
        ),
      );
    },
    pathOf: (name) => {
      const path = pathFor(name, checkInside);
      confined?.check(path);
      return path;
    },
    close: async () => {
      const used = opened !== undefined;
      temps?.close();
      temps = undefined;
      opened = undefined;
      // It may be in use by another process, and then it is not empty or is made again.
      if (used && allowed === "any") await removeTemps().catch(() => undefined);
    },
  };
  return store;

  async function removeTemps(): Promise<void> {
    const top = await confined?.hold([], "if there");
    if (confined !== undefined && top === undefined) return;
    await rmdir(join(top?.path ?? root, tempFolder)).finally(() => top?.close());
  }

  async function prepareTemp(): Promise<string> {
    await store.open({ signal: new AbortController().signal });
    if (allowed === "any") await makeFolders(join(root, tempFolder));
    return temp();
  }

  /** Writes the bytes to a temp file and hands it over; removes it when that fails. */
  async function viaTemp(bytes: Uint8Array, publish: (from: string) => Promise<void>): Promise<void> {
    const from = await prepareTemp();
    try {
      // Of small objects only what waits for the disk is handed to a thread: its turn takes longer than the rest.
      if (bytes.byteLength > smallBytes) await writeFile(from, bytes, { flag: "wx" });
      const fd = openSync(from, bytes.byteLength > smallBytes ? "r" : "wx");
      try {
        if (bytes.byteLength <= smallBytes) writeFileSync(fd, bytes);
        // A full file system can shorten a file without an error: what counts is what is there.
        const { size } = fstatSync(fd);
        if (size !== bytes.byteLength) throw shortWrite(from, size, bytes.byteLength);
        if (durable) await toDisk(fd);
      } finally {
        closeSync(fd);
      }
      await publish(from);
    } catch (error) {
      removeIfThere(from);
      throw error;
    }
  }

  /** Publishes into the target's folder, making it when it is missing or was removed meanwhile, and flushes it. */
  async function into(target: string, publish: (target: string) => Promise<void>): Promise<void> {
    const folder = dirname(target);
    for (let attempt = 0; ; attempt++) {
      try {
        await publish(target);
        break;
      } catch (error) {
        if (systemErrorCode(error) !== "ENOENT" || attempt === 3) throw error;
        const firstMade = await makeFolders(folder);
        if (durable && firstMade !== undefined) await syncChain(dirname(firstMade), dirname(folder));
      }
    }
    if (durable) await syncPath(folder);
  }
}

/** Answers whether the folder takes hard links, which make a write conditional. */
async function openFolder(root: string, temps: string): Promise<boolean> {
  try {
    await makeFolders(temps);
    await access(temps, constants.W_OK);
  } catch (error) {
    // A folder that may only be read still answers; the first write says why it cannot.
    const readable = await readdir(root).then(
      () => true,
      () => false,
    );
    if (readable) return false;
    throw error;
  }
  for (const name of await readdir(temps)) {
    const path = join(temps, name);
    const found = await orUndefined(() => stat(path));
    if (found !== undefined && Date.now() - found.mtimeMs > staleTempMs) await rm(path, { force: true });
  }
  const probe = join(temps, randomUUID());
  const linked = `${probe}-link`;
  try {
    await (await open(probe, "wx")).close();
    return await link(probe, linked).then(
      () => true,
      () => false,
    );
  } finally {
    await rm(linked, { force: true });
    await rm(probe, { force: true });
  }
}

interface ListedFolder {
  readonly root: string;
  readonly confined: ConfinedFolder | undefined;
  readonly look: ObjectStore["head"];
}

async function* listFolder(
  { root, confined, look }: ListedFolder,
  prefix: string,
  ask: Ask,
): AsyncGenerator<ObjectInfo> {
  checkPrefix(prefix);
  const cut = prefix.lastIndexOf("/");
  const folder = cut < 0 ? "" : prefix.slice(0, cut + 1);
  yield* walk(folder);

  async function* walk(at: string): AsyncGenerator<ObjectInfo> {
    for (const entry of await entriesOf(at)) {
      if (entry.kind === "file") yield entry.info;
      else yield* walk(entry.full);
    }
  }

  /** One folder at one moment: a file that goes away meanwhile may have been replaced by one that was not seen yet. */
  async function entriesOf(at: string): Promise<readonly Entry[]> {
    for (let attempt = 0; ; attempt++) {
      checkAsk(ask, `listing ${root}`);
      const entries: Entry[] = [];
      let vanished = false;
      for (const { full, folder, plain } of await namesOf(at)) {
        if (folder) {
          if (full.startsWith(prefix) || prefix.startsWith(full)) entries.push({ kind: "folder", full });
        } else if (full.startsWith(prefix)) {
          const path = join(root, ...full.split("/"));
          const info = await (confined === undefined ? infoOf(full, path) : look(full, ask)).catch(
            (error) => {
              throw folderError(error, `looking at ${path}`, "reading");
            },
          );
          if (info !== undefined) entries.push({ kind: "file", info });
          else if (plain) vanished = true;
        }
      }
      if (!vanished || attempt === 10) return entries;
    }
  }

  async function namesOf(at: string): Promise<readonly { full: string; folder: boolean; plain: boolean }[]> {
    try {
      const names = at.split("/").filter((name) => name !== "");
      const held = await confined?.hold(names, "if there");
      if (confined !== undefined && held === undefined) return [];
      const folder = onDisk(held?.path ?? join(root, ...names));
      const found = await readdir(folder, { withFileTypes: true, encoding: "buffer" }).finally(() =>
        held?.close(),
      );
      // `a/b` sorts by its whole name, so a folder takes part in the order with its slash.
      return found
        .map((entry) => ({
          full: `${at}${nameOfBytes(entry.name)}${entry.isDirectory() ? "/" : ""}`,
          folder: entry.isDirectory(),
          plain: entry.isFile(),
          link: entry.isSymbolicLink(),
        }))
        .filter(({ full, link }) => full !== `${tempFolder}/` && (confined === undefined || !link))
        .sort((a, b) => byCodeUnit(a.full, b.full));
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === "ENOENT" || code === "ENOTDIR") return [];
      throw folderError(error, `listing ${join(root, at)}`, "reading");
    }
  }
}

type Entry =
  | { readonly kind: "file"; readonly info: ObjectInfo }
  | { readonly kind: "folder"; readonly full: string };

async function infoOf(name: string, path: string): Promise<ObjectInfo | undefined> {
  const found = await orUndefined(() => stat(onDisk(path)));
  if (found === undefined || !found.isFile()) return undefined;
  return { name, sizeBytes: found.size, modifiedAt: found.mtime };
}

async function requireInfo(name: string, path: string): Promise<ObjectInfo> {
  const info = await infoOf(name, path);
  if (info !== undefined) return info;
  throw new AppError("STORE_OBJECT_NOT_FOUND", `writing ${path}: it was removed while it was written`);
}

/** undefined where nothing is there. */
async function orUndefined<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

async function checkLength(path: string, expected: number): Promise<void> {
  const { size } = await stat(path);
  if (size !== expected) throw shortWrite(path, size, expected);
}

function shortWrite(path: string, got: number, expected: number): AppError {
  return new AppError("DISK_FULL", `writing ${path}: ${got} bytes arrived, expected ${expected}`);
}

async function syncPath(path: string): Promise<void> {
  const fd = openSync(onDisk(path), "r");
  try {
    await toDisk(fd);
  } catch (error) {
    // Some file systems cannot flush a folder; they order the rename themselves or cannot promise anything.
    const code = systemErrorCode(error);
    if (code !== "EINVAL" && code !== "ENOTSUP" && code !== "EPERM" && code !== "EISDIR") throw error;
  } finally {
    closeSync(fd);
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}

/** Flushes every folder from `top` down to `bottom`, so that freshly made folders survive a power cut. */
async function syncChain(top: string, bottom: string): Promise<void> {
  for (let at = bottom; at === top || at.startsWith(top + sep); at = dirname(at)) {
    await syncPath(at);
    if (at === top) return;
  }
}
