/**
 * How many processes of a script model suit this machine. What they need shows only when they run, so it is estimated
 * from above: an interpreter with its libraries, and the model's files several times.
 */
import { readdir, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";

const mostProcesses = 4;
const bytesOfLibraries = 2 * 2 ** 30;
const copiesOfFiles = 4;

export async function suitableProcesses(folder: string): Promise<number> {
  const processors = Math.min(mostProcesses, availableParallelism());
  if (processors === 1) return 1;
  const bytes = bytesOfLibraries + copiesOfFiles * (await bytesOfFiles(join(folder, "model")));
  return Math.max(1, Math.min(processors, Math.floor(process.availableMemory() / bytes)));
}

/** Files that cannot be examined are reported when the model runs. */
async function bytesOfFiles(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) =>
        stat(join(parentPath, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
