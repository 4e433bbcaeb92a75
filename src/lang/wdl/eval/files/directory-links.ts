/**
 * Links inside of a directory that a task answers. Whoever records, delivers or stages the directory later follows them
 * on this machine, where an absolute target is something else than it was in the task; so each is looked at here, must
 * lead to what is the task's own, and is made to lead there on this machine as well.
 */
import { readdir, readlink, realpath, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, systemErrorCode } from "../../../../kernel/index.ts";
import { ValueFailure } from "../../values/failure.ts";

/** Files that links multiply; a few links in each other's folders make millions. */
const mostLinked = 100_000;

interface Walk {
  /** Real paths of the folders that it is in. */
  readonly above: readonly string[];
  readonly linked: boolean;
  readonly count: { linked: number };
}

/**
 * `follow`: the host path that a link leads to as the task would have followed it, undefined for nowhere; fails for what
 * is not the task's.
 */
export async function settleLinks(
  folder: string,
  shown: string,
  follow: (path: string, shown: string) => Promise<string | undefined>,
  most = mostLinked,
): Promise<void> {
  await visit(folder, shown, { above: [], linked: false, count: { linked: 0 } });

  async function visit(path: string, name: string, walk: Walk): Promise<void> {
    const real = await realpath(path);
    if (walk.above.includes(real)) throw new ValueFailure(`the directory ${name} contains itself by a link`);
    const inside = { ...walk, above: [...walk.above, real] };
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (walk.linked && ++walk.count.linked > most)
        throw new ValueFailure(`the links of the directory ${shown} lead to more than ${most} files`);
      const inner = join(path, entry.name);
      const innerName = join(name, entry.name);
      if (entry.isDirectory()) await visit(inner, innerName, inside);
      else if (entry.isSymbolicLink()) await visitLink(inner, innerName, inside);
    }
  }

  async function visitLink(path: string, name: string, walk: Walk): Promise<void> {
    const target = await follow(path, name);
    const meant = target === undefined ? undefined : await realOrNothing(target);
    if ((await realOrNothing(path)) !== meant) await replace(path, name, meant);
    // By the name that `follow` knows it by: a real path may begin otherwise.
    if (target !== undefined && (await isFolder(target)))
      await visit(target, name, { ...walk, linked: true });
  }
}

/** What leads nowhere in the task is not there: here it might lead to a file of this machine. */
async function replace(path: string, name: string, target: string | undefined): Promise<void> {
  const was = await readlink(path);
  try {
    await rm(path);
    if (target !== undefined) await symlink(target, path);
  } catch (error) {
    throw new ValueFailure(`${name}, a link to ${was}, cannot be followed: ${messageOf(error)}`);
  }
}

async function realOrNothing(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(systemErrorCode(error) ?? "")) return undefined;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    () => false,
  );
}
