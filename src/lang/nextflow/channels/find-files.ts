/** Files that a path or pattern names, for `file()` and `channel.fromPath`. */
import type { Outside } from "../stdlib/outside.ts";
import { cleaned, Path, schemeOf } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { globMatches, isPattern, splitGlob } from "./glob.ts";

export interface FindOptions {
  readonly glob: boolean;
  readonly type: string | undefined;
  readonly hidden: boolean | undefined;
  readonly maxDepth: number | undefined;
  readonly relative: boolean;
  readonly followLinks: boolean;
  readonly checkIfExists: boolean;
}

/** Sorted by path. A path without wildcards is answered though nothing be there, unless that is to be checked. */
export function filesOf(what: Value, options: FindOptions, outside: Outside): Path[] {
  if (what instanceof Path) return checked([what], what, options);
  const text = textOf(what).replace(/^file:\/\//, "");
  if (schemeOf(text) !== undefined) return remoteFiles(text, options, outside);
  const absolute = text.startsWith("/") ? text : `${outside.files.launchDir}/${text}`;
  if (!options.glob || !isPattern(text)) {
    const path = new Path(cleaned(absolute.replaceAll(/\\([*?[\]{}])/g, "$1")), outside.files);
    return checked([path], path, options);
  }
  const { folder, rest } = splitGlob(absolute);
  const base = cleaned(folder === "" ? "/" : folder);
  const found = walk({ base, pattern: rest, options, outside });
  if (found.length === 0 && options.checkIfExists)
    fail("IllegalArgumentException", `No files match pattern \`${rest}\` at path: ${base}/`);
  return found.map(
    (each) =>
      new Path(options.relative ? each : base === "/" ? `/${each}` : `${base}/${each}`, outside.files),
  );
}

/** Patterns are expanded among what the run's parameters name. */
function remoteFiles(text: string, options: FindOptions, outside: Outside): Path[] {
  const { files } = outside;
  const path = new Path(text, files);
  const isKnown = files.stat(text) !== undefined;
  if (isKnown || !options.glob || !isPattern(text)) return [path];
  const { folder, rest } = splitGlob(text);
  // What is not known may be there: who stages it reports that it is not.
  if (files.stat(folder) === undefined) return [path];
  const found = walk({ base: folder, pattern: rest, options, outside });
  if (found.length === 0 && options.checkIfExists)
    fail("IllegalArgumentException", `No files match pattern \`${rest}\` at path: ${folder}/`);
  return found.map((each) => new Path(options.relative ? each : `${folder}/${each}`, files));
}

function checked(found: Path[], path: Path, options: FindOptions): Path[] {
  if (options.checkIfExists && !path.isRemote && path.files.stat(path.absolute) === undefined)
    fail("NoSuchFileException", `No such file or directory: ${path.location}`);
  return found;
}

interface Walk {
  readonly base: string;
  readonly pattern: string;
  readonly options: FindOptions;
  readonly outside: Outside;
}

function walk({ base, pattern, options, outside }: Walk): string[] {
  const { files } = outside;
  const deep = pattern.includes("**");
  const depth = deep
    ? (options.maxDepth ?? 100)
    : Math.min(options.maxDepth ?? 100, pattern.split("/").length - 1);
  const hidden = options.hidden ?? pattern.split("/").some((part) => part.startsWith("."));
  const type = options.type ?? "file";
  const found: string[] = [];
  const visit = (folder: string, prefix: string, level: number): void => {
    for (const name of files.list(folder)) {
      if (!hidden && name.startsWith(".")) continue;
      const path = `${folder === "/" ? "" : folder}/${name}`;
      const relative = prefix + name;
      const isLink = !options.followLinks && files.isLink(path);
      // A link that is not followed counts as a file, whatever it leads to.
      const kind = isLink ? "file" : files.stat(path)?.kind;
      if (kind === undefined) continue;
      const wanted = type === "any" || (type === "dir" ? kind === "directory" : kind === "file");
      if (wanted && globMatches(pattern, relative)) found.push(relative);
      if (kind === "directory" && level < depth) visit(path, `${relative}/`, level + 1);
    }
  };
  if (files.stat(base)?.kind === "directory") visit(base, "", 0);
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
