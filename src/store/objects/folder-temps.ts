/** Writes through temp files: a reader sees the old bytes or the new ones, whatever happens meanwhile. */
import { randomUUID } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, writeFileSync } from "node:fs";
import { access, link, open, readdir, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ConfinedFolder, type HeldFolder, makeFolders } from "../../files/index.ts";
import { AppError, systemErrorCode } from "../../kernel/index.ts";
import {
  orUndefined,
  removeIfThere,
  shortWrite,
  syncChain,
  syncPath,
  tempFolder,
  toDisk,
} from "./folder-files.ts";

const smallBytes = 1 << 20;
/** A temp file this old belongs to a process that died. */
const staleTempMs = 24 * 60 * 60 * 1000;

export class FolderTemps {
  readonly #root: string;
  readonly #confined: ConfinedFolder | undefined;
  readonly #durable: boolean;
  readonly #leavesNothing: boolean;
  #held: HeldFolder | undefined;

  constructor(parts: {
    readonly root: string;
    readonly confined: ConfinedFolder | undefined;
    /** Writes are on disk when they are acknowledged. */
    readonly durable: boolean;
    /** The folder of temp files does not outlive the store. */
    readonly leavesNothing: boolean;
  }) {
    this.#root = parts.root;
    this.#confined = parts.confined;
    this.#durable = parts.durable;
    this.#leavesNothing = parts.leavesNothing;
  }

  /** Makes the folders. Answers whether they take hard links, which make a write conditional. */
  open(): Promise<boolean> {
    return this.#confined === undefined
      ? openFolder(this.#root, join(this.#root, tempFolder))
      : this.#openConfined(this.#confined);
  }

  async #openConfined(top: ConfinedFolder): Promise<boolean> {
    const folder = await top.hold([], "make");
    try {
      for (let tries = 1; ; tries++) {
        this.#held?.close();
        this.#held = await top.hold([tempFolder], "make").catch((error) => {
          if (error instanceof AppError) throw error;
          return undefined;
        });
        const place = folder?.path ?? this.#root;
        try {
          return await openFolder(place, this.#held?.path ?? join(place, tempFolder));
        } catch (error) {
          // Somebody else who is done with the place has just taken the folder away.
          if (systemErrorCode(error) !== "ENOENT" || tries === 5) throw error;
        }
      }
    } finally {
      folder?.close();
    }
  }

  async #remove(): Promise<void> {
    const top = await this.#confined?.hold([], "if there");
    if (this.#confined !== undefined && top === undefined) return;
    await rmdir(join(top?.path ?? this.#root, tempFolder)).finally(() => top?.close());
  }

  /** The path of a new temp file; the folder is there. */
  async next(): Promise<string> {
    if (this.#leavesNothing) await makeFolders(join(this.#root, tempFolder));
    return join(this.#held?.path ?? join(this.#root, tempFolder), randomUUID());
  }

  /** Writes the bytes to a temp file and hands it over; removes it when that fails. */
  async whole(bytes: Uint8Array, publish: (from: string) => Promise<void>): Promise<void> {
    const from = await this.next();
    try {
      // Of small objects only what waits for the disk is handed to a thread: its turn takes longer than the rest.
      if (bytes.byteLength > smallBytes) await writeFile(from, bytes, { flag: "wx" });
      const fd = openSync(from, bytes.byteLength > smallBytes ? "r" : "wx");
      try {
        if (bytes.byteLength <= smallBytes) writeFileSync(fd, bytes);
        // A full file system can shorten a file without an error: what counts is what is there.
        const { size } = fstatSync(fd);
        if (size !== bytes.byteLength) throw shortWrite(from, size, bytes.byteLength);
        if (this.#durable) await toDisk(fd);
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
  async into(target: string, publish: (target: string) => Promise<void>): Promise<void> {
    const folder = dirname(target);
    for (let attempt = 0; ; attempt++) {
      try {
        await publish(target);
        break;
      } catch (error) {
        if (systemErrorCode(error) !== "ENOENT" || attempt === 3) throw error;
        const firstMade = await makeFolders(folder);
        if (this.#durable && firstMade !== undefined) await syncChain(dirname(firstMade), dirname(folder));
      }
    }
    if (this.#durable) await syncPath(folder);
  }

  async close(used: boolean): Promise<void> {
    this.#held?.close();
    this.#held = undefined;
    // It may be in use by another process, and then it is not empty or is made again.
    if (used && this.#leavesNothing) await this.#remove().catch(() => undefined);
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
