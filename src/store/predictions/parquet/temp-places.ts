/** Files and folders on local disk that live as long as one piece of work; what killed processes left goes after a day. */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempPlaces {
  /** The folder that all of them are in. */
  readonly root: string;
  /** A fresh name; the caller makes the file and removes it. */
  file(): Promise<string>;
  /** A fresh, empty folder; the caller removes it. */
  folder(): Promise<string>;
}

const prefix = "memoir-parquet-";
const staleMs = 24 * 60 * 60 * 1000;

export function createTempPlaces(root: string = tmpdir()): TempPlaces {
  let tidied: Promise<void> | undefined;
  const fresh = async () => {
    tidied ??= tidy(root);
    await tidied;
    return join(root, `${prefix}${randomUUID()}`);
  };
  return {
    root,
    file: fresh,
    folder: async () => {
      const path = await fresh();
      await mkdir(path);
      return path;
    },
  };
}

/** Best effort: others' files and races with other processes must not stop the work. */
async function tidy(root: string): Promise<void> {
  const names = await readdir(root).catch((): string[] => []);
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const path = join(root, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs < staleMs) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
