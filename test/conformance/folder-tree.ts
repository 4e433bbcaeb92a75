/** A folder of documents for the suites. URIs are absolute paths; nothing is read over the network. */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { SourceTree } from "../../src/lang/core/index.ts";

export function folderTree(folder: string): SourceTree {
  return {
    name: folder,
    read: async (uri) => {
      if (!uri.startsWith("/")) return undefined;
      const text = await readFile(uri, "utf8").catch(() => undefined);
      return text === undefined ? undefined : { name: uri.replace(`${folder}/`, ""), text };
    },
    resolve: (reference, from) => {
      if (/^https?:/.test(reference)) return reference;
      return resolve(from === undefined ? folder : dirname(from), reference.replace(/^file:\/\//, ""));
    },
    hostPathOf: (uri) => (uri.startsWith("/") ? uri : undefined),
    list: async () => (await readdir(folder)).map((name) => join(folder, name)),
  };
}
