/** The objects of a folder, in the order of their names. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ConfinedFolder } from "../../files/index.ts";
import { byCodeUnit } from "../../hash/index.ts";
import { type Ask, checkAsk, nameOfBytes, onDisk, systemErrorCode } from "../../kernel/index.ts";
import { folderError } from "./folder-errors.ts";
import { infoOf, tempFolder } from "./folder-files.ts";
import { checkPrefix } from "./object-name.ts";
import type { ObjectInfo, ObjectStore } from "./object-store.ts";

interface ListedFolder {
  readonly root: string;
  readonly confined: ConfinedFolder | undefined;
  readonly look: ObjectStore["head"];
}

export async function* listFolder(
  { root, confined, look }: ListedFolder,
  prefix: string,
  ask: Ask,
): AsyncGenerator<ObjectInfo> {
  checkPrefix(prefix);
  const cut = prefix.lastIndexOf("/");
  const folder = cut < 0 ? "" : prefix.slice(0, cut + 1);
  yield* walk(folder);

  async function* walk(at: string): AsyncGenerator<ObjectInfo> {
    for (const entry of await entriesOf(at)) {
      if (entry.kind === "file") yield entry.info;
      else yield* walk(entry.full);
    }
  }

  /** One folder at one moment: a file that goes away meanwhile may have been replaced by one that was not seen yet. */
  async function entriesOf(at: string): Promise<readonly Entry[]> {
    for (let attempt = 0; ; attempt++) {
      checkAsk(ask, `listing ${root}`);
      const entries: Entry[] = [];
      let vanished = false;
      for (const { full, folder, plain } of await namesOf(at)) {
        if (folder) {
          if (full.startsWith(prefix) || prefix.startsWith(full)) entries.push({ kind: "folder", full });
        } else if (full.startsWith(prefix)) {
          const path = join(root, ...full.split("/"));
          const info = await (confined === undefined ? infoOf(full, path) : look(full, ask)).catch(
            (error) => {
              throw folderError(error, `looking at ${path}`, "reading");
            },
          );
          if (info !== undefined) entries.push({ kind: "file", info });
          else if (plain) vanished = true;
        }
      }
      if (!vanished || attempt === 10) return entries;
    }
  }

  async function namesOf(at: string): Promise<readonly { full: string; folder: boolean; plain: boolean }[]> {
    try {
      const names = at.split("/").filter((name) => name !== "");
      const held = await confined?.hold(names, "if there");
      if (confined !== undefined && held === undefined) return [];
      const folder = onDisk(held?.path ?? join(root, ...names));
      const found = await readdir(folder, { withFileTypes: true, encoding: "buffer" }).finally(() =>
        held?.close(),
      );
      // `a/b` sorts by its whole name, so a folder takes part in the order with its slash.
      return found
        .map((entry) => ({
          full: `${at}${nameOfBytes(entry.name)}${entry.isDirectory() ? "/" : ""}`,
          folder: entry.isDirectory(),
          plain: entry.isFile(),
          link: entry.isSymbolicLink(),
        }))
        .filter(({ full, link }) => full !== `${tempFolder}/` && (confined === undefined || !link))
        .sort((a, b) => byCodeUnit(a.full, b.full));
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === "ENOENT" || code === "ENOTDIR") return [];
      throw folderError(error, `listing ${join(root, at)}`, "reading");
    }
  }
}

type Entry =
  | { readonly kind: "file"; readonly info: ObjectInfo }
  | { readonly kind: "folder"; readonly full: string };
