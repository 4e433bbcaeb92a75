/**
 * Which files an entry has to hold for its outputs, and under which relative paths:
 *
 *   out/<output>/<file>                     a file
 *   out/<output>/<index>/<file>             files of an array; records use the position of the member
 *   out/<output>/<dir>/…                    a directory with everything below it
 *
 * Links inside directories are followed; broken ones are left out.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { byCodeUnit } from "../../hash/index.ts";
import { systemErrorCode } from "../../kernel/index.ts";
import type { FileValue, Outputs, Value } from "../../task/index.ts";
import { isList } from "./value-codec.ts";

export interface OutputFile {
  /** Declared output name. */
  readonly name: string;
  /** Absolute host path of the bytes. */
  readonly source: string;
  /** Relative to the entry. */
  readonly path: string;
}

export interface PlannedOutputs {
  readonly files: readonly OutputFile[];
  /** Folders with nothing in them, relative to the entry: a folder store makes them, an object store cannot. */
  readonly emptyFolders: readonly string[];
  /** The outputs with locations relative to the entry. */
  readonly outputs: Outputs;
}

export async function planOutputs(outputs: Outputs): Promise<PlannedOutputs> {
  const files: OutputFile[] = [];
  const emptyFolders: string[] = [];
  const planned: Record<string, Value> = {};
  for (const [name, value] of Object.entries(outputs)) {
    planned[name] = await plan(value, { name, folder: `out/${safePart(name)}`, files, emptyFolders });
  }
  return { files, emptyFolders, outputs: planned };
}

interface Place {
  readonly name: string;
  readonly folder: string;
  readonly files: OutputFile[];
  readonly emptyFolders: string[];
}

async function plan(value: Value, place: Place): Promise<Value> {
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

async function planFile(file: FileValue, place: Place): Promise<FileValue> {
  const path = `${place.folder}/${safePart(file.basename)}`;
  const siblings: FileValue[] = [];
  for (const sibling of file.siblings ?? []) siblings.push(await planFile(sibling, place));
  const moved: FileValue = { ...file, location: path, ...(file.siblings === undefined ? {} : { siblings }) };
  if (file.kind === "file") {
    place.files.push({ name: place.name, source: file.location, path });
    return moved;
  }
  const emptyDirectories: string[] = [];
  await planDirectory({ source: file.location, path, under: "" }, place, emptyDirectories);
  for (const under of emptyDirectories) place.emptyFolders.push(under === "." ? path : `${path}/${under}`);
  // Object stores have no folders: what is empty has to be said.
  return emptyDirectories.length === 0 ? moved : { ...moved, extra: { ...file.extra, emptyDirectories } };
}

async function planDirectory(
  at: { source: string; path: string; under: string },
  place: Place,
  emptyDirectories: string[],
): Promise<void> {
  const names = (await readdir(at.source)).sort(byCodeUnit);
  if (names.length === 0) emptyDirectories.push(at.under === "" ? "." : at.under);
  for (const name of names) {
    const source = join(at.source, name);
    const info = await stat(source).catch((error) => {
      if (systemErrorCode(error) === "ENOENT") return undefined;
      throw error;
    });
    if (info?.isDirectory()) {
      const under = at.under === "" ? name : `${at.under}/${name}`;
      await planDirectory({ source, path: `${at.path}/${name}`, under }, place, emptyDirectories);
    } else if (info?.isFile()) {
      place.files.push({ name: place.name, source, path: `${at.path}/${name}` });
    }
  }
}

/** Output and file names become one path part each. */
function safePart(name: string): string {
  const part = name.replaceAll("/", "_").replaceAll("\0", "_");
  return part === "" || part === "." || part === ".." ? `_${part}` : part;
}
