/** What is in a folder and in the folders that its links lead out to, before any content is read. */
import type { BigIntStats } from "node:fs";
import { join } from "node:path";
import { readTree, realPathOf } from "../files/index.ts";
import { digestOf } from "../hash/index.ts";
import { AppError } from "../kernel/index.ts";
import { stampOf, statOf } from "./file-stamp.ts";
import type { Stamp } from "./fingerprint-memo.ts";
import { linkIdentity } from "./identity-text.ts";

export async function treeStamp(root: string): Promise<Stamp> {
  return stampOfFolders(await survey(root));
}

export function stampOfFolders(folders: readonly (readonly Surveyed[])[]): Stamp {
  return digestOf(
    folders.map((members) =>
      members.map(({ path, words, file }) => [path, words, file === undefined ? "" : stampOf(file.facts)]),
    ),
  );
}

export interface Surveyed {
  readonly path: string;
  /** What is known without reading content; goes before the identity of `file`. */
  readonly words: string;
  readonly file?: { readonly location: string; readonly facts: BigIntStats };
}

/** Folders that links lead out to, each once. */
const mostFolders = 1_000;

/**
 * The members of a folder, and after them those of every folder that its links lead out to: each once, whatever the
 * links between them are.
 */
export async function survey(root: string): Promise<readonly (readonly Surveyed[])[]> {
  const doing = `fingerprinting ${root}`;
  const roots = [await realPathOf(root)];
  const surveyed: Surveyed[][] = [];
  let members = 0;
  for (let i = 0; i < roots.length; i++) {
    const folder = roots[i] ?? root;
    const found: Surveyed[] = [];
    for (const member of await readTree(folder, { doing })) {
      const { path } = member;
      if (member.kind === "empty") found.push({ path, words: "empty" });
      else if (member.kind === "file")
        found.push({ path, words: "", file: { location: join(folder, path), facts: member.facts } });
      else {
        const words = linkIdentity(member.target);
        const { end } = member;
        const plain = member.own || member.target === "/dev/null";
        if (end.kind === "nowhere") found.push({ path, words: plain ? words : `${words}, to nothing` });
        else if (end.kind === "inside")
          found.push({ path, words: member.own ? words : `${words}, which is ${end.path}` });
        else if (end.what === "file")
          found.push({
            path,
            words: `${words}, which is `,
            file: { location: end.location, facts: await statOf(end.location) },
          });
        else found.push({ path, words: `${words}, which is folder ${folderNumber(roots, end.location)}` });
      }
    }
    surveyed.push(found);
    members += i === 0 ? 0 : found.length;
    if (roots.length > mostFolders || members > mostLinked)
      throw new AppError(
        "DIRECTORY_TOO_LARGE",
        `${doing}: its links lead to ${roots.length - 1} other folders with ${members} members and more, at most ${mostFolders} and ${mostLinked} are followed`,
      );
  }
  return surveyed;
}

/** Members of folders that links lead out to. */
const mostLinked = 100_000;

/** A folder's place among the known ones, or in one of them; a new one is added. */
function folderNumber(roots: string[], location: string): string {
  const known = roots.findIndex((root) => location === root || location.startsWith(`${root}/`));
  if (known >= 0) return `${known}${location.slice(roots[known]?.length)}`;
  roots.push(location);
  return String(roots.length - 1);
}
