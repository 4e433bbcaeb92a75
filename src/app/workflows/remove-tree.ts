/** Removes a folder that Memoir created, with everything in it. */
import { readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { rm } from "node:fs/promises";

/**
 * Thousands of small files are removed at once: `rm` hands three questions a file to threads. It gets what that leaves:
 * files that appear meanwhile, folders that may not be written to.
 */
export async function removeTree(folder: string): Promise<void> {
  try {
    removeNow(folder);
  } catch {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function removeNow(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) removeNow(path);
    else unlinkSync(path);
  }
  rmdirSync(folder);
}
