/** Files at workflow scope, through the host: sizes of whole directories, texts, what a location is. */
import { type Ask, isAppError } from "../../../../kernel/index.ts";
import { type FileValue, isObjectUri, memberOf } from "../../../../task/index.ts";
import type { FileAccess } from "../../../core/index.ts";
import { ValueFailure } from "../../values/failure.ts";
import { baseName } from "../../values/neutral.ts";

export interface FileStat {
  readonly kind: "file" | "directory";
  readonly sizeBytes: number;
}

/** The most text that an expression may read: it is held in memory as a whole. */
const longestText = 256 * 1024 * 1024;

/** undefined = not there. */
export async function statFile(files: FileAccess, location: string, ask: Ask): Promise<FileStat | undefined> {
  const found = await lookAt(files, location, ask);
  if (found === undefined || found.kind === "file") return found;
  return { kind: "directory", sizeBytes: await treeSize(files, location, ask) };
}

/** What is there; a pipe, socket or device is an error of the value that names it. */
export async function lookAt(
  files: FileAccess,
  location: string,
  ask: Ask,
): Promise<{ readonly kind: "file" | "directory"; readonly sizeBytes: number } | undefined> {
  try {
    return await files.stat(location, ask);
  } catch (error) {
    if (isAppError(error, "FILE_NOT_REGULAR")) throw new ValueFailure(error.message, error.hint);
    throw error;
  }
}

async function treeSize(files: FileAccess, location: string, ask: Ask): Promise<number> {
  let total = 0;
  for (const entry of await files.list(location, ask)) {
    // Following links into folders may have no end.
    if (entry.link === true && entry.kind === "directory") continue;
    const path = memberOf(location, entry.name);
    total +=
      entry.kind === "directory"
        ? await treeSize(files, path, ask)
        : ((await files.stat(path, ask))?.sizeBytes ?? 0);
  }
  return total;
}

/** `shown` is the path as the user's expression has it. */
export async function readTextFile(
  files: FileAccess,
  location: string,
  shown: string,
  ask: Ask,
): Promise<string> {
  const found = await lookAt(files, location, ask);
  if (found === undefined) throw new ValueFailure(`cannot read ${shown}: it does not exist`);
  if (found.kind === "directory") throw new ValueFailure(`cannot read ${shown}: it is a directory`);
  if (found.sizeBytes > longestText) {
    throw new ValueFailure(
      `cannot read ${shown}: it has ${found.sizeBytes} bytes, the limit is ${longestText}`,
    );
  }
  try {
    return await files.readText(location, ask);
  } catch (error) {
    if (isAppError(error, "FILE_NOT_FOUND"))
      throw new ValueFailure(`cannot read ${shown}: it does not exist`);
    throw error;
  }
}

export function isUrl(path: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(path);
}

/** `file:///data/a` and `file:/data/a` are the host path `/data/a`; other texts stay. */
export function withoutFileScheme(path: string): string {
  const scheme = /^file:(?:\/\/(?:localhost(?=\/))?|(?=\/))/i.exec(path)?.[0];
  if (scheme === undefined) return path;
  const text = path.slice(scheme.length);
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone % was not encoded: the name is as it is written.
    return text;
  }
}

export function fileAt(location: string, kind: "file" | "directory"): FileValue {
  return {
    kind,
    // Every slash of a key counts.
    location: location.length > 1 && !isObjectUri(location) ? location.replace(/\/+$/, "") : location,
    basename: baseName(location),
  };
}
