/** The files of a model folder: listing, copying and their common digest. */
import { constants } from "node:fs";
import { chmod, copyFile, readdir, readlink, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { makeFolders } from "../../files/index.ts";
import { byCodeUnit, digestOf, sha256File } from "../../hash/index.ts";
import { AppError, type Ask, checkAsk, type Digest, mapBounded } from "../../kernel/index.ts";

/** What belongs to tools and not to the model. */
const ignored = new Set([".git", "__pycache__", ".DS_Store", "node_modules"]);

/** Relative paths with `/`, sorted. Links are an error: they break or lead outside once the folder is copied. */
export async function listTree(folder: string, ask: Ask): Promise<readonly string[]> {
  const files: string[] = [];
  const walk = async (at: string): Promise<void> => {
    checkAsk(ask, `reading ${folder}`);
    for (const entry of await readdir(at, { withFileTypes: true })) {
      if (ignored.has(entry.name)) continue;
      const path = join(at, entry.name);
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile()) files.push(relative(folder, path));
      else throw await refused(folder, path);
    }
  };
  await walk(folder);
  return files.sort(byCodeUnit);
}

async function refused(folder: string, path: string): Promise<AppError> {
  const target = await readlink(path).catch(() => undefined);
  const what = target === undefined ? "is not a regular file" : `is a link to ${target}`;
  return new AppError(
    "MODEL_PACKAGE_INVALID",
    `reading the model in ${folder}: ${relative(folder, path)} ${what}; expected plain files and folders`,
  );
}

export async function copyTree(from: string, to: string, ask: Ask): Promise<void> {
  const files = await listTree(from, ask);
  for (const folder of new Set(files.map((file) => dirname(join(to, file))))) await makeFolders(folder);
  await mapBounded(files, 4, async (file) => {
    checkAsk(ask, `copying ${from}`);
    await copyFile(join(from, file), join(to, file), constants.COPYFILE_FICLONE);
    const executable = ((await stat(join(from, file))).mode & 0o111) !== 0;
    await chmod(join(to, file), executable ? 0o755 : 0o644);
  });
}

/** sha-256 over all paths and contents. */
export async function digestTree(folder: string, ask: Ask): Promise<Digest> {
  const files = await listTree(folder, ask);
  const digests = await mapBounded(files, 4, (file) => {
    checkAsk(ask, `reading ${folder}`);
    return sha256File(join(folder, file), ask.signal);
  });
  return digestOf(files.map((file, i) => [file, digests[i] ?? ""]));
}

/** Files up to this size are read to notice a change; larger ones (checkpoints) are recognised by size and time. */
const readUpToBytes = 4 << 20;

/** Like digestTree but quick enough for every start, for folders that are used where they lie. */
export async function quickDigestTree(folder: string, ask: Ask): Promise<Digest> {
  const files = await listTree(folder, ask);
  const parts = await mapBounded(files, 4, async (file) => {
    checkAsk(ask, `reading ${folder}`);
    const path = join(folder, file);
    const { size, mtimeNs } = await stat(path, { bigint: true });
    return size <= readUpToBytes ? await sha256File(path, ask.signal) : `${size} ${mtimeNs}`;
  });
  return digestOf(files.map((file, i) => [file, parts[i] ?? ""]));
}
