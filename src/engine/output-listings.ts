/** The contents of directories among delivered outputs: CWL lists them with the outputs, so that nobody has to look. */
import { join } from "node:path";
import { readTree } from "../files/index.ts";
import { shownName } from "../kernel/index.ts";
import type { FileValue, Outputs } from "../task/index.ts";
import { filesOf } from "./files-of.ts";
import type { Listings } from "./json-values.ts";

/** Of every folder, at any depth, by its location. Links are listed as what they lead to, where that is a file. */
export async function outputListings(outputs: Outputs): Promise<Listings> {
  const listings = new Map<string, FileValue[]>();
  for (const file of filesOf(outputs))
    if (file.kind === "directory" && !listings.has(file.location)) await list(file.location, listings);
  return listings;
}

async function list(root: string, listings: Map<string, FileValue[]>): Promise<void> {
  listings.set(root, []);
  for (const member of await readTree(root, { doing: `listing ${shownName(root)}` })) {
    const location = join(root, member.path);
    const cut = location.lastIndexOf("/");
    const folder = location.slice(0, cut);
    const basename = location.slice(cut + 1);
    addFolders(root, member.kind === "empty" ? location : folder, listings);
    const members = listings.get(folder);
    if (member.kind === "file")
      members?.push({ kind: "file", location, basename, sizeBytes: Number(member.facts.size) });
    else if (member.kind === "link" && member.end.kind !== "nowhere")
      members?.push({ kind: "file", location, basename });
  }
}

/** Folders are known from their contents, and listed in the folder above once. */
function addFolders(root: string, folder: string, listings: Map<string, FileValue[]>): void {
  if (folder === root || listings.has(folder)) return;
  const cut = folder.lastIndexOf("/");
  const above = folder.slice(0, cut);
  addFolders(root, above, listings);
  listings.set(folder, []);
  listings.get(above)?.push({ kind: "directory", location: folder, basename: folder.slice(cut + 1) });
}
