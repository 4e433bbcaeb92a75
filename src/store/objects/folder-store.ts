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
import { AppError, type Ask, checkAsk, mapBounded, onDisk, systemErrorCode } from "../../kernel/index.ts";
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
  writtenInfo,
} from "./folder-files.ts";
import { listFolder } from "./folder-listing.ts";
import { openFileReader } from "./folder-reader.ts";
import { FolderTemps } from "./folder-temps.ts";
import { checkInside, checkName, type ObjectNames } from "./object-name.ts";
import type {
  ByteRange,
  ExpectedObject,
  FetchedObject,
  ObjectInfo,
  ObjectReader,
  ObjectStore,
} from "./object-store.ts";

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

class FolderStore implements ObjectStore {
  readonly uri: string;
  readonly gapBytes = 8 * 1024;
  readonly #root: string;
  readonly #durable: boolean;
  readonly #confined: ConfinedFolder | undefined;
  readonly #access: FolderAccess;
  readonly #temps: FolderTemps;
  #hardLinks = false;
  #opened: Promise<void> | undefined;

  constructor(options: FolderStoreOptions) {
    const root = resolve(options.path);
    const { within, durable = true, names = "portable" } = options;
    const confined = within === undefined ? undefined : new ConfinedFolder({ within, path: root });
    this.uri = pathToFileURL(root).href.replace(/\/$/, "");
    this.#root = root;
    this.#durable = durable;
    this.#confined = confined;
    this.#access = new FolderAccess({ root, confined, within, names });
    this.#temps = new FolderTemps({ root, confined, durable, leavesNothing: names === "any" });
  }

  open(): Promise<void> {
    this.#opened ??= guarded(`opening the store in ${this.#root}`, "writing", async () => {
      this.#hardLinks = await this.#temps.open();
    }).catch((error) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  head(name: string): Promise<ObjectInfo | undefined> {
    return this.#access.on("looking at", name, "reading", (path) => infoOf(name, path));
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.#access.on("reading", name, "reading", (path) => orUndefined(() => readFile(path)));
  }

  async readRange(name: string, range: ByteRange, ask: Ask): Promise<Uint8Array> {
    const reader = await this.openReader(name, range.end);
    try {
      const [bytes] = await reader.readRanges([range], ask);
      return bytes ?? new Uint8Array();
    } finally {
      await reader.close();
    }
  }

  openReader(name: string, sizeBytes: number): Promise<ObjectReader> {
    return this.#access.on("opening", name, "reading", (path) => openFileReader(path, sizeBytes));
  }

  put(name: string, bytes: Uint8Array, ask: Ask): Promise<ObjectInfo> {
    return this.#access.on("writing", name, "writing", async (path) => {
      await this.open();
      await this.#temps.whole(bytes, async (from) => {
        checkAsk(ask, `writing ${name}`);
        await this.#temps.into(path, async (target) => renameSync(from, target));
      });
      return writtenInfo(name, path);
    });
  }

  putNew(name: string, bytes: Uint8Array, ask: Ask): Promise<"stored" | "already-there"> {
    return this.#access.on("writing", name, "writing", async (path) => {
      if ((await infoOf(name, path)) !== undefined) return "already-there";
      await this.open();
      let outcome: "stored" | "already-there" = "stored";
      await this.#temps.whole(bytes, async (from) => {
        checkAsk(ask, `writing ${name}`);
        await this.#temps.into(path, async (target) => {
          // Without hard links the last writer wins; the bytes are whole in either case.
          if (!this.#hardLinks) return rename(from, target);
          await link(from, target).catch((error) => {
            if (systemErrorCode(error) !== "EEXIST") throw error;
            outcome = "already-there";
          });
          removeIfThere(from);
        });
      });
      return outcome;
    });
  }

  putFile(name: string, path: string, ask: Ask): Promise<ObjectInfo> {
    const copy = async (target: string): Promise<ObjectInfo> => {
      const wanted = await stat(onDisk(path)).catch((error) => {
        throw folderError(error, `reading ${path}`, "reading");
      });
      await this.open();
      const from = await this.#temps.next();
      try {
        await copyFile(onDisk(path), from, constants.COPYFILE_FICLONE);
        await checkLength(from, wanted.size);
        if (this.#durable) await syncPath(from);
        checkAsk(ask, `copying ${path}`);
        await this.#temps.into(target, (to) => rename(from, onDisk(to)));
      } finally {
        await rm(from, { force: true });
      }
      return requireInfo(name, target);
    };
    return this.#access.on(`copying ${path} to`, name, "writing", copy, checkInside);
  }

  fetchFile(name: string, path: string, expected: ExpectedObject, ask: Ask): Promise<FetchedObject> {
    return this.#access.on("reading", name, "reading", async (from) => {
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
    });
  }

  list(prefix: string, ask: Ask): AsyncIterable<ObjectInfo> {
    const look = (name: string) => this.head(name);
    return listFolder({ root: this.#root, confined: this.#confined, look }, prefix, ask);
  }

  async folders(prefix: string, ask: Ask): Promise<readonly string[]> {
    checkAsk(ask, `listing ${this.#root}`);
    if (prefix !== "") checkName(prefix.slice(0, -1));
    const folder = join(this.#root, ...prefix.split("/"));
    return guarded(`listing ${folder}`, "reading", async () => {
      const held = await this.#confined?.hold(
        prefix.split("/").filter((name) => name !== ""),
        "if there",
      );
      if (this.#confined !== undefined && held === undefined) return [];
      const listed = () => readdir(held?.path ?? folder, { withFileTypes: true });
      const found = (await orUndefined(listed).finally(() => held?.close())) ?? [];
      const names = found.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
      return names.filter((name) => prefix !== "" || name !== tempFolder).sort(byCodeUnit);
    });
  }

  async remove(names: readonly string[], ask: Ask): Promise<void> {
    for (const name of names) checkInside(name);
    const unlinkAt = async (path: string): Promise<void> => {
      checkAsk(ask, `removing ${path}`);
      await orUndefined(() => unlink(onDisk(path)));
    };
    await mapBounded(names, readsAtOnce, (name) =>
      this.#access.on("removing", name, "removing", unlinkAt, checkInside),
    );
  }

  pathOf(name: string): string {
    const path = this.#access.pathFor(name, checkInside);
    this.#confined?.check(path);
    return path;
  }

  async close(): Promise<void> {
    const used = this.#opened !== undefined;
    this.#opened = undefined;
    await this.#temps.close(used);
  }
}

export function createFolderStore(options: FolderStoreOptions): ObjectStore {
  return new FolderStore(options);
}
