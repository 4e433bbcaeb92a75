/** The names under which input files are put into the working directory. */
import { FileList } from "../values/file-list.ts";
import { Path } from "../values/path.ts";
import type { Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";

/** Files with their names; one file is itself, several are a list. */
export function stagedFiles(
  files: readonly Path[],
  pattern: string | undefined,
): { readonly value: Value; readonly staged: readonly Path[] } {
  const staged = files.map(
    (file, index) =>
      new Path(
        file.location,
        file.files,
        nameFor(file.fileName, pattern, { index: index + 1, count: files.length }),
        file.source,
      ),
  );
  const [only] = staged;
  if (only !== undefined && staged.length === 1) return { value: only, staged };
  const list = new FileList();
  for (const each of staged) list.push(each);
  return { value: list, staged };
}

interface Position {
  readonly index: number;
  readonly count: number;
}

export function nameFor(name: string, pattern: string | undefined, { index, count }: Position): string {
  if (pattern === undefined || pattern === "" || pattern === "*") return name;
  const slash = pattern.lastIndexOf("/");
  if (slash >= 0) {
    const folder = numbered(pattern.slice(0, slash), { index, count });
    const last = pattern.slice(slash + 1);
    const inner =
      last === "*" || last === ""
        ? name
        : /[*?]/.test(pattern.slice(0, slash))
          ? last
          : nameFor(name, last, { index, count });
    return `${folder}/${inner}`;
  }
  if (!/[*?]/.test(pattern)) return count > 1 ? `${pattern}${index}` : pattern;
  return numbered(pattern, { index, count });
}

/** `f*` becomes `f` of one file and `f1`, `f2` of several; `f??` becomes `f01`, also of one. */
function numbered(pattern: string, { index, count }: Position): string {
  const marks = /\?+/.exec(pattern);
  if (marks !== null) return pattern.replace(/\?+/, String(index).padStart(marks[0].length, "0"));
  return pattern.replace("*", count > 1 ? String(index) : "");
}

/** Two files cannot have one name. */
export function checkCollisions(staged: readonly Path[]): void {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const each of staged) {
    const name = each.staged ?? "";
    if (seen.has(name)) twice.add(name);
    seen.add(name);
  }
  if (twice.size > 0)
    fail(
      "ProcessUnrecoverableException",
      `input file name collision -- There are multiple input files for each of the following file names: ${[...twice].join(", ")}`,
    );
}
