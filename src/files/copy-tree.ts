/**
 * A folder brought to another place as `readTree` sees it: links that stay inside remain links, links that lead out
 * become what they lead to, empty folders, names and execute bits stay. Nothing in the copy leads back to the original.
 */
import { lstat } from "node:fs/promises";
import { AppError, onDisk, shownName } from "../kernel/index.ts";
import { materialiseDirectory } from "./materialise.ts";
import { replaceByCopy } from "./replace-by-copy.ts";
import { keptTarget, readTree, type TreeOrder, treeLimits } from "./tree.ts";

/** A folder spread out: where every file's bytes are, links that lead out replaced by what they lead to. */
export interface SpreadTree {
  readonly files: readonly SpreadFile[];
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Those with nothing in them. */
  readonly emptyFolders: readonly string[];
  /** Links to nothing whose text leads out of the folder: somewhere else they may lead to something. */
  readonly strays: readonly { readonly path: string; readonly target: string }[];
}

export interface SpreadFile {
  readonly path: string;
  /** Absolute. */
  readonly source: string;
  readonly executable: boolean;
  readonly sizeBytes: number;
}

/** What links bring in from other folders; a link to `/` would bring in the machine. */
const mostBroughtIn = 100_000;

/** @throws what `readTree` throws; DIRECTORY_TOO_LARGE for folders that contain each other by links. */
export async function spreadTree(root: string, order: TreeOrder): Promise<SpreadTree> {
  const files: SpreadFile[] = [];
  const links: { path: string; target: string }[] = [];
  const emptyFolders: string[] = [];
  const strays: { path: string; target: string }[] = [];
  const limits = order.limits ?? treeLimits;
  let broughtIn = 0;

  async function spread(folder: string, under: string, above: readonly string[]): Promise<void> {
    const at = (path: string) => (under === "" ? path : `${under}/${path}`);
    const members = await readTree(folder, order);
    if (above.length > 0) {
      broughtIn += members.length;
      if (broughtIn > Math.min(mostBroughtIn, limits.members))
        throw new AppError(
          "DIRECTORY_TOO_LARGE",
          `${order.doing}: its links lead to more than ${Math.min(mostBroughtIn, limits.members)} files outside it`,
        );
    }
    if (members.length === 0) emptyFolders.push(under);
    for (const member of members) {
      const path = at(member.path);
      if (member.kind === "empty") emptyFolders.push(path);
      else if (member.kind === "file") {
        const { executable, facts } = member;
        files.push({ path, source: `${folder}/${member.path}`, executable, sizeBytes: Number(facts.size) });
      } else if (member.end.kind !== "outside") {
        const link = { path, target: keptTarget(member) };
        links.push(link);
        if (member.end.kind === "nowhere" && !member.own && member.target !== "/dev/null") strays.push(link);
      } else if (member.end.what === "file") {
        const facts = await lstat(onDisk(member.end.location));
        const executable = (facts.mode & 0o100) !== 0;
        files.push({ path, source: member.end.location, executable, sizeBytes: facts.size });
        broughtIn++;
      } else {
        const { location } = member.end;
        const outer = [...above, folder].find(
          (each) => each === location || location.startsWith(`${each}/`) || each.startsWith(`${location}/`),
        );
        if (outer !== undefined)
          throw new AppError(
            "DIRECTORY_TOO_LARGE",
            `${order.doing}: it contains itself, by the link ${shownName(path)} to ${shownName(location)}`,
          );
        await spread(location, path, [...above, folder]);
      }
    }
  }

  await spread(root, "", []);
  return { files, links, emptyFolders, strays };
}

/** How one file is brought; its folder is there. Default: a copy, by reflink where the file system has them. */
export type PlaceFile = (source: string, target: string) => Promise<void>;

/** Copies a folder to `target`. What is in the way of a member there is replaced. */
export async function copyTree(
  root: string,
  target: string,
  order: TreeOrder & { readonly place?: PlaceFile },
): Promise<void> {
  const place = order.place ?? replaceByCopy;
  const { files, links, emptyFolders } = await spreadTree(root, order);
  await materialiseDirectory(
    target,
    [
      ...emptyFolders.map((path) => ({ kind: "empty" as const, path })),
      ...files.map((file) => ({ kind: "file" as const, ...file })),
      ...links.map((link) => ({ kind: "link" as const, ...link })),
    ],
    (file, path) => place(file.source, path),
  );
}
