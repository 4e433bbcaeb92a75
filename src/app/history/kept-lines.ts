/**
 * Facts that are kept longer than the runs that they are about: files of JSON lines in the home folder. A file that is full
 * becomes `NAME.1.jsonl`, that one `NAME.2.jsonl` and so on, and the oldest is removed: what is read stays bounded. All of it
 * is by rename, so that a kill at any moment leaves every line readable.
 */
import { appendFile, mkdir, readFile, rename, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../../files/index.ts";
import { AppError, messageOf, systemErrorCode } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";

export type HistoryName = "predictions" | "rechecks" | "runs" | "sizes" | "verifications";

export interface HistoryLimits {
  /** Of one file. */
  readonly bytes: number;
  /** Files of one name, the one that is written included. */
  readonly files: number;
}

/** About 50,000 runs, or as many lines of the others. */
export const usualLimits: HistoryLimits = { bytes: 4 << 20, files: 4 };
/** A process that was killed while it renamed leaves its mark. */
const markIsOldMs = 60_000;

export interface KeepingRules {
  readonly limits?: HistoryLimits;
  /**
   * Is given the facts of a file before it is removed; after a kill it may be given them again. While it fails, the file
   * stays, until the one that is written has twice the size that it should have.
   */
  readonly dropping?: (facts: readonly object[]) => Promise<void>;
  /** What failed there, in words. */
  readonly onTrouble?: (message: string) => void;
}

/** Never a reason for a run to fail: what cannot be kept is lost. */
export async function keepLine(
  name: HistoryName,
  fact: object,
  { home }: Pick<Environment, "home">,
  rules: KeepingRules = {},
): Promise<void> {
  try {
    const path = pathOf(home, name, 0);
    await makeFolders(join(home, "history"));
    // One write: lines of several processes do not mix. Who has opened the file before it is renamed writes to it still.
    await appendFile(path, `${JSON.stringify(fact)}\n`);
    if ((await stat(path)).size > (rules.limits ?? usualLimits).bytes) await moveOn(home, name, rules);
  } catch {
    // A home that is read-only, or a full disk.
  }
}

/** By one process at a time. */
async function moveOn(home: string, name: HistoryName, rules: KeepingRules): Promise<void> {
  const { limits: { bytes, files } = usualLimits } = rules;
  const mark = `${pathOf(home, name, 0)}.moving`;
  try {
    await mkdir(mark);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    const { mtimeMs } = await stat(mark);
    if (Date.now() - mtimeMs > markIsOldMs) await rmdir(mark);
    return;
  }
  try {
    // Another process may have been first.
    const { size } = await stat(pathOf(home, name, 0));
    if (size <= bytes) return;
    if ((await drop(pathOf(home, name, files - 1), rules)) === "failed" && size <= bytes * 2) return;
    for (let at = files - 2; at >= 0; at--)
      await rename(pathOf(home, name, at), pathOf(home, name, at + 1)).catch((error) => {
        if (systemErrorCode(error) !== "ENOENT") throw error;
      });
  } finally {
    await rmdir(mark);
  }
}

async function drop(path: string, { dropping, onTrouble }: KeepingRules): Promise<"dropped" | "failed"> {
  try {
    await dropping?.(factsIn(await textOf(path)));
    return "dropped";
  } catch (error) {
    onTrouble?.(`dropping the history in ${path}: ${messageOf(error)}`);
    return "failed";
  }
}

/** Lines that hold no object were not written by Memoir. */
export function factsIn(text: string): readonly object[] {
  return text.split("\n").flatMap((line) => {
    try {
      const fact = line === "" ? undefined : (JSON.parse(line) as unknown);
      return typeof fact === "object" && fact !== null && !Array.isArray(fact) ? [fact] : [];
    } catch {
      return [];
    }
  });
}

async function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error) => {
    if (systemErrorCode(error) === "ENOENT") return "";
    throw new AppError("FILE_NOT_READABLE", `reading ${path}: ${messageOf(error)}`, { cause: error });
  });
}

/** Oldest first. */
export function pathsOf(
  home: string,
  name: HistoryName,
  { files }: Pick<HistoryLimits, "files">,
): readonly string[] {
  return Array.from({ length: files }, (_, at) => pathOf(home, name, at)).reverse();
}

/** 0 = the file that is written. */
function pathOf(home: string, name: HistoryName, at: number): string {
  return join(home, "history", at === 0 ? `${name}.jsonl` : `${name}.${at}.jsonl`);
}
