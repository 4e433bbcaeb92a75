/** Files that match a pattern, found through a program's view of files: here, in an entry, or in a store. */
import { byCodeUnit } from "../hash/index.ts";
import { AppError, type Ask, checkAsk, isAppError } from "../kernel/index.ts";
import { type FileAccess, type GlobMatch, type GlobOptions, globPattern } from "../lang/core/index.ts";
import { memberOf } from "../task/index.ts";

/** A folder with more is not what anybody meant. */
const mostLooks = 1_000_000;

export async function globFiles(
  files: Pick<FileAccess, "list" | "stat">,
  asked: { readonly folder: string; readonly pattern: string; readonly options: GlobOptions },
  ask: Ask,
): Promise<readonly GlobMatch[]> {
  const { folder, options } = asked;
  const pattern = globPattern(asked.pattern);
  const deepest = Math.min(
    pattern.depth ?? Number.POSITIVE_INFINITY,
    (options.maxDepth ?? Number.POSITIVE_INFINITY) + 1,
  );
  const hidden = options.hidden === true || pattern.namesHidden;
  const found: GlobMatch[] = [];
  let looks = 0;

  /** `depth`: how many names the paths of its members have. `above`: with links on the way, so that circles end. */
  async function walk(path: string, depth: number, links: number): Promise<void> {
    const at = path === "" ? folder : memberOf(folder, path);
    for (const { name, kind, link } of await membersOf(files, at, ask)) {
      checkAsk(ask, `looking for ${asked.pattern} in ${folder}`);
      if (++looks > mostLooks)
        throw new AppError(
          "DIRECTORY_TOO_LARGE",
          `looking for ${asked.pattern} in ${folder}: it holds more than ${mostLooks} files`,
        );
      if (name.startsWith(".") && !hidden) continue;
      const below = path === "" ? name : `${path}/${name}`;
      const wanted = options.kinds === "any" || (options.kinds === "files") === (kind === "file");
      if (wanted && pattern.matches(below))
        found.push({ path: below, location: memberOf(folder, below), kind });
      if (kind !== "directory" || depth >= deepest) continue;
      if (link === true && (options.followLinks === false || links >= mostLinks)) continue;
      await walk(below, depth + 1, link === true ? links + 1 : links);
    }
  }

  const { fixed } = pattern;
  const isThere =
    fixed.length === 0 || (await files.stat(memberOf(folder, fixed.join("/")), ask)) !== undefined;
  if (isThere && fixed.length < deepest) await walk(fixed.join("/"), fixed.length + 1, 0);
  return found.sort((a, b) => byCodeUnit(a.path, b.path));
}

/** Links to folders on one way; one that leads up again would never end. */
const mostLinks = 8;

async function membersOf(
  files: Pick<FileAccess, "list">,
  location: string,
  ask: Ask,
): ReturnType<FileAccess["list"]> {
  try {
    return await files.list(location, ask);
  } catch (error) {
    if (isAppError(error, "FILE_NOT_FOUND")) return [];
    throw error;
  }
}
