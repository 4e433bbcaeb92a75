/**
 * vitest globalSetup: gives the run a folder for servers that test files share, and removes it with them at the end.
 * Nothing is started here; `sharedS3()` starts the server when the first test asks for it. The command line is built
 * here, before test files run side by side, when one of them may need it.
 */
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { TestProject } from "vitest/node";
import { ensureBuilt } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { removeFolder } from "../remove-folder.ts";
import { mainProcessVariable, sharedFolderVariable } from "./s3.ts";

export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (project.name === "e2e") buildFirst();
  // Every project of a run calls this; the first one makes the folder and takes it away.
  if (process.env[sharedFolderVariable] !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "memoir-servers-"));
  process.env[sharedFolderVariable] = folder;
  process.env[mainProcessVariable] = String(process.pid);
  return async () => {
    writeFileSync(join(folder, "end"), "");
    for (const end = Date.now() + limitMs; existsSync(join(folder, "s3")) && Date.now() < end; )
      await wait(50);
    removeFolder(folder);
    delete process.env[sharedFolderVariable];
  };
}

function buildFirst(): void {
  try {
    ensureBuilt();
  } catch {
    // Files that need the program try again, and say what is wrong; the others continue.
  }
}
