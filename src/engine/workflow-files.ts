/** Files at workflow scope, as front ends see them: what inputs, entries and the run itself hold. */
import { lstat, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { namesIn as namesOfFolder, notRegular } from "../files/index.ts";
import { byCodeUnit, sha256 } from "../hash/index.ts";
import {
  AppError,
  type Ask,
  type Digest,
  isAppError,
  mapBounded,
  messageOf,
  onDisk,
  shownName,
  systemErrorCode,
} from "../kernel/index.ts";
import { isRemote, type RemoteFiles } from "../keys/index.ts";
import type { FileAccess } from "../lang/core/index.ts";
import { namesIn, type Recorded } from "./recorded-files.ts";

const looksAtOnce = 16;

export interface WorkflowFilesParts {
  /** The run's folder. */
  readonly directory: string;
  readonly remote?: RemoteFiles;
  /** Where the file is now, and what its manifest says where it is recorded. */
  resolve(location: string): { readonly location: string; readonly recorded: Recorded | undefined };
  /** Throws for what lies out of reach. */
  mayRead(location: string): Promise<void>;
  hostPathOf(location: string, ask: Ask): Promise<string>;
}

export class WorkflowFiles implements FileAccess {
  readonly #parts: WorkflowFilesParts;
  readonly scratch: string;

  constructor(parts: WorkflowFilesParts) {
    this.#parts = parts;
    this.scratch = join(parts.directory, "scratch");
  }

  hostPath(location: string, ask: Ask): Promise<string> {
    return this.#parts.hostPathOf(location, ask);
  }

  async readText(location: string, ask: Ask): Promise<string> {
    return readText(await this.hostPath(location, ask));
  }

  async list(asked: string, ask: Ask): ReturnType<FileAccess["list"]> {
    const { location, recorded } = this.#parts.resolve(asked);
    // As its manifest has it: what lies there besides is not part of it.
    if (recorded?.kind === "directory")
      return namesIn(recorded) ?? listLocal(await this.hostPath(location, ask));
    await this.#parts.mayRead(location);
    return isRemote(location) ? listRemote(location, this.#parts.remote, ask) : listLocal(location);
  }

  write(name: string, content: string): Promise<string> {
    return writeSmall(join(this.#parts.directory, "files"), name, content);
  }

  async stat(
    asked: string,
    ask: Ask,
  ): Promise<{ readonly kind: "file" | "directory"; readonly sizeBytes: number } | undefined> {
    const { location, recorded } = this.#parts.resolve(asked);
    if (recorded?.kind === "file") return { kind: "file", sizeBytes: recorded.sizeBytes };
    if (recorded?.kind === "directory") return { kind: "directory", sizeBytes: 0 };
    await this.#parts.mayRead(location);
    if (isRemote(location)) return statRemote(location, this.#parts.remote, ask);
    try {
      const stats = await stat(onDisk(location));
      if (!stats.isDirectory() && !stats.isFile())
        throw notRegular("looking at a file", shownName(location), stats);
      return { kind: stats.isDirectory() ? "directory" : "file", sizeBytes: stats.size };
    } catch (error) {
      if (isAppError(error)) throw error;
      const code = systemErrorCode(error);
      if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return undefined;
      throw unreadable("looking at", location, error);
    }
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(onDisk(path), "utf8");
  } catch (error) {
    throw unreadable("reading", path, error);
  }
}

async function listLocal(path: string): ReturnType<FileAccess["list"]> {
  try {
    const listed = await mapBounded(await namesOfFolder(path), looksAtOnce, async (name) => {
      const at = onDisk(`${path}/${name}`);
      const own = await lstat(at);
      const facts = own.isSymbolicLink() ? await stat(at).catch(() => undefined) : own;
      const kind = facts?.isDirectory() === true ? ("directory" as const) : ("file" as const);
      return own.isSymbolicLink() ? { name, kind, link: true as const } : { name, kind };
    });
    return listed.sort((a, b) => byCodeUnit(a.name, b.name));
  } catch (error) {
    throw unreadable("listing", path, error);
  }
}

async function listRemote(
  location: string,
  remote: RemoteFiles | undefined,
  ask: Ask,
): Promise<readonly { readonly name: string; readonly kind: "file" | "directory" }[]> {
  const kinds = new Map<string, "file" | "directory">();
  if (remote !== undefined)
    for await (const member of remote.list(location, ask)) {
      const slash = member.name.indexOf("/");
      kinds.set(slash < 0 ? member.name : member.name.slice(0, slash), slash < 0 ? "file" : "directory");
    }
  return [...kinds].map(([name, kind]) => ({ name, kind })).sort((a, b) => byCodeUnit(a.name, b.name));
}

async function statRemote(
  location: string,
  remote: RemoteFiles | undefined,
  ask: Ask,
): Promise<{ readonly kind: "file" | "directory"; readonly sizeBytes: number } | undefined> {
  if (remote === undefined)
    throw new AppError("FILE_NOT_READABLE", `looking at ${location}: remote files cannot be read here`);
  const facts = location.endsWith("/") ? undefined : await remote.head(location, ask);
  if (facts !== undefined) return { kind: "file", sizeBytes: facts.sizeBytes ?? 0 };
  if (!location.startsWith("s3:")) return undefined;
  for await (const _ of remote.list(location, ask)) return { kind: "directory", sizeBytes: 0 };
  return undefined;
}

/** Named by content: equal content is one file, and the same expression gives the same location again. */
async function writeSmall(folder: string, name: string, content: string): Promise<string> {
  const digest: Digest = sha256(content);
  const place = join(folder, digest.slice(0, 16));
  const path = join(place, name === "" ? "text" : basename(name));
  try {
    await mkdir(place, { recursive: true });
    const temp = `${path}.${process.pid}.tmp`;
    await writeFile(temp, content);
    await rename(temp, path);
  } catch (error) {
    const code = systemErrorCode(error) === "ENOSPC" ? "DISK_FULL" : "FILE_NOT_WRITABLE";
    throw new AppError(code, `writing ${path}: ${messageOf(error)}`, { cause: error });
  }
  return path;
}

function unreadable(doing: string, location: string, error: unknown): AppError {
  const code = systemErrorCode(error);
  if (code === "ENOENT" || code === "ENOTDIR")
    return new AppError("FILE_NOT_FOUND", `${doing} ${location}: no such file or folder`, { cause: error });
  return new AppError("FILE_NOT_READABLE", `${doing} ${location}: ${messageOf(error)}`, { cause: error });
}
