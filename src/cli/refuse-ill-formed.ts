/**
 * What the shell hands over is bytes, and Node replaces what is not UTF-8 by U+FFFD: another file would be read or
 * written than the one that was named. Such words and such a current folder are refused.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { AppError, isIllFormed, nameOfBytes, shownName } from "../kernel/index.ts";

const replacement = "\ufffd";

/** @throws CLI_USAGE */
export function refuseIllFormed(words: readonly string[], cwd: string): void {
  if (words.some((word) => word.includes(replacement))) {
    const [word] = wordsAsGiven(words).filter(isIllFormed);
    if (word !== undefined)
      throw new AppError(
        "CLI_USAGE",
        `the argument "${shownName(word)}" is not UTF-8; rename the file, or use a link to it`,
      );
  }
  if (!cwd.includes(replacement)) return;
  const folder = folderAsItIs(cwd);
  if (isIllFormed(folder))
    throw new AppError(
      "CLI_USAGE",
      `the name of the current folder, "${shownName(folder)}", is not UTF-8; use a folder with another name`,
    );
}

/** The same words with their bytes kept. Where the system does not show them, a replaced byte is taken for one. */
function wordsAsGiven(words: readonly string[]): readonly string[] {
  try {
    const all = readFileSync("/proc/self/cmdline", "latin1").replace(/\0$/, "").split("\0");
    const last = all.slice(-words.length).map((word) => nameOfBytes(Buffer.from(word, "latin1")));
    if (last.length === words.length) return last;
  } catch {
    // No /proc here.
  }
  return words.map(keepReplaced);
}

function folderAsItIs(cwd: string): string {
  try {
    return nameOfBytes(readlinkSync("/proc/self/cwd", { encoding: "buffer" }));
  } catch {
    return keepReplaced(cwd);
  }
}

/** In doubt, every U+FFFD stands for a byte that was lost. */
function keepReplaced(text: string): string {
  return text.replaceAll(replacement, "\udcff");
}
