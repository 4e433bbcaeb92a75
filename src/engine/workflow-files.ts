/** Files at workflow scope, as front ends see them: what inputs, entries and the run itself hold. */
import { createReadStream, type Stats } from "node:fs";
import { lstat, mkdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { namesIn as namesOfFolder, notRegular, spreadTree } from "../files/index.ts";
import { byCodeUnit, sha256 } from "../hash/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  type Digest,
  isAppError,
  mapBounded,
  messageOf,
  onDisk,
  shownName,
  systemErrorCode,
  utf8Text,
} from "../kernel/index.ts";
import { isRemote, type RemoteFiles } from "../keys/index.ts";
import type { FileAccess, GlobMatch, GlobOptions } from "../lang/core/index.ts";
import { globFiles } from "./glob-files.ts";
import { namesIn, type Recorded } from "./recorded-files.ts";
import { copyWhole, type WritingPlaces, writeWhole } from "./writing-places.ts";

const looksAtOnce = 16;
const pieceBytes = 1 << 18;

export interface WorkflowFilesParts {
  /** The run's folder. */
  readonly directory: string;
  readonly remote?: RemoteFiles;
  readonly places: WritingPlaces;
  /** Where the file is now, and what its manifest says where it is recorded. */
  resolve(location: string): { readonly location: string; readonly recorded: Recorded | undefined };
  /** Throws for what lies out of reach. */
  mayRead(location: string): Promise<void>;
  hostPathOf(location: string, ask: Ask): Promise<string>;
  keeps(path: string): boolean;
}

export class WorkflowFiles implements FileAccess {
  readonly #parts: WorkflowFilesParts;
  readonly scratch: string;

  constructor(parts: WorkflowFilesParts) {
    this.#parts = parts;
    this.scratch = join(parts.directory, "scratch");
  }

  keeps(path: string): boolean {
    return !path.startsWith(`${this.scratch}/`) && this.#parts.keeps(path);
  }

  hostPath(location: string, ask: Ask): Promise<string> {
    return this.#parts.hostPathOf(location, ask);
  }

  async readText(location: string, ask: Ask): Promise<string> {
    return readText(await this.hostPath(location, ask));
  }

  async list(asked: string, ask: Ask): ReturnType<FileAccess["list"]> {
    const { location, recorded } = this.#parts.resolve(asked);
    // As its manifest lists it: anything else in the folder is not part of it.
    if (recorded?.kind === "directory")
      return namesIn(recorded) ?? listLocal(await this.hostPath(location, ask));
    await this.#parts.mayRead(location);
    return isRemote(location) ? listRemote(location, this.#parts.remote, ask) : listLocal(location);
  }

  async *read(
    location: string,
    ask: Ask,
    range?: { readonly start: number; readonly end: number },
  ): AsyncGenerator<Uint8Array> {
    const path = await this.hostPath(location, ask);
    const stats = await factsOf("reading", path);
    if (!stats.isFile()) throw notRegular("reading", shownName(path), stats);
    const { start = 0, end = stats.size } = range ?? {};
    if (end <= start) return;
    if (start === 0 && end === stats.size && end <= pieceBytes) {
      // Most files are small: read at once, which takes less than handing a stream's steps to threads.
      yield await readFile(onDisk(path)).catch((error: unknown) => {
        throw unreadable("reading", path, error);
      });
      return;
    }
    const stream = createReadStream(onDisk(path), { start, end: end - 1, highWaterMark: pieceBytes });
    try {
      for await (const piece of stream) {
        checkAsk(ask, `reading ${location}`);
        yield piece as Uint8Array;
      }
    } catch (error) {
      if (isAppError(error)) throw error;
      throw unreadable("reading", path, error);
    } finally {
      stream.destroy();
    }
  }

  glob(folder: string, pattern: string, options: GlobOptions, ask: Ask): Promise<readonly GlobMatch[]> {
    return globFiles(this, { folder, pattern, options }, ask);
  }

  async copy(location: string, target: string, ask: Ask): Promise<void> {
    const source = await this.hostPath(location, ask);
    const stats = await factsOf("copying", source);
    if (stats.isDirectory()) return copyFolder(source, target, this.#parts.places, ask);
    if (!stats.isFile()) throw notRegular("copying", shownName(source), stats);
    await inPlace(this.#parts.places, target, (temporary) => copyWhole(source, temporary));
  }

  async writeTo(target: string, content: string | AsyncIterable<Uint8Array>, ask: Ask): Promise<void> {
    checkAsk(ask, `writing ${target}`);
    await inPlace(this.#parts.places, target, (temporary) => writeWhole(temporary, content));
  }

  async makeFolder(target: string, ask: Ask): Promise<void> {
    checkAsk(ask, `making ${target}`);
    await this.#parts.places.makeFolder(target);
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

async function factsOf(doing: string, path: string): Promise<Stats> {
  try {
    return await stat(onDisk(path));
  } catch (error) {
    throw unreadable(doing, path, error);
  }
}

async function inPlace(
  places: WritingPlaces,
  target: string,
  make: (temporary: string) => Promise<void>,
): Promise<void> {
  const place = await places.open(target);
  try {
    await place.fill(make);
  } finally {
    place.close();
  }
}

async function copyFolder(source: string, target: string, places: WritingPlaces, ask: Ask): Promise<void> {
  const tree = await spreadTree(source, { doing: `copying ${shownName(source)}` });
  await places.makeFolder(target);
  for (const path of tree.emptyFolders) await places.makeFolder(join(target, path));
  await mapBounded(tree.files, looksAtOnce, (file) => {
    checkAsk(ask, `copying ${source}`);
    return inPlace(places, join(target, file.path), (temporary) => copyWhole(file.source, temporary));
  });
  for (const link of tree.links)
    await inPlace(places, join(target, link.path), (temporary) =>
      symlink(onDisk(link.target), onDisk(temporary)),
    );
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(onDisk(path)).catch((error: unknown) => {
    throw unreadable("reading", path, error);
  });
  const text = utf8Text(bytes);
  if (text === undefined) throw new AppError("FILE_NOT_UTF8", `reading ${shownName(path)}: it is not UTF-8`);
  return text;
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
