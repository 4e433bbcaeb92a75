/**
 * Documents of web addresses that are on this machine: for machines without a network, and for imports that have to stay
 * what they are. `{"https://example.org/wdl/": "vendor/wdl"}`: the longest prefix counts.
 */
import { resolve } from "node:path";

/** Prefix of addresses -> absolute folder. */
export type ImportMap = ReadonlyMap<string, string>;

/** Where the document of an address is here; undefined = the map says nothing of it. */
export function mappedPath(uri: string, map: ImportMap): string | undefined {
  const [prefix, folder] = [...map]
    .filter(([each]) => uri.startsWith(each))
    .reduce<readonly [string, string] | readonly []>(
      (a, b) => (b[0].length > (a[0]?.length ?? -1) ? b : a),
      [],
    );
  if (prefix === undefined || folder === undefined) return undefined;
  const rest = uri.slice(prefix.length).replace(/[?#].*$/s, "");
  const path = resolve(folder, `./${decoded(rest)}`);
  // `..` in an address has been resolved before; what is left would lead out of the folder.
  return path === resolve(folder) || path.startsWith(`${resolve(folder)}/`) ? path : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
