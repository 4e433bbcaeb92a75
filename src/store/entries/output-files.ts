/**
 * What an entry has to hold for its outputs, and under which relative paths:
 *
 *   out/<output>/<file>                     a file
 *   out/<output>/<folders>/<file>           a file that keeps the folders in which its task made it
 *   out/<output>/<index>/<file>             files of an array; records use the position of the member
 *   out/<output>/<dir>/…                    a directory with everything below it
 *
 * A directory's links that stay inside are their own members; what others lead to takes their place. An object
 * store cannot hold every name: there the object has a name made for it, and the manifest says the real one.
 */
import { spreadTree } from "../../files/index.ts";
import { sha256 } from "../../hash/index.ts";
import { AppError, bytesOfText, isIllFormed, shownName } from "../../kernel/index.ts";
import type { FileValue, Outputs, StoredContent, Value } from "../../task/index.ts";
import type { EntryLink, NewEntry } from "./entry-store.ts";
import { isList } from "./value-codec.ts";

export interface OutputFile {
  /** Declared output name. */
  readonly name: string;
  /** Absolute host path of the bytes, or an object of a store. */
  readonly source: string;
  /** Of the object, relative to the entry. */
  readonly path: string;
  /** Where the file is in the entry by its real names, when the object's name is another one. */
  readonly member?: string;
}

export interface PlannedOutputs {
  readonly files: readonly OutputFile[];
  readonly links: readonly EntryLink[];
  /** Folders with nothing in them, relative to the entry: a folder store makes them, an object store cannot. */
  readonly emptyFolders: readonly string[];
  /** The outputs with locations relative to the entry. */
  readonly outputs: Outputs;
}

/** `real`: names as the task had them (a folder). `objects`: names that every object store can hold. */
export type Naming = "real" | "objects";

export async function planOutputs(
  outputs: Outputs,
  naming: Naming,
  stored: NewEntry["stored"] = {},
): Promise<PlannedOutputs> {
  const files: OutputFile[] = [];
  const links: EntryLink[] = [];
  const emptyFolders: string[] = [];
  const planned: Record<string, Value> = {};
  for (const [name, value] of Object.entries(outputs)) {
    const folder = `out/${objectPart(safePart(name))}`;
    planned[name] = await plan(value, { name, folder, naming, stored, files, links, emptyFolders });
  }
  return { files, links, emptyFolders, outputs: planned };
}

/** Where a file or directory of an output lies by its real names, given the location that its value has in the entry. */
export function realPathIn(file: FileValue, path: string): string {
  return `${path.slice(0, path.lastIndexOf("/"))}/${safePart(file.basename)}`;
}

interface PlanningOutput {
  readonly name: string;
  readonly folder: string;
  readonly naming: Naming;
  readonly stored: Readonly<Record<string, StoredContent>>;
  readonly files: OutputFile[];
  readonly links: EntryLink[];
  readonly emptyFolders: string[];
}

async function plan(value: Value, place: PlanningOutput): Promise<Value> {
  if (isList(value)) {
    const items: Value[] = [];
    for (const [index, item] of value.entries()) {
      items.push(await plan(item, { ...place, folder: `${place.folder}/${index}` }));
    }
    return items;
  }
  if (typeof value !== "object" || value === null) return value;
  if (value.kind === "record") {
    const entries: (readonly [string, Value])[] = [];
    for (const [index, [key, item]] of value.entries.entries()) {
      entries.push([key, await plan(item, { ...place, folder: `${place.folder}/${index}` })]);
    }
    return { kind: "record", entries };
  }
  return planFile(value, place);
}

async function planFile(given: FileValue, place: PlanningOutput): Promise<FileValue> {
  const { folder, ...file } = given;
  const parts = (folder ?? "").split("/").filter((part) => part !== "");
  const path = [place.folder, ...parts.map(safePart), safePart(file.basename)].join("/");
  const siblings: FileValue[] = [];
  for (const sibling of file.siblings ?? []) siblings.push(await planFile(sibling, place));
  const location = objectPath(path, place.naming);
  const moved: FileValue = { ...file, location, ...(file.siblings === undefined ? {} : { siblings }) };
  if (file.kind === "file") place.files.push(outputFile(file.location, path, place));
  else await planDirectory(file.location, path, place);
  return moved;
}

function outputFile(source: string, path: string, { name, naming }: PlanningOutput): OutputFile {
  const object = objectPath(path, naming);
  return { name, source, path: object, ...(object === path ? {} : { member: path }) };
}

async function planDirectory(source: string, path: string, place: PlanningOutput): Promise<void> {
  const known = place.stored[source];
  if (known?.kind === "directory") return planStored(known, path, place);
  const tree = await spreadTree(source, { doing: `recording ${shownName(source)}` });
  const [stray] = tree.strays;
  if (stray !== undefined)
    throw new AppError(
      "OUTPUT_NOT_RECORDABLE",
      `recording ${shownName(source)}: its link ${shownName(stray.path)} leads out of it, to ${shownName(stray.target)}, where nothing is now`,
    );
  for (const file of tree.files) place.files.push(outputFile(file.source, `${path}/${file.path}`, place));
  for (const link of tree.links) place.links.push({ path: `${path}/${link.path}`, target: link.target });
  for (const under of tree.emptyFolders) place.emptyFolders.push(under === "" ? path : `${path}/${under}`);
}

function planStored(
  { members }: Extract<StoredContent, { readonly kind: "directory" }>,
  path: string,
  place: PlanningOutput,
): void {
  for (const member of members) {
    const at = member.path === "" ? path : `${path}/${member.path}`;
    if (member.kind === "file") place.files.push(outputFile(member.location, at, place));
    else if (member.kind === "link") place.links.push({ path: at, target: member.target });
    else place.emptyFolders.push(at);
  }
}

/** Output and file names become one path part each. */
function safePart(name: string): string {
  const part = name.replaceAll("/", "_").replaceAll("\0", "_");
  return part === "" || part === "." || part === ".." ? `_${part}` : part;
}

const madeName = ".memoir-name-";

/** Bytes that a path inside an entry may have: stores allow 1,024 with everything that goes before it. */
const longestPath = 600;

function objectPath(path: string, naming: Naming): string {
  if (naming === "real") return path;
  const named = path.split("/").map(objectPart).join("/");
  return Buffer.byteLength(named) > longestPath ? `out/${nameFor(path)}` : named;
}

/** The part itself where every store can hold it. */
function objectPart(part: string): string {
  // XML, in which S3 lists names, has no control characters; some servers take \ for /.
  const plain = !isIllFormed(part) && !/[\p{Cc}\\\ufffe\uffff]/u.test(part) && !part.startsWith(madeName);
  return plain ? part : nameFor(part);
}

function nameFor(text: string): string {
  return `${madeName}${sha256(bytesOfText(text))}`;
}
