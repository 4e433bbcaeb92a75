/**
 * POSIX patterns below a folder; names that begin with a dot are found only by patterns that do, and a pattern that ends
 * with a slash finds only folders.
 */
import { join } from "node:path";
import { byCodeUnit } from "../../../hash/index.ts";
import type { AttemptFiles } from "../../../task/index.ts";

/** Relative paths that match and exist, sorted by code unit; `.` is the folder itself. */
export async function globBelow(
  files: AttemptFiles,
  folder: string,
  pattern: string,
): Promise<readonly string[]> {
  const parts = pattern.split("/").filter((part) => part !== "" && part !== ".");
  let found: readonly string[] = ["."];
  for (const part of parts) {
    const next: string[] = [];
    for (const base of found) {
      if (!/[*?[\\]/.test(part)) {
        if ((await files.stat(join(folder, base, part))) !== undefined) next.push(join(base, part));
        continue;
      }
      const matcher = segmentPattern(part);
      for (const { name } of (await files.list(join(folder, base))) ?? [])
        if (matcher.test(name) && (part.startsWith(".") || !name.startsWith(".")))
          next.push(join(base, name));
    }
    found = next;
  }
  if (!pattern.endsWith("/")) return [...found].sort(byCodeUnit);
  const folders: string[] = [];
  for (const path of found)
    if ((await files.stat(join(folder, path)))?.kind === "directory") folders.push(path);
  return folders.sort(byCodeUnit);
}

/** `*`, `?`, `[a-z]`, `[!a]` and `\x` of one path segment. */
export function segmentPattern(text: string): RegExp {
  let source = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? "";
    if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "\\" && i + 1 < text.length) source += escaped(text[++i] ?? "");
    else if (char === "[") {
      const end = text.indexOf("]", text[i + 1] === "!" || text[i + 1] === "^" ? i + 3 : i + 2);
      if (end < 0) source += "\\[";
      else {
        const inner = text.slice(i + 1, end);
        const negated = inner.startsWith("!") || inner.startsWith("^");
        const members = (negated ? inner.slice(1) : inner).replace(/[\\\]^[]/g, "\\$&");
        source += `[${negated ? "^/" : ""}${members}]`;
        i = end;
      }
    } else source += escaped(char);
  }
  return new RegExp(`^${source}$`, "su");
}

function escaped(char: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(char) ? `\\${char === "-" ? "x2d" : char}` : char;
}
