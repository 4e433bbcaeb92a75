/** Patterns of file names: `*`, `**`, `?`, `[a-z]`, `{a,b}`. */
import { regexOf } from "../values/pattern.ts";

export function isPattern(text: string): boolean {
  return /(?<!\\)[*?[{]/.test(text);
}

/** As a regular expression over a path with slashes. */
export function globSource(glob: string): string {
  let source = "";
  let braces = 0;
  for (let at = 0; at < glob.length; at++) {
    const code = glob[at] ?? "";
    switch (code) {
      case "\\":
        source += escapedLetter(glob[at + 1] ?? "\\");
        at++;
        break;
      case "*":
        if (glob[at + 1] === "*") {
          source += ".*";
          at++;
        } else source += "[^/]*";
        break;
      case "?":
        source += "[^/]";
        break;
      case "[": {
        const end = glob.indexOf("]", at + 2);
        if (end < 0) source += "\\[";
        else {
          const inner = glob
            .slice(at + 1, end)
            .replace(/^!/, "^")
            .replaceAll("\\", "\\\\")
            .replaceAll("[", "\\[");
          source += `[${inner}]`;
          at = end;
        }
        break;
      }
      case "{":
        braces++;
        source += "(?:";
        break;
      case "}":
        if (braces > 0) {
          braces--;
          source += ")";
        } else source += "\\}";
        break;
      case ",":
        source += braces > 0 ? "|" : ",";
        break;
      default:
        source += escapedLetter(code);
    }
  }
  while (braces-- > 0) source += ")";
  return `^${source}$`;
}

function escapedLetter(letter: string): string {
  return /[.+^$()|\\/{}[\]*?]/.test(letter) ? `\\${letter}` : letter;
}

export function globMatches(glob: string, path: string): boolean {
  const regex = regexOf(globSource(glob), "s");
  regex.lastIndex = 0;
  return regex.test(path);
}

/** The folder of a pattern that has no wildcard, and the rest. */
export function splitGlob(glob: string): { readonly folder: string; readonly rest: string } {
  const parts = glob.split("/");
  const at = parts.findIndex((part) => isPattern(part));
  const folder = parts.slice(0, at < 0 ? parts.length - 1 : at).join("/");
  const rest = parts.slice(at < 0 ? parts.length - 1 : at).join("/");
  return { folder: folder === "" ? (glob.startsWith("/") ? "/" : "") : folder, rest };
}
