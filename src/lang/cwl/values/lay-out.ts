/**
 * What a File or Directory object puts into a folder: the one way in which objects become names in a folder, for staging,
 * the working directory and outputs. Secondary files are next to their primary, in listings too. No name stands for two
 * things: a File that shares its name with anything else is an error, Directories of one name are one folder with the
 * members of both.
 * https://www.commonwl.org/v1.2/CommandLineTool.html#Directory (listing), #File (secondaryFiles)
 */
import { nameOf } from "../plan/stager.ts";
import { FileProblem, fileName } from "./file-problem.ts";
import { type DirectoryV, type FileV, isFile } from "./value.ts";

/** One name, relative to the folder. Folders come before what is in them. */
export type LaidOut =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "text"; readonly path: string; readonly content: string }
  /** Its bytes are somewhere already. */
  | { readonly kind: "copy"; readonly path: string; readonly value: FileV | DirectoryV };

/**
 * `isMade`: whether the object is only words so far and has bytes nowhere.
 * @throws FileProblem for names that no file can have, and for two things of one name
 */
export function layOut(
  value: FileV | DirectoryV,
  isMade: (value: FileV | DirectoryV) => boolean,
): readonly LaidOut[] {
  const laid = new Map<string, LaidOut>();
  put(value, "", "the output", { laid, isMade });
  return [...laid.values()];
}

interface Ground {
  readonly laid: Map<string, LaidOut>;
  readonly isMade: (value: FileV | DirectoryV) => boolean;
}

function put(value: FileV | DirectoryV, folder: string, within: string, ground: Ground): void {
  const name = fileName(nameOf(value));
  const path = folder === "" ? name : `${folder}/${name}`;
  claim(whatLies(value, path, ground), within, ground);
  if (isFile(value)) for (const each of value.secondaryFiles ?? []) put(each, folder, within, ground);
  else if (ground.isMade(value))
    for (const each of value.listing ?? []) put(each, path, `the directory ${name}`, ground);
}

function whatLies(value: FileV | DirectoryV, path: string, { isMade }: Ground): LaidOut {
  if (!isMade(value)) return { kind: "copy", path, value };
  if (!isFile(value)) return { kind: "folder", path };
  if (value.contents === undefined)
    throw new FileProblem(`the File ${path} has neither a location nor contents`);
  return { kind: "text", path, content: value.contents };
}

function claim(wanted: LaidOut, within: string, { laid }: Ground): void {
  const known = laid.get(wanted.path);
  if (known === undefined) laid.set(wanted.path, wanted);
  else if (!isSame(known, wanted)) throw sharedName(wanted.path, within);
}

function isSame(a: LaidOut, b: LaidOut): boolean {
  if (a.kind === "folder" || b.kind === "folder") return a.kind === b.kind;
  if (a.kind === "text" || b.kind === "text")
    return a.kind === "text" && b.kind === "text" && a.content === b.content;
  return a.value.class === b.value.class && placeOf(a.value) === placeOf(b.value);
}

function placeOf(value: FileV | DirectoryV): string | undefined {
  return value.held?.location ?? value.location ?? value.path;
}

export function sharedName(path: string, within: string): FileProblem {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return new FileProblem(`two different objects in ${within} are called ${name}`);
}
