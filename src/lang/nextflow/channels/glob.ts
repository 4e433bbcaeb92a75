/** Patterns of file names, as scripts write them. */
import { globPattern } from "../../core/index.ts";

export function isPattern(text: string): boolean {
  return /(?<!\\)[*?[{]/.test(text);
}

export function globMatches(glob: string, path: string): boolean {
  return globPattern(glob).matches(path);
}

/** The folder of a pattern that has no wildcard, and the rest. */
export function splitGlob(glob: string): { readonly folder: string; readonly rest: string } {
  const parts = glob.split("/");
  const at = parts.findIndex((part) => isPattern(part));
  const folder = parts.slice(0, at < 0 ? parts.length - 1 : at).join("/");
  const rest = parts.slice(at < 0 ? parts.length - 1 : at).join("/");
  return { folder: folder === "" ? (glob.startsWith("/") ? "/" : "") : folder, rest };
}
