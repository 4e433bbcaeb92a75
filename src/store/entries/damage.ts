/**
 * What is wrong with an entry, and which other entries may have been computed from it while it was. A key names the
 * content of its inputs, so an entry whose inputs name what a damaged one had recorded may have been given the damaged
 * bytes instead.
 */
import { fileIdentity } from "../../keys/index.ts";
import type { FileValue, Value } from "../../task/index.ts";
import { identityOfMembers, membersOf, type RecordedMember } from "./directory-members.ts";
import type { Entry, EntryFile } from "./entry-store.ts";
import { isList } from "./value-codec.ts";

export interface Damage {
  /** For people. */
  readonly reason: string;
  /** Files that hold something else than was recorded. */
  readonly wrong: readonly EntryFile[];
  readonly gone: readonly EntryFile[];
  /** A link or an empty folder is not what was recorded. */
  readonly rest: boolean;
}

/** Machines' clocks differ by less than this. */
const clockDoubtMs = 3_600_000;

/**
 * Identities, as they are in keys, of what the entry had recorded and could have handed out wrongly. A missing
 * file was handed out to nobody; a folder without it may have been.
 */
export function doubtfulContents(entry: Entry, damage: Damage): ReadonlySet<string> {
  const identities = new Set<string>();
  for (const { sha256 } of damage.wrong) {
    identities.add(fileIdentity(sha256, false));
    identities.add(fileIdentity(sha256, true));
  }
  const bad = new Set([...damage.wrong, ...damage.gone]);
  for (const folder of directoriesOf(entry)) {
    const members = membersOf(entry, folder) ?? [];
    const touched = members.filter((each) => each.kind === "file" && bad.has(each.file));
    if (touched.length === 0 && !damage.rest) continue;
    // A part of a recorded folder can be an input, too.
    const parts = new Set([""]);
    for (const { path } of damage.rest ? members : touched)
      for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
        parts.add(path.slice(0, at));
    for (const part of parts) identities.add(identityOfPart(members, part));
  }
  return identities;
}

function identityOfPart(members: readonly RecordedMember[], part: string): string {
  const below = part === "" ? "" : `${part}/`;
  const inside = members.filter(({ path }) => path.startsWith(below));
  const moved = inside.map((member) => {
    const path = member.path.slice(below.length);
    return member.kind === "file" ? { ...member, path, sha256: member.file.sha256 } : { ...member, path };
  });
  return identityOfMembers(moved).text;
}

/** Whether an entry may have been computed from what a damaged one handed out. */
export function mayComeFrom(
  entry: Entry,
  damaged: { readonly entry: Entry; readonly contents: ReadonlySet<string> },
): boolean {
  if (entry.createdAt.getTime() < damaged.entry.createdAt.getTime() - clockDoubtMs) return false;
  return inputsOf(entry).some((identity) => damaged.contents.has(identity));
}

/** Identities of the files and folders that decided an entry. */
function inputsOf(entry: Entry): readonly string[] {
  const inputs = entry.components["inputs"];
  if (typeof inputs !== "object" || inputs === null || Array.isArray(inputs)) return [];
  return Object.values(inputs).flatMap((input: unknown) => {
    if (typeof input === "string") return [input];
    const identity = (input as { readonly identity?: unknown } | null)?.identity;
    return typeof identity === "string" ? [identity] : [];
  });
}

function directoriesOf(entry: Entry): readonly FileValue[] {
  const found: FileValue[] = [];
  const visit = (value: Value): void => {
    if (isList(value)) value.forEach(visit);
    else if (typeof value === "object" && value !== null) {
      if (value.kind === "record") for (const [, item] of value.entries) visit(item);
      else {
        if (value.kind === "directory") found.push(value);
        for (const sibling of value.siblings ?? []) visit(sibling);
      }
    }
  };
  Object.values(entry.outputs).forEach(visit);
  return found;
}
