/**
 * Which files the documents of others may name. A bundle on a server may read what lies in its own folders and what the
 * operator allows, whatever its defaults, literals and expressions say.
 */
import { realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";
import { AppError } from "../../kernel/index.ts";

export interface Reach {
  /** @throws AppError SERVER_PLACE_REFUSED when the location may not be read, whether something is there or not. */
  check(location: string): Promise<void>;
}

/** Files of this machine below the folders (links are followed first), and objects of S3. */
export function reachBelow(folders: readonly string[]): Reach {
  const roots = Promise.all(folders.map(real));
  return {
    async check(location) {
      if (/^s3:\/\//i.test(location)) return;
      const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(location);
      const path = isUrl ? undefined : await real(location);
      for (const root of path === undefined ? [] : await roots)
        if (path === root || path?.startsWith(root.endsWith(sep) ? root : root + sep)) return;
      throw new AppError(
        "SERVER_PLACE_REFUSED",
        `reading ${location}: it lies outside of what this run may read`,
      );
    },
  };
}

/** The path without links; of what is not there, as it is written. */
async function real(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}
