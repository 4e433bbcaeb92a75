import { rmSync } from "node:fs";
import { limitMs } from "./limit.mjs";

/**
 * Removes a folder in which processes that were killed may still leave their last words. The retries of rmSync do not help:
 * they try again to remove a folder, without looking what has come into it.
 */
export function removeFolder(path: string): void {
  const until = Date.now() + limitMs / 4;
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      rmSync(path, { recursive: true, force: true });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY" || Date.now() > until) throw error;
    }
    Atomics.wait(clock, 0, 0, 20);
  }
}
