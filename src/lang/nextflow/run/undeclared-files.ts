/** Files and programs that the script of a task names without declaring them as inputs. */
import type { ScriptFiles } from "../values/files.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { cleaned, Path } from "../values/path.ts";
import { isList, type Value } from "../values/thing.ts";

/** A program whose name is in a variable, or one that an input names. */
export function runsUnseen(text: string, staged: readonly Path[]): boolean {
  if (/(?:^|[|;&({`\n]|\b(?:do|then|else|exec|eval|xargs|time|nohup))[ \t]*["']?\$(?:\w|\{)/.test(text))
    return true;
  return staged.some(({ staged: name = "" }) => {
    const at = text.indexOf(name);
    return (
      at > 0 &&
      /(?:\b(?:bash|sh|source|python3?|Rscript|perl|make)(?: +-\S+)* +|(?:^|\s)\. +|\.\/)$/.test(
        text.slice(0, at),
      )
    );
  });
}

/** By their absolute paths. */
export function filesAmong(
  values: readonly Value[],
  files: ScriptFiles,
  found = new Map<string, Path>(),
): ReadonlyMap<string, Path> {
  for (const value of values) {
    if (value instanceof Path && !value.isRemote) found.set(value.absolute, value);
    else if (typeof value === "string" && /^\/./.test(value) && !found.has(cleaned(value)))
      found.set(cleaned(value), new Path(cleaned(value), files));
    else if (isList(value)) filesAmong(Array.from(value), files, found);
    else if (value instanceof GroovySet) filesAmong(value.items(), files, found);
    else if (value instanceof GroovyMap) filesAmong(value.values(), files, found);
  }
  return found;
}

export function isThere(file: Path): boolean {
  return file.isRemote || file.source !== undefined || file.files.stat(file.absolute) !== undefined;
}
