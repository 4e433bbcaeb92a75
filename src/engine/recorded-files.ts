/**
 * What the manifests of the entries that a run uses contain about their files and folders, by location. No file has to
 * be read for that, and what is in an entry's folder without being in its manifest is not part of the entry.
 */
import type { DirectoryMember } from "../files/index.ts";
import { byCodeUnit } from "../hash/index.ts";
import type { Digest } from "../kernel/index.ts";
import { fileIdentity, type Identity } from "../keys/index.ts";
import {
  type Entry,
  type EntryFile,
  identityOfMembers,
  membersOf,
  pathInEntry,
} from "../store/entries/index.ts";
import type { FileValue } from "../task/index.ts";
import { filesOf } from "./files-of.ts";

export interface RecordedFile {
  readonly kind: "file";
  readonly entry: Entry;
  readonly location: string;
  readonly sha256: Digest;
  readonly sizeBytes: number;
  readonly executable: boolean;
}

/** Paths are relative to the folder. */
export type RecordedMember =
  | (RecordedFile & { readonly path: string })
  | Exclude<DirectoryMember, { readonly kind: "file" }>;

export interface RecordedFolder {
  readonly kind: "directory";
  readonly entry: Entry;
  readonly location: string;
  readonly members: readonly RecordedMember[];
}

export type Recorded = RecordedFile | RecordedFolder;

interface KnownEntry {
  readonly entry: Entry;
  /** Where the entry's folder is: an absolute host path, or `s3://…`. */
  readonly base: string;
  readonly files: ReadonlyMap<string, EntryFile>;
  /** Declared folders. */
  readonly folders: readonly FileValue[];
}

const uuidPattern = /\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=\/)/g;

export class RecordedFiles {
  readonly #entries = new Map<string, KnownEntry>();

  learn(entry: Entry): void {
    if (this.#entries.has(entry.uuid)) return;
    const values = filesOf(entry.outputs);
    // An entry without files has nothing that anybody could ask for.
    const base = baseOf(entry, values[0]);
    if (base === undefined) return;
    this.#entries.set(entry.uuid, {
      entry,
      base,
      files: new Map(entry.files.map((file) => [file.path, file])),
      folders: values.filter((value) => value.kind === "directory"),
    });
  }

  /** undefined for what is not recorded, or not under this name. */
  at(location: string): Recorded | undefined {
    const known = this.#known(location);
    if (known === undefined) return undefined;
    const plain = location.replace(/\/+$/, "");
    const file = known.files.get(plain.slice(known.base.length + 1));
    if (file !== undefined) return recordedFile(known.entry, plain, file);
    return folderAt(known, plain);
  }

  /** Whether a location is inside an entry's folder, whether the manifest names it or not. */
  isInEntry(location: string): boolean {
    return this.#known(location) !== undefined;
  }

  /** Whether an entry's folder is below a folder. */
  isAround(folder: string): boolean {
    const start = folder.endsWith("/") ? folder : `${folder}/`;
    return [...this.#entries.values()].some(({ base }) => base.startsWith(start));
  }

  #known(location: string): KnownEntry | undefined {
    for (const match of location.matchAll(uuidPattern)) {
      const known = this.#entries.get(match[1] ?? "");
      if (known === undefined || !location.startsWith(`${known.base}/`)) continue;
      if (!location.slice(known.base.length).split("/").includes("..")) return known;
    }
    return undefined;
  }
}

/** Where the folder of an entry is, from the location of one of its outputs. */
export function baseOf(entry: Entry, value: FileValue | undefined): string | undefined {
  const path = value === undefined ? undefined : pathInEntry(entry, value.location);
  if (value === undefined || path === undefined) return undefined;
  return value.location.slice(0, value.location.length - path.length - 1);
}

/** As the same file or folder outside a cache is identified. */
export function identityOfRecorded(recorded: Recorded): Identity {
  if (recorded.kind === "file") {
    const { sha256, sizeBytes, executable } = recorded;
    return { text: fileIdentity(sha256, executable), sha256, sizeBytes };
  }
  return identityOfMembers(recorded.members);
}

/** Names directly in a recorded folder, sorted by code unit; undefined where a link has to be followed to know. */
export function namesIn(
  folder: RecordedFolder,
): readonly { readonly name: string; readonly kind: "file" | "directory" }[] | undefined {
  const kinds = new Map<string, "file" | "directory">();
  for (const member of folder.members) {
    const [name = "", ...rest] = member.path.split("/");
    if (name === "") continue;
    if (member.kind === "link" && rest.length === 0) return undefined;
    kinds.set(name, rest.length === 0 && member.kind === "file" ? "file" : "directory");
  }
  return [...kinds].map(([name, kind]) => ({ name, kind })).sort((a, b) => byCodeUnit(a.name, b.name));
}

function recordedFile(entry: Entry, location: string, file: EntryFile): RecordedFile {
  const { sha256, sizeBytes, executable } = file;
  return { kind: "file", entry, location, sha256, sizeBytes, executable: executable === true };
}

/** A declared folder, or something inside one. */
function folderAt({ entry, folders }: KnownEntry, location: string): Recorded | undefined {
  for (const folder of folders) {
    const root = folder.location.replace(/\/+$/, "");
    if (location !== root && !location.startsWith(`${root}/`)) continue;
    const below = location.slice(root.length + 1);
    const members: RecordedMember[] = [];
    for (const member of membersOf(entry, folder) ?? []) {
      if (below !== "" && member.path !== below && !member.path.startsWith(`${below}/`)) continue;
      const path = below === "" ? member.path : member.path.slice(below.length + 1);
      if (member.kind !== "file") members.push({ ...member, path });
      else {
        const file = recordedFile(entry, member.location, member.file);
        if (path === "") return file;
        members.push({ ...file, path });
      }
    }
    if (
      below !== "" &&
      (members.length === 0 || members.some((each) => each.kind === "link" && each.path === ""))
    )
      continue;
    members.sort((a, b) => byCodeUnit(a.path, b.path));
    return { kind: "directory", entry, location, members };
  }
  return undefined;
}
