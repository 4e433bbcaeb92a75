/**
 * POSIX patterns below a folder; names that begin with a dot are found only by patterns that do, and a pattern that ends
 * with a slash finds only folders.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { byCodeUnit } from "../../../hash/index.ts";
import { factsOf } from "./looks.ts";

/** Relative paths that match and exist, sorted by code unit; `.` is the folder itself. */
export async function globBelow(folder: string, pattern: string): Promise<readonly string[]> {
  const parts = pattern.split("/").filter((part) => part !== "" && part !== ".");
  let found: readonly string[] = ["."];
  for (const part of parts) {
    const next: string[] = [];
    for (const base of found) {
      if (!/[*?[\\]/.test(part)) {
        if (factsOf(join(folder, base, part)) !== undefined) next.push(join(base, part));
        continue;
      }
      const matcher = segmentPattern(part);
      for (const name of await namesIn(join(folder, base)))
        if (matcher.test(name) && (part.startsWith(".") || !name.startsWith(".")))
          next.push(join(base, name));
    }
    found = next;
  }
  const wanted = pattern.endsWith("/")
    ? found.filter((path) => factsOf(join(folder, path))?.isDirectory() === true)
    : [...found];
  return [...wanted].sort(byCodeUnit);
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

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    // No folder: nothing in it matches.
    return [];
  }
}
