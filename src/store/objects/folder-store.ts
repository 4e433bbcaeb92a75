/**
 * Objects as plain files of a folder. A write goes to `.memoir-tmp/`, is checked for its length, flushed to disk and
 * renamed, so that a reader sees the old bytes or the new ones and a crash or a full disk leaves no half object.
 */

import { randomUUID } from "node:crypto";
import { constants, renameSync } from "node:fs";
import { copyFile, link, readdir, readFile, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfinedFolder } from "../../files/index.ts";
import { byCodeUnit, sha256File } from "../../hash/index.ts";
import { AppError, checkAsk, mapBounded, onDisk, systemErrorCode } from "../../kernel/index.ts";
import { FolderAccess, guarded } from "./folder-access.ts";
import { folderError } from "./folder-errors.ts";
import {
  checkLength,
  infoOf,
  orUndefined,
  removeIfThere,
  requireInfo,
  syncPath,
  tempFolder,
} from "./folder-files.ts";
import { listFolder } from "./folder-listing.ts";
import { openFileReader } from "./folder-reader.ts";
import { FolderTemps } from "./folder-temps.ts";
import { checkInside, checkName, type ObjectNames } from "./object-name.ts";
import type { ObjectStore } from "./object-store.ts";

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

/** Node's file operations run on four threads; a few more in flight keep them busy. */
const readsAtOnce = 8;

export function createFolderStore(options: FolderStoreOptions): ObjectStore {
  const root = resolve(options.path);
  const { within, durable = true, names: allowed = "portable" } = options;
  const confined = within === undefined ? undefined : new ConfinedFolder({ within, path: root });
  const access = new FolderAccess({ root, confined, within, names: allowed });
  const temps = new FolderTemps({ root, confined, durable, leavesNothing: allowed === "any" });
  let hardLinks = false;
  let opened: Promise<void> | undefined;

  const store: ObjectStore = {
    uri: pathToFileURL(root).href.replace(/\/$/, ""),
    gapBytes: 8 * 1024,
    open: () => {
      opened ??= guarded(`opening the store in ${root}`, "writing", async () => {
        hardLinks = await temps.open();
      }).catch((error) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    head: (name) => access.on("looking at", name, "reading", (path) => infoOf(name, path)),
    read: (name) => access.on("reading", name, "reading", (path) => orUndefined(() => readFile(path))),
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
      access.on("opening", name, "reading", (path) => openFileReader(path, sizeBytes)),
    put: (name, bytes, ask) =>
      access.on("writing", name, "writing", async (path) => {
        await store.open(ask);
        await temps.whole(bytes, async (from) => {
          checkAsk(ask, `writing ${name}`);
          await temps.into(path, async (target) => renameSync(from, target));
        });
        return requireInfo(name, path);
      }),
    putNew: (name, bytes, ask) =>
      access.on("writing", name, "writing", async (path) => {
        if ((await infoOf(name, path)) !== undefined) return "already-there";
        await store.open(ask);
        let outcome: "stored" | "already-there" = "stored";
        await temps.whole(bytes, async (from) => {
          checkAsk(ask, `writing ${name}`);
          await temps.into(path, async (target) => {
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
      access.on(
        `copying ${path} to`,
        name,
        "writing",
        async (target) => {
          const wanted = await stat(onDisk(path)).catch((error) => {
            throw folderError(error, `reading ${path}`, "reading");
          });
          await store.open(ask);
          const from = await temps.next();
          try {
            await copyFile(onDisk(path), from, constants.COPYFILE_FICLONE);
            await checkLength(from, wanted.size);
            if (durable) await syncPath(from);
            checkAsk(ask, `copying ${path}`);
            await temps.into(target, (to) => rename(from, onDisk(to)));
          } finally {
            await rm(from, { force: true });
          }
          return requireInfo(name, target);
        },
        checkInside,
      ),
    fetchFile: (name, path, expected, ask) =>
      access.on("reading", name, "reading", async (from) => {
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
        access.on(
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
      const path = access.pathFor(name, checkInside);
      confined?.check(path);
      return path;
    },
    close: async () => {
      const used = opened !== undefined;
      opened = undefined;
      await temps.close(used);
    },
  };
  return store;
}
