/**
 * What values need of files: whether they are there, their size, text, and what is in folders. Files on this machine
 * are looked at directly and not through `FileAccess`: inputs are also checked where there is no run that could give
 * one, and a check and a run must judge links to nowhere, devices and names that are too long alike.
 */
import { lstat, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { namesIn, notRegular } from "../../../files/index.ts";
import { type Ask, checkAsk, onDisk, shownName, systemErrorCode } from "../../../kernel/index.ts";
import type { FileAccess, Reach } from "../../core/index.ts";
import { fileLocation, hostPathOf, locationInside } from "./location.ts";

/** All take locations as values have them. */
export interface Files {
  /** undefined = not there. */
  stat(
    location: string,
    ask: Ask,
  ): Promise<{ readonly kind: "file" | "directory"; readonly sizeBytes: number } | undefined>;
  /** At most the first `most` bytes, as UTF-8. */
  readStart(location: string, most: number, ask: Ask): Promise<Uint8Array>;
  /** Members of a folder, sorted by code unit. */
  list(location: string, ask: Ask): Promise<readonly ListedMember[]>;
}

export interface ListedMember {
  readonly name: string;
  readonly kind: "file" | "directory";
  readonly location: string;
  /** It is a link, and `kind` what that leads to. */
  readonly link?: true;
}

/**
 * Files on this machine directly, all others through the host of a run (without one they are taken as they are named).
 * What lies out of reach is an AppError, whether it is there or not.
 */
export function createFiles(host: FileAccess | undefined, reach?: Reach): Files {
  const within = async (location: string): Promise<string | undefined> => {
    const path = hostPathOf(location);
    await reach?.check(path ?? location);
    return path;
  };
  /** Where the bytes of a file on this machine are; what was recorded is compared first. */
  const here = async (location: string, ask: Ask): Promise<string | undefined> => {
    const path = await within(location);
    return path === undefined ? undefined : ((await host?.hostPath?.(path, ask)) ?? path);
  };
  return {
    async stat(location, ask) {
      checkAsk(ask, `looking for ${location}`);
      const path = await within(location);
      if (path === undefined) return host?.stat(location, ask);
      try {
        const found = await stat(onDisk(path));
        if (!found.isDirectory() && !found.isFile())
          throw notRegular("looking at inputs", shownName(path), found);
        return { kind: found.isDirectory() ? "directory" : "file", sizeBytes: found.size };
      } catch (error) {
        const code = systemErrorCode(error);
        // What was recorded and is lost is computed again when somebody needs it.
        if (code === "ENOENT" || code === "ENOTDIR") return host?.stat(path, ask);
        if (code === "ENAMETOOLONG") return undefined;
        throw error;
      }
    },
    async readStart(location, most, ask) {
      checkAsk(ask, `reading ${location}`);
      const path = await here(location, ask);
      if (path === undefined) {
        const pieces: Uint8Array[] = [];
        const start = host?.read(location, ask, { start: 0, end: most });
        if (start !== undefined) for await (const piece of start) pieces.push(piece);
        return Buffer.concat(pieces);
      }
      const found = await stat(onDisk(path));
      if (!found.isFile()) throw notRegular("loading contents", shownName(path), found);
      const handle = await open(onDisk(path), "r");
      try {
        const buffer = Buffer.alloc(most);
        let filled = 0;
        while (filled < most) {
          const { bytesRead } = await handle.read(buffer, filled, most - filled, filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return buffer.subarray(0, filled);
      } finally {
        await handle.close();
      }
    },
    async list(location, ask) {
      checkAsk(ask, `listing ${location}`);
      const path = await within(location);
      if (path === undefined) {
        const members = (await host?.list(location, ask)) ?? [];
        return members.map((each) => ({
          ...each,
          location: locationInside(location, each.name),
        }));
      }
      // What was recorded is as its manifest has it, wherever that can be read.
      const at = (await host?.hostPath?.(path, ask)) ?? path;
      const names = (await namesIn(at)).sort((a, b) => (a < b ? -1 : 1));
      const members = await Promise.all(
        names.map(async (name): Promise<ListedMember | undefined> => {
          const own = await lstat(onDisk(join(at, name))).catch(() => undefined);
          const isLink = own?.isSymbolicLink() === true;
          const found = isLink ? await stat(onDisk(join(at, name))).catch(() => undefined) : own;
          if (found === undefined) return undefined; // a link to nowhere
          if (!found.isDirectory() && !found.isFile())
            throw notRegular("listing a directory", shownName(join(path, name)), found);
          return {
            name,
            kind: found.isDirectory() ? "directory" : "file",
            location: fileLocation(join(path, name)),
            ...(isLink ? { link: true } : {}),
          };
        }),
      );
      return members.filter((each) => each !== undefined);
    },
  };
}
