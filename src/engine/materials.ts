/**
 * What a run knows about files: their identities (each found out once), where local copies of remote ones are, and
 * which files are outputs of entries and therefore need not be read to be known.
 */
import { existsSync, statSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { materialiseDirectory } from "../files/index.ts";
import { byCodeUnit, sha256 } from "../hash/index.ts";
import {
  AppError,
  type Ask,
  type Digest,
  messageOf,
  SingleFlight,
  systemErrorCode,
} from "../kernel/index.ts";
import {
  type Fingerprinter,
  fileIdentity,
  type Identity,
  isRemote,
  linkIdentity,
  type RemoteFiles,
  treeIdentity,
} from "../keys/index.ts";
import type { FileAccess, Reach } from "../lang/core/index.ts";
import { type Entry, membersOf, pathInEntry, type RecordedMember } from "../store/entries/index.ts";
import { type FileValue, memberOf, nameProblem, type Outputs } from "../task/index.ts";
import { filesOf } from "./files-of.ts";

interface Known {
  readonly identity: Identity;
  /** As recorded; another size or time means that somebody wrote into the cache. */
  readonly recorded?: { readonly sizeBytes: number; readonly modifiedAtMs: number };
}

export interface MaterialsOptions {
  readonly fingerprinter: Fingerprinter;
  readonly remote?: RemoteFiles;
  /** The run's folder. */
  readonly directory: string;
  /** Which files may be read. Default: all. */
  readonly reach?: Reach;
}

export class Materials {
  readonly #options: MaterialsOptions;
  readonly #identities = new Map<string, Promise<Identity>>();
  readonly #known = new Map<string, Known>();
  readonly #copies = new Map<string, string>();
  /** Where this run had made what a cache in a folder took over, by its place there. */
  readonly #originals = new Map<string, string>();
  readonly #downloads = new SingleFlight<string>();
  /** What recorded directories hold, by location. */
  readonly #directories = new Map<string, readonly RecordedMember[]>();
  /** Files of entries that tasks had made programs; a download does not know that. */
  readonly #programs = new Set<string>();
  /** Of entries that this run uses. */
  readonly #entryFolders: string[] = [];

  constructor(options: MaterialsOptions) {
    this.#options = options;
  }

  /** Content identity; found out once in a run, so that a run sees one state of the world. */
  identityOf(file: FileValue, ask: Ask): Promise<Identity> {
    const known = this.#known.get(file.location);
    if (known !== undefined) return Promise.resolve(known.identity);
    const name = `${file.kind} ${file.basename} ${file.location}`;
    const asked = this.#identities.get(name);
    if (asked !== undefined) return asked;
    const found = this.#mayRead(file.location).then(() => this.#options.fingerprinter.identify(file, ask));
    this.#identities.set(name, found);
    // A failure is not remembered: the file may be there for the next call.
    found.catch(() => this.#identities.delete(name));
    return found;
  }

  /** Whether a file is still what its identity says, as far as a look at its times can tell. */
  async unchanged(file: FileValue, identity: Identity, ask: Ask): Promise<boolean> {
    const recorded = this.#known.get(file.location)?.recorded;
    if (recorded === undefined) return this.#options.fingerprinter.unchanged(file, identity, ask);
    try {
      const now = await stat(file.location);
      return now.size === recorded.sizeBytes && now.mtime.getTime() === recorded.modifiedAtMs;
    } catch {
      return false;
    }
  }

  /** The outputs of an entry are known by what its manifest says. */
  learnEntry(entry: Entry): void {
    const byPath = new Map(entry.files.map((file) => [file.path, file]));
    const programs = entry.files.filter((file) => file.executable === true);
    for (const file of filesOf(entry.outputs)) {
      this.#options.reach?.include(file.location);
      const path = pathInEntry(entry, file.location);
      if (path === undefined) continue;
      const folder = file.location.slice(0, file.location.length - path.length);
      if (!this.#entryFolders.includes(folder)) this.#entryFolders.push(folder);
      for (const program of programs)
        if (program.path === path || program.path.startsWith(`${path}/`))
          this.#programs.add(file.location + program.path.slice(path.length));
      if (file.kind === "directory") {
        const members = membersOf(entry, file) ?? [];
        this.#directories.set(file.location, members);
        this.#known.set(file.location, { identity: treeOf(members) });
        continue;
      }
      const stored = byPath.get(path);
      if (stored === undefined) continue;
      const { sizeBytes, sha256: digest, modifiedAtMs } = stored;
      const text = fileIdentity(digest, stored.executable === true);
      this.#known.set(file.location, {
        identity: { text, sha256: digest, sizeBytes },
        ...(modifiedAtMs === undefined ? {} : { recorded: { sizeBytes, modifiedAtMs } }),
      });
    }
  }

  /** Whether a location is a file of an entry in a folder, which is never a link. */
  isRecordedFile(location: string): boolean {
    return this.#known.get(location)?.recorded !== undefined && !this.#originals.has(location);
  }

  /** Whether a path lies in the folder of an entry that this run uses. */
  isInEntry(path: string): boolean {
    return this.#entryFolders.some((folder) => path.startsWith(folder));
  }

  /** Recorded results are still here: dependents need no download, and the run outlives the loss of its cache. */
  learnCopies(local: Outputs, recorded: Outputs): void {
    const here = filesOf(local);
    for (const [i, file] of filesOf(recorded).entries()) {
      const copy = here[i];
      if (copy === undefined) continue;
      if (isRemote(file.location)) this.#copies.set(file.location, copy.location);
      else this.#originals.set(file.location, copy.location);
    }
  }

  /** Bytes of all local files of the outputs, folders with everything below. */
  async sizeOf(outputs: Outputs): Promise<number> {
    const sizes = await Promise.all(filesOf(outputs).map((file) => diskSize(file)));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Throws for what lies out of reach. What an entry on a server holds is known by what its manifest says. */
  async #mayRead(location: string): Promise<void> {
    if (isRemote(location) && (this.#known.has(location) || this.#copies.has(location))) return;
    await this.#options.reach?.check(location);
  }

  /** A host path with the bytes; downloads what is remote, once in a run. */
  async hostPathOf(file: FileValue, ask: Ask): Promise<string> {
    await this.#mayRead(file.location);
    if (!isRemote(file.location)) return this.#present(file.location);
    const copy = this.#copies.get(file.location);
    if (copy !== undefined) return copy;
    const path = await this.#downloads.run(file.location, () => this.#download(file, ask));
    this.#copies.set(file.location, path);
    return path;
  }

  #present(path: string): string {
    const original = this.#originals.get(path);
    return original === undefined || existsSync(path) ? path : original;
  }

  async #download(file: FileValue, ask: Ask): Promise<string> {
    const { remote, directory } = this.#options;
    if (remote === undefined)
      throw new AppError("FILE_NOT_READABLE", `fetching ${file.location}: remote files cannot be read here`);
    const problem = nameProblem(file.basename);
    if (problem !== undefined)
      throw new AppError(
        "FILE_NAME_UNUSABLE",
        `fetching ${file.location}: no file can be called ${JSON.stringify(file.basename.slice(0, 300))}: ${problem}`,
      );
    const path = join(directory, "downloads", sha256(file.location).slice(0, 16), file.basename);
    await mkdir(dirname(path), { recursive: true });
    const bring = async (from: string, to: string) => {
      await remote.fetch(from, to, {}, ask);
      if (this.#programs.has(from)) await chmod(to, 0o755);
    };
    if (file.kind === "file") {
      await bring(file.location, path);
      return path;
    }
    const members = this.#directories.get(file.location);
    if (members !== undefined) {
      await materialiseDirectory(path, members, (member, to) => bring(member.location, to));
      return path;
    }
    await mkdir(path, { recursive: true });
    for await (const member of remote.list(file.location, ask)) {
      await mkdir(dirname(join(path, member.name)), { recursive: true });
      await bring(memberOf(file.location, member.name), join(path, member.name));
    }
    return path;
  }

  /** Files at workflow scope. */
  get access(): FileAccess {
    const { directory, remote } = this.#options;
    return {
      scratch: join(directory, "scratch"),
      stat: (location, ask) => this.#stat(location, ask),
      readText: async (location, ask) => readText(await this.hostPathOf(asFile(location), ask)),
      list: async (location, ask) => {
        await this.#mayRead(location);
        const copy = this.#copies.get(location);
        if (isRemote(location) && copy === undefined) return listRemote(location, remote, ask);
        return listLocal(copy ?? this.#present(location));
      },
      write: (name, content) => writeSmall(join(directory, "files"), name, content),
    };
  }

  async #stat(
    location: string,
    ask: Ask,
  ): Promise<{ readonly kind: "file" | "directory"; readonly sizeBytes: number } | undefined> {
    const known = this.#known.get(location)?.identity.sizeBytes;
    if (known !== undefined) return { kind: "file", sizeBytes: known };
    await this.#mayRead(location);
    const copy = this.#copies.get(location);
    if (isRemote(location) && copy === undefined) return statRemote(location, this.#options.remote, ask);
    try {
      const stats = await stat(copy ?? this.#present(location));
      return { kind: stats.isDirectory() ? "directory" : "file", sizeBytes: stats.size };
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw unreadable("looking at", location, error);
    }
  }
}

async function diskSize({ kind, location }: Pick<FileValue, "kind" | "location">): Promise<number> {
  try {
    // A task has just written it: a look takes less than a thread's turn. Folders may hold many.
    const stats = kind === "file" ? statSync(location) : await stat(location);
    if (!stats.isDirectory()) return stats.size;
    const sizes = await Promise.all(
      (await readdir(location)).map((name) =>
        diskSize({ kind: "directory", location: join(location, name) }),
      ),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}

function asFile(location: string): FileValue {
  return { kind: "file", location, basename: basename(location) };
}

/** As `localTree` identifies the folder that these members make. */
function treeOf(members: readonly RecordedMember[]): Identity {
  return treeIdentity(
    members
      .filter(({ path }) => path !== "")
      .map((member) => {
        if (member.kind === "file") return [member.path, fileIdentity(member.file.sha256, member.executable)];
        return [member.path, member.kind === "link" ? linkIdentity(member.target) : "empty"];
      }),
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw unreadable("reading", path, error);
  }
}

async function listLocal(
  path: string,
): Promise<readonly { readonly name: string; readonly kind: "file" | "directory" }[]> {
  try {
    const members = await readdir(path, { withFileTypes: true });
    const kinds = await Promise.all(
      members.map(async (member) => {
        const isFolder = member.isSymbolicLink()
          ? await stat(join(path, member.name)).then(
              (stats) => stats.isDirectory(),
              () => false,
            )
          : member.isDirectory();
        return { name: member.name, kind: isFolder ? ("directory" as const) : ("file" as const) };
      }),
    );
    return kinds.sort((a, b) => byCodeUnit(a.name, b.name));
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
