/**
 * Looks at what a task has left a moment ago. They are made at once: the system has the answers in memory, and handing
 * each question to a thread would take longer.
 */
import { lstatSync, realpathSync, type Stats, statSync } from "node:fs";

/** Links followed; undefined for what cannot be reached. */
export function factsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // ENOTDIR, ELOOP, EACCES: for a task's outputs the same as not being there.
    return undefined;
  }
}

/** Of a link itself. */
export function ownFactsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Without links; undefined for what cannot be reached. */
export function realOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
