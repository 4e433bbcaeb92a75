/** What a recorded directory holds, by its manifest. */
import type { DirectoryMember } from "../../files/index.ts";
import type { Digest } from "../../kernel/index.ts";
import { fileIdentity, type Identity, linkIdentity, treeIdentity } from "../../keys/index.ts";
import type { FileValue } from "../../task/index.ts";
import type { Entry, EntryFile } from "./entry-store.ts";
import { realPathIn } from "./output-files.ts";

export type RecordedMember =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly executable: boolean;
      readonly file: EntryFile;
      /** Where its bytes are. */
      readonly location: string;
    }
  | Exclude<DirectoryMember, { readonly kind: "file" }>;

/**
 * All members of a directory among the entry's outputs, paths relative to it; undefined for a directory that lies
 * somewhere else.
 */
export function membersOf(entry: Entry, directory: FileValue): readonly RecordedMember[] | undefined {
  const path = pathInEntry(entry, directory.location);
  if (path === undefined) return undefined;
  const base = directory.location.slice(0, directory.location.length - path.length);
  const real = realPathIn(directory, path);
  const below = (at: string) => (at.startsWith(`${real}/`) ? at.slice(real.length + 1) : undefined);
  const members: RecordedMember[] = [];
  for (const file of entry.files) {
    const inside = below(file.member ?? file.path);
    if (inside === undefined) continue;
    const executable = file.executable === true;
    members.push({ kind: "file", path: inside, executable, file, location: `${base}${file.path}` });
  }
  for (const { path: at, target } of entry.links) {
    const inside = below(at);
    if (inside !== undefined) members.push({ kind: "link", path: inside, target });
  }
  for (const at of entry.emptyFolders) {
    const inside = at === real ? "" : below(at);
    if (inside !== undefined) members.push({ kind: "empty", path: inside });
  }
  return members;
}

/** As a folder with these members is identified outside a cache. */
export function identityOfMembers(
  members: readonly (
    | { readonly kind: "file"; readonly path: string; readonly executable: boolean; readonly sha256: Digest }
    | Exclude<DirectoryMember, { readonly kind: "file" }>
  )[],
): Identity {
  return treeIdentity(
    members
      .filter(({ path }) => path !== "")
      .map((member) => {
        if (member.kind === "file") return [member.path, fileIdentity(member.sha256, member.executable)];
        return [member.path, member.kind === "link" ? linkIdentity(member.target) : "empty"];
      }),
  );
}

/** The part of a location that follows the entry's folder. */
export function pathInEntry(entry: Entry, location: string): string | undefined {
  const mark = `/${entry.uuid}/`;
  const at = location.indexOf(mark);
  return at < 0 ? undefined : location.slice(at + mark.length);
}
