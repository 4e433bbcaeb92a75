/** A folder made from a list of its members, by whoever knows where the bytes of its files are. */
import { chmod, lstat, mkdir, rm, stat, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError, mapBounded, onDisk, shownName, systemErrorCode } from "../kernel/index.ts";
import { makeFolders } from "./make-folders.ts";

/** Paths are relative to the folder; texts as `kernel/file-names.ts` has them. */
export type DirectoryMember =
  | { readonly kind: "file"; readonly path: string; readonly executable: boolean }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  /** A folder with nothing in it; "" is the folder itself. */
  | { readonly kind: "empty"; readonly path: string };

/** Files are brought from servers, too, where each waits for answers. */
const filesAtOnce = 32;

/**
 * Makes exactly these members below `folder`. `fetch` brings the bytes of a file to a path whose folder is there;
 * execute bits are set afterwards where they are missing, and links are made last, so that nothing goes through one.
 * Links that are there already where a folder belongs are replaced: what they lead to is somebody else's.
 */
export async function materialiseDirectory<M extends DirectoryMember>(
  folder: string,
  members: readonly M[],
  fetch: (file: Extract<M, { readonly kind: "file" }>, path: string) => Promise<void>,
): Promise<void> {
  const made = new Map<string, Promise<unknown>>();
  const folderAt = (path: string): Promise<unknown> => {
    const known = made.get(path);
    if (known !== undefined) return known;
    const making =
      path === folder ? makeFolders(path) : folderAt(dirname(path)).then(() => makeRealFolder(path));
    made.set(path, making);
    return making;
  };
  const placeOf = (path: string) => {
    if (path.split("/").includes("..") || path.startsWith("/"))
      throw new AppError(
        "STORE_NAME_INVALID",
        `making ${shownName(folder)}: ${shownName(path)} leads out of it`,
      );
    return path === "" ? folder : `${folder}/${path}`;
  };
  await folderAt(folder);
  for (const { kind, path } of members) if (kind === "empty") await folderAt(placeOf(path));
  const files = members.filter(
    (member): member is Extract<M, { readonly kind: "file" }> => member.kind === "file",
  );
  await mapBounded(files, filesAtOnce, async (file) => {
    const path = placeOf(file.path);
    await folderAt(dirname(path));
    await fetch(file, path);
    if (!file.executable) return;
    const { mode } = await stat(onDisk(path));
    if ((mode & 0o100) === 0) await chmod(onDisk(path), mode | 0o111);
  });
  for (const member of members) {
    if (member.kind !== "link") continue;
    const path = placeOf(member.path);
    await folderAt(dirname(path));
    await placeLink(member.target, path);
  }
}

async function makeRealFolder(path: string): Promise<void> {
  try {
    await mkdir(onDisk(path));
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    const found = await lstat(onDisk(path));
    if (found.isDirectory()) return;
    if (!found.isSymbolicLink()) throw error;
    await rm(onDisk(path));
    await mkdir(onDisk(path));
  }
}

/** Makes a link with this text. A link that is there already is one of an earlier, interrupted try. */
export async function placeLink(text: string, path: string): Promise<void> {
  const make = () => symlink(onDisk(text), onDisk(path));
  try {
    await make();
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    await rm(onDisk(path), { force: true });
    await make();
  }
}
