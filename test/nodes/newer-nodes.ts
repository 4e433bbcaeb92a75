/**
 * Later versions of Node than the one that runs the tests. The registry's packages hold the program itself, so no
 * install script runs. Kept in the user's cache folder, since each is 125 MB.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { limitMs } from "../limit.mjs";

/** Supported in addition to the lowest version that package.json names. */
export const newerMajors = [22, 24, 26] as const;

const packageName = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;

/** The program of this major version; undefined when it could not be installed. */
export function nodeOf(major: number): string | undefined {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(cache, "memoir-tests", `node-${major}`);
  const program = join(folder, "node_modules", packageName, "bin", "node");
  if (existsSync(program)) return program;
  // Installed aside and renamed: several test files may want it at the same time.
  const aside = `${folder}.${process.pid}`;
  mkdirSync(aside, { recursive: true });
  const words = ["install", "--prefix", aside, "--no-audit", "--no-fund", "--ignore-scripts"];
  const { status } = spawnSync("npm", [...words, `${packageName}@${major}`], {
    stdio: "ignore",
    timeout: limitMs,
  });
  if (status === 0 && !existsSync(folder)) renameSync(aside, folder);
  rmSync(aside, { recursive: true, force: true });
  return existsSync(program) ? program : undefined;
}
