/**
 * Small reads from a folder, as a warm run makes them by the thousand. On a local disk an answer takes microseconds,
 * less than handing the question to a thread, so reads are made at once; when the disk turns out to be slow (a network
 * file system), the rest is asked asynchronously so that many wait side by side.
 */
import { readdirSync, readFileSync, readlinkSync, type Stats, statSync } from "node:fs";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { AppError, messageOf, nameOfBytes, onDisk, systemErrorCode } from "../../kernel/index.ts";

/** A read slower than this is a disadvantage to everything else that is running. */
const slowMs = 2;
/** So many slow reads in a row mean a slow disk, and not a busy moment. */
const mostSlow = 8;

export class LocalReader {
  #slow = 0;

  /** Names in a folder; none when it is not there. */
  async names(folder: string): Promise<readonly string[]> {
    return (await this.namesIfThere(folder)) ?? [];
  }

  namesIfThere(folder: string): Promise<readonly string[] | undefined> {
    return this.#read(
      folder,
      () => readdirSync(onDisk(folder)),
      () => readdir(onDisk(folder)),
    );
  }

  /** undefined = not there, or no link. */
  async linkTarget(path: string): Promise<string | undefined> {
    const bytes = await this.#read(
      path,
      () => readlinkSync(onDisk(path), { encoding: "buffer" }),
      () => readlink(onDisk(path), { encoding: "buffer" }),
    );
    return bytes === undefined ? undefined : nameOfBytes(bytes);
  }

  /** undefined = not there. */
  bytes(path: string): Promise<Uint8Array | undefined> {
    return this.#read(
      path,
      () => readFileSync(onDisk(path)),
      () => readFile(onDisk(path)),
    );
  }

  stats(path: string): Promise<Stats | undefined> {
    return this.#read(
      path,
      () => statSync(onDisk(path), { throwIfNoEntry: false }),
      () => stat(onDisk(path)),
    );
  }

  async #read<T>(path: string, now: () => T | undefined, later: () => Promise<T>): Promise<T | undefined> {
    try {
      if (this.#slow >= mostSlow) return await later();
      const startedAt = performance.now();
      const answer = now();
      this.#slow = performance.now() - startedAt > slowMs ? this.#slow + 1 : 0;
      return answer;
    } catch (error) {
      const code = systemErrorCode(error);
      // EINVAL: what was to be read as a link is none.
      if (code === "ENOENT" || code === "ENOTDIR" || code === "EINVAL") return undefined;
      throw new AppError("STORE_NOT_READABLE", `reading ${path}: ${messageOf(error)}`, { cause: error });
    }
  }
}
