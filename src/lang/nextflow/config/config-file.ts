/**
 * Configuration files of a run, read from the disk and not through the source tree: a configuration names those that it
 * includes by expressions, which are evaluated synchronously, and source trees are asynchronous.
 */
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import type { SourceText } from "../../../kernel/index.ts";
import { fail } from "../values/throwable.ts";

/** Hundreds of times what a large pipeline has. */
const mostConfigBytes = 16 * 2 ** 20;

export function readConfig(path: string): SourceText | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isFile()) fail("IOException", `${path} is not a file`);
  if (found.size > mostConfigBytes)
    fail(
      "IOException",
      `${path} has ${found.size} bytes, and a configuration file at most ${mostConfigBytes}`,
    );
  return { name: path, text: readFileSync(path, "utf8") };
}

/** Whether a file, links followed, is below one of the folders. */
export function isBelow(path: string, folders: readonly string[]): boolean {
  if (!existsSync(path)) return false;
  const real = realpathSync(path);
  return folders.some((folder) => existsSync(folder) && real.startsWith(`${realpathSync(folder)}/`));
}
