/**
 * A listing in which every name stands for one thing. Directories that share a name become one, recursively; a File that
 * shares its name with anything else is an error, unless it is the same file twice.
 * https://www.commonwl.org/v1.2/CommandLineTool.html#Directory (listing)
 */
import { nameOf, sourceOf } from "../plan/stager.ts";
import { sharedName } from "./lay-out.ts";
import { type DirectoryV, type FileV, isDirectory, isFile } from "./value.ts";

type Member = FileV | DirectoryV;

/** Everything in a directory that lies somewhere, with listings. */
type DeepList = (directory: DirectoryV) => Promise<readonly Member[]>;

/** `within`: for messages. @throws FileProblem */
export async function mergedListing(
  listing: readonly Member[],
  within: string,
  deepList: DeepList,
): Promise<readonly Member[]> {
  const byName = new Map<string, Member>();
  for (const each of listing) {
    const name = nameOf(each);
    const known = byName.get(name);
    if (known === undefined) byName.set(name, each);
    else if (isDirectory(known) && isDirectory(each) && !isSame(known, each))
      byName.set(name, await merged(known, each, deepList));
    else if (!isSame(known, each)) throw sharedName(name, within);
    else if (isFile(known) && isFile(each)) byName.set(name, withAllSecondaryFiles(known, each));
  }
  checkSecondaryNames(byName, within);
  return [...byName.values()];
}

/** The same file twice, with what either says to be next to it. */
function withAllSecondaryFiles(a: FileV, b: FileV): FileV {
  const secondary = [...(a.secondaryFiles ?? []), ...(b.secondaryFiles ?? [])];
  return secondary.length === 0 ? a : { ...a, secondaryFiles: secondary };
}

async function merged(a: DirectoryV, b: DirectoryV, deepList: DeepList): Promise<DirectoryV> {
  const name = nameOf(a);
  const listed = (each: DirectoryV) =>
    sourceOf(each) === undefined ? Promise.resolve(each.listing ?? []) : deepList(each);
  const members = [...(await listed(a)), ...(await listed(b))];
  return {
    class: "Directory",
    basename: name,
    listing: await mergedListing(members, `the directory ${name}`, deepList),
  };
}

/** Secondary files are in the same folder. */
function checkSecondaryNames(byName: ReadonlyMap<string, Member>, within: string): void {
  const secondary = new Map<string, Member>();
  for (const member of byName.values())
    for (const each of isFile(member) ? (member.secondaryFiles ?? []) : []) {
      const name = nameOf(each);
      const known = byName.get(name) ?? secondary.get(name);
      if (known !== undefined && !isSame(known, each)) throw sharedName(name, within);
      secondary.set(name, each);
    }
}

function isSame(a: Member, b: Member): boolean {
  if (a.class !== b.class) return false;
  const [from, to] = [sourceOf(a), sourceOf(b)];
  if (from !== undefined || to !== undefined) return from?.location === to?.location;
  if (isFile(a) && isFile(b)) return a.contents === b.contents;
  return isDirectory(a) && isDirectory(b) && (a.listing ?? []).length + (b.listing ?? []).length === 0;
}
