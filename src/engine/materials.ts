/**
 * What a run knows about files: their identities (each found out once), where local copies of remote ones are, and
 * which files are outputs of entries and therefore need not be read to be known.
 *
 * Here bytes enter the run. What is handed out is what was identified: a remote file is fetched in the state that it was
 * identified in, a recorded one is compared with its manifest, and what is something else now is an obstacle that the
 * call overcomes before anything is computed from it.
 */
import { constants, lstatSync, statSync } from "node:fs";
import { chmod, copyFile, lstat, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  isProgram,
  materialiseDirectory,
  namesIn as namesOfFolder,
  notRegular,
  readTree,
} from "../files/index.ts";
import { byCodeUnit, digestOf, sha256 as sha256Of } from "../hash/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  type Digest,
  type ErrorCode,
  invariant,
  isAppError,
  mapBounded,
  messageOf,
  onDisk,
  Semaphore,
  SingleFlight,
  shownName,
  systemErrorCode,
} from "../kernel/index.ts";
import {
  type Fingerprinter,
  type Identity,
  isRemote,
  type RemoteFacts,
  type RemoteFiles,
  type RemoteMember,
} from "../keys/index.ts";
import type { FileAccess, Reach } from "../lang/core/index.ts";
import type { Entry } from "../store/entries/index.ts";
import { type FileValue, memberOf, nameProblem, type Outputs, type Value } from "../task/index.ts";
import { CheckedPaths, type Comparison } from "./checked-paths.ts";
import { filesOf } from "./files-of.ts";
import {
  baseOf,
  identityOfRecorded,
  namesIn,
  type Recorded,
  type RecordedFile,
  RecordedFiles,
  type RecordedFolder,
} from "./recorded-files.ts";
import type { Obstacle, Staged } from "./staging.ts";

/** Members of one folder. */
const downloadsAtOnce = 8;
const looksAtOnce = 16;
/** Objects that are read before it is known whether their call has to be computed. */
const readsAtOnce = 4;

export interface MaterialsOptions {
  readonly fingerprinter: Fingerprinter;
  readonly remote?: RemoteFiles;
  /** The run's folder. */
  readonly directory: string;
  /** Which files may be read. Default: all. */
  readonly reach?: Reach;
}

/** Computes a lost result again and tells `replace` what came; throws when that fails. */
export type Restore = (lost: Extract<Obstacle, { kind: "lost" }>, ask: Ask) => Promise<void>;

/** A remote file or folder that was brought here, in the state that `identity` was found out from. */
interface Copy {
  readonly path: string;
  readonly identity: Identity;
  /** Everything that was written for it. */
  readonly files: readonly string[];
}

export class Materials {
  readonly #options: MaterialsOptions;
  readonly #recorded = new RecordedFiles();
  readonly #checked: CheckedPaths;
  /** By location, then by what else the identity depends on. */
  readonly #identities = new Map<string, Map<string, Promise<Identity>>>();
  /** Of what is no entry's. */
  readonly #copies = new Map<string, Copy>();
  /** Where this run had made what a cache took over, by its place there. */
  readonly #originals = new Map<string, string>();
  /** Where the result is now of a location whose entry was lost. */
  readonly #moved = new Map<string, string>();
  readonly #bringing = new SingleFlight<Staged>();
  readonly #reads = new Semaphore(readsAtOnce);
  #restore: Restore | undefined;
  #kept = 0;

  /** Folders in which nothing is special. */
  readonly #walked = new Set<string>();

  constructor(options: MaterialsOptions) {
    this.#options = options;
    this.#checked = new CheckedPaths(options.fingerprinter);
  }

  /** From then on lost results are computed again. */
  restoreWith(restore: Restore): void {
    this.#restore = restore;
  }

  /** Content identity; found out once in a run, so that a run sees one state of the world. */
  identityOf(asked: FileValue, ask: Ask): Promise<Identity> {
    const file = this.#now(asked);
    const recorded = this.#recorded.at(file.location);
    if (recorded !== undefined) return Promise.resolve(identityOfRecorded(recorded));
    const names = this.#identities.get(file.location) ?? new Map<string, Promise<Identity>>();
    this.#identities.set(file.location, names);
    const name = nameOf(file);
    const known = names.get(name);
    if (known !== undefined) return known;
    const found = this.#identify(file, ask);
    names.set(name, found);
    // A failure is not remembered: the file may be there for the next call.
    found.catch(() => names.delete(name));
    return found;
  }

  async #identify(file: FileValue, ask: Ask): Promise<Identity> {
    const { fingerprinter, directory } = this.#options;
    await this.#mayRead(file.location);
    if (!isRemote(file.location)) return fingerprinter.identify(file, ask);
    const keepAt = join(directory, "downloads", `${this.#kept++}`, lastName(file.location));
    const identity = await fingerprinter.identify(file, ask, { keepAt });
    if (identity.facts !== undefined || identity.sha256 === undefined) return identity;
    // The server says nothing to go by: what was read is what is used.
    this.#checked.note(keepAt, identity.sha256);
    this.#copies.set(file.location, { path: keepAt, identity, files: [keepAt] });
    return identity;
  }

  /**
   * Reads what only its ETag identifies, which the call needs anyway, and knows it by its content from then on. What
   * changes meanwhile keeps its identity, and whoever stages it finds that out.
   */
  async readContent(asked: FileValue, identity: Identity, ask: Ask): Promise<Identity> {
    if (identity.unread !== true) return identity;
    const file = this.#now(asked);
    const staged = await this.#reads.use(() => this.stage(file, identity, ask));
    if (staged.kind !== "here") return identity;
    const read = await this.#options.fingerprinter.withContent(file, identity);
    if (read.unread !== true) this.#identities.get(file.location)?.set(nameOf(file), Promise.resolve(read));
    return read;
  }

  /** Whether the bytes that were staged are still those of the identity, as far as can be told. */
  async unchanged(
    input: { readonly file: FileValue; readonly identity: Identity; readonly path: string },
    ask: Ask,
  ): Promise<boolean> {
    const file = this.#now(input.file);
    const recorded = this.#recorded.at(file.location);
    if (recorded === undefined && !isRemote(file.location))
      return this.#options.fingerprinter.unchanged(file, input.identity, ask);
    if (recorded?.kind === "directory") {
      if (identityOfRecorded(recorded).text !== input.identity.text) return false;
      return (await this.#compareFolder(recorded, input.path, ask)).kind === "same";
    }
    const copy = this.#copies.get(file.location);
    const whole = recorded === undefined && file.kind === "directory" && copy?.path === input.path;
    if (whole && !(await holdsNothingElse(input.path, copy.files))) return false;
    for (const path of whole ? copy.files : [input.path])
      if (!(await this.#checked.holds(path, ask))) return false;
    return true;
  }

  /** The outputs of an entry are known by what its manifest says. */
  learnEntry(entry: Entry): void {
    this.#recorded.learn(entry);
    for (const file of filesOf(entry.outputs)) this.#options.reach?.include(file.location);
  }

  /** Of an entry that this run has just recorded: its files are here, and some have been read for it. */
  async learnRecorded(local: Outputs, entry: Entry): Promise<void> {
    this.learnEntry(entry);
    const here = filesOf(local);
    for (const [i, file] of filesOf(entry.outputs).entries()) {
      const original = here[i];
      if (original !== undefined) this.#originals.set(file.location, original.location);
    }
    const base = baseOf(entry, filesOf(entry.outputs)[0]);
    if (base === undefined || isRemote(base)) return;
    for (const file of entry.files) {
      // Only what was taken over by link is certainly what was read.
      if (file.modifiedAtMs === undefined) continue;
      const path = `${base}/${file.path}`;
      const facts = statSync(onDisk(path), { throwIfNoEntry: false });
      if (facts === undefined || facts.nlink < 2) continue;
      if (facts.size !== file.sizeBytes || facts.mtime.getTime() !== file.modifiedAtMs) continue;
      await this.#checked.vouch(path, file.sha256);
    }
  }

  /** What was recorded under `lost` is from now on what `made` holds. */
  replace(lost: Outputs, made: Outputs): void {
    for (const [name, value] of Object.entries(lost)) pairFiles(value, made[name] ?? null, this.#moved);
  }

  /** The same file where it is now. */
  #now(file: FileValue): FileValue {
    let { location } = file;
    for (let moved = this.#movedTo(location); moved !== undefined; moved = this.#movedTo(location))
      location = moved;
    return location === file.location ? file : { ...file, location };
  }

  #movedTo(location: string): string | undefined {
    if (this.#moved.size === 0) return undefined;
    for (let at = location.length; at > 0; at = location.lastIndexOf("/", at - 1)) {
      const moved = this.#moved.get(location.slice(0, at));
      if (moved !== undefined && moved !== location) return moved + location.slice(at);
    }
    return undefined;
  }

  /** Bytes of all local files of the outputs, folders with everything below. */
  async sizeOf(outputs: Outputs): Promise<number> {
    const sizes = await Promise.all(filesOf(outputs).map((file) => diskSize(file)));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Throws for what lies out of reach; what entries hold is known. */
  async #mayRead(location: string): Promise<void> {
    if (this.#recorded.at(location) === undefined) await this.#options.reach?.check(location);
  }

  /** Whether a path is Memoir's own: in the run's folder, or in an entry that the run uses. */
  isOwn(path: string): boolean {
    return path.startsWith(`${this.#options.directory}/`) || this.#recorded.isInEntry(path);
  }

  /** Whether a path is a recorded file that was compared with its manifest a moment ago. */
  isComparedFile(path: string): boolean {
    if (this.#recorded.at(path)?.kind !== "file" || this.#checked.contentAt(path) === undefined) return false;
    return lstatSync(onDisk(path)).isFile();
  }

  /** A file of ours is about to get one more name, which moves its change time: call the answer when it has it. */
  linking(path: string): () => Promise<void> {
    const sha256 = this.#recorded.at(path)?.kind === "file" ? this.#checked.contentAt(path) : undefined;
    return async () => {
      if (sha256 !== undefined) await this.#checked.vouch(path, sha256);
    };
  }

  /**
   * A host path with the bytes; what is remote is downloaded once in a run, and what is recorded is compared with its
   * manifest. What was lost is computed again.
   */
  async hostPathOf(file: FileValue, ask: Ask): Promise<string> {
    for (let changes = 0; ; ) {
      const staged = await this.stage(file, undefined, ask);
      if (staged.kind === "here") return staged.path;
      checkAsk(ask, `reading ${file.location}`);
      if (staged.kind === "changed") {
        if (++changes > 1) throw new AppError("FILE_CHANGED", staged.words);
      } else {
        if (this.#restore === undefined) throw staged.error;
        await this.#restore(staged, ask);
      }
    }
  }

  /**
   * The bytes that a call was identified with, or why they cannot be had. Without `identity`: those that the run sees.
   * Throws for files of the user that are not there or cannot be read.
   */
  async stage(asked: FileValue, identity: Identity | undefined, ask: Ask): Promise<Staged> {
    const file = this.#now(asked);
    const { location } = file;
    await this.#mayRead(location);
    const recorded = this.#recorded.at(location);
    if (recorded !== undefined) {
      // Computed again, it may have become something else.
      if (identity !== undefined && identity.text !== identityOfRecorded(recorded).text)
        return changed(location, `${asked.location} was computed again and is different now`);
      return this.#bringing.run(location, () =>
        recorded.kind === "file" ? this.#stageFile(recorded, ask) : this.#stageFolder(recorded, ask),
      );
    }
    if (isRemote(location)) {
      const wanted = identity ?? (await this.identityOf(file, ask));
      return this.#bringing.run(`${location} ${stateOf(wanted)}`, () => this.#stageRemote(file, wanted, ask));
    }
    if (identity !== undefined && !(await this.#options.fingerprinter.seemsUnchanged(file, identity))) {
      await this.#forget(location, identity);
      return changed(location, `${location} changed after the call was identified`);
    }
    await this.#refuseSpecial(location, identity);
    return { kind: "here", path: location };
  }

  /** Opening a pipe waits for ever, and what a device gives has no end. */
  async #refuseSpecial(location: string, identity: Identity | undefined): Promise<void> {
    const stats = statSync(onDisk(location), { throwIfNoEntry: false });
    if (stats === undefined || stats.isFile()) return;
    if (!stats.isDirectory()) throw notRegular("staging inputs", shownName(location), stats);
    // Reading its identity has looked at everything in it; so has whoever collected it from a task of this run.
    if (identity !== undefined || this.isOwn(location) || this.#walked.has(location)) return;
    try {
      await readTree(location, { doing: `staging ${shownName(location)}` });
    } catch (error) {
      // What is too large to be identified may be used all the same.
      if (!isAppError(error, "DIRECTORY_TOO_LARGE")) throw error;
    }
    this.#walked.add(location);
  }

  /** What is remote and no entry's. */
  async #stageRemote(file: FileValue, identity: Identity, ask: Ask): Promise<Staged> {
    const { location } = file;
    const copy = this.#copies.get(location);
    checkName(file);
    if (copy !== undefined && stateOf(copy.identity) === stateOf(identity)) {
      const whole = await Promise.all(copy.files.map((path) => this.#checked.holds(path, ask)));
      if (whole.every((each) => each)) return { kind: "here", path: copy.path };
    }
    const place = `${digestOf([location, stateOf(identity)]).slice(0, 16)}-${this.#kept++}`;
    const path = join(this.#options.directory, "downloads", place, lastName(location));
    const files: string[] = [];
    const bring = async (from: string, to: string, expected: RemoteFacts | undefined, digest?: Digest) => {
      const fetched = await this.#fetch(from, to, expected, ask);
      if (digest !== undefined && fetched !== digest)
        throw new AppError(
          "FILE_CHANGED",
          `fetching ${from}: its content is not what it was identified with`,
        );
      files.push(to);
    };
    try {
      if (file.kind === "directory") await this.#bringFolder(location, path, identity.members ?? [], bring);
      else await bring(location, path, identity.facts, identity.sha256);
    } catch (error) {
      checkAsk(ask, `fetching ${location}`);
      const vanished = file.kind === "directory" && isAppError(error) && error.row.kind === "not-found";
      if (!isAppError(error, "FILE_CHANGED") && !vanished) throw error;
      await this.#forget(location, identity);
      return changed(location, messageOf(error));
    }
    this.#copies.set(location, { path, identity, files });
    return { kind: "here", path };
  }

  async #bringFolder(
    location: string,
    path: string,
    members: readonly RemoteMember[],
    bring: (from: string, to: string, expected: RemoteFacts | undefined, digest?: Digest) => Promise<void>,
  ): Promise<void> {
    await mkdir(path, { recursive: true });
    await mapBounded(members, downloadsAtOnce, async (member) => {
      const to = join(path, member.name);
      await mkdir(dirname(to), { recursive: true });
      await bring(memberOf(location, member.name), to, member, member.sha256 as Digest | undefined);
    });
  }

  /** Downloads and answers what came. */
  async #fetch(from: string, to: string, expected: RemoteFacts | undefined, ask: Ask): Promise<Digest> {
    const { remote, fingerprinter } = this.#options;
    if (remote === undefined)
      throw new AppError("FILE_NOT_READABLE", `fetching ${from}: remote files cannot be read here`);
    await mkdir(dirname(to), { recursive: true });
    const options = expected === undefined ? {} : { expected };
    const fetched = await remote.fetch(from, to, options, ask);
    fingerprinter.rememberContent(fetched, fetched.sha256);
    this.#checked.note(to, fetched.sha256);
    return fetched.sha256;
  }

  /** The next one who asks finds out anew. Another identity, found out meanwhile, stays. */
  async #forget(location: string, identity: Identity): Promise<void> {
    const names = this.#identities.get(location);
    for (const [name, found] of names ?? []) {
      const known = await found.catch(() => undefined);
      if (known !== undefined && stateOf(known) === stateOf(identity)) names?.delete(name);
    }
  }

  /** One file of an entry. */
  async #stageFile(recorded: RecordedFile, ask: Ask): Promise<Staged> {
    const { location, sha256 } = recorded;
    let trouble: Comparison | undefined;
    if (!isRemote(location)) {
      trouble = await this.#checked.compare(location, sha256, ask);
      if (trouble.kind === "same") return this.#withMode(recorded, location, ask);
    }
    for (const path of [this.#originals.get(location), this.#copies.get(location)?.path]) {
      if (path === undefined) continue;
      if ((await this.#checked.compare(path, sha256, ask)).kind === "same")
        return this.#withMode(recorded, path, ask);
    }
    if (isRemote(location)) {
      const path = this.#placeOf(location);
      trouble = await this.#download(recorded, path, ask);
      if (trouble.kind === "same") {
        const identity = identityOfRecorded(recorded);
        this.#copies.set(location, { path, identity, files: [path] });
        return { kind: "here", path };
      }
    }
    return lost(recorded, trouble);
  }

  #placeOf(location: string): string {
    const place = `${sha256Of(location).slice(0, 16)}-${this.#kept++}`;
    return join(this.#options.directory, "downloads", place, lastName(location));
  }

  /** Object stores keep no modes, and copies of caches lose them. */
  async #withMode(recorded: RecordedFile, path: string, ask: Ask): Promise<Staged> {
    const facts = statSync(onDisk(path), { throwIfNoEntry: false });
    if (facts === undefined || isProgram(facts) === recorded.executable) return { kind: "here", path };
    const own = this.#placeOf(recorded.location);
    await this.#copyOut(recorded, path, own, ask);
    return { kind: "here", path: own };
  }

  /** A copy of the run's own, with the recorded mode. */
  async #copyOut(recorded: RecordedFile, from: string, to: string, ask: Ask): Promise<void> {
    checkAsk(ask, `copying ${from}`);
    try {
      await mkdir(onDisk(dirname(to)), { recursive: true });
      await copyFile(onDisk(from), onDisk(to), constants.COPYFILE_FICLONE);
      await chmod(onDisk(to), recorded.executable ? 0o555 : 0o444);
    } catch (error) {
      const code = systemErrorCode(error) === "ENOSPC" ? "DISK_FULL" : "RUN_FOLDER_NOT_WRITABLE";
      throw new AppError(code, `copying ${from} to ${to}: ${messageOf(error)}`, { cause: error });
    }
    this.#checked.note(to, recorded.sha256);
  }

  /** A bit that flipped on the way is another one the next time; the same wrong bytes twice are what is stored. */
  async #download(recorded: RecordedFile, path: string, ask: Ask): Promise<Comparison> {
    for (let tries = 1; ; tries++) {
      try {
        const digest = await this.#fetch(recorded.location, path, undefined, ask);
        if (digest === recorded.sha256) {
          if (recorded.executable) await chmod(onDisk(path), 0o755);
          this.#checked.note(path, digest);
          return { kind: "same" };
        }
        if (tries === 2)
          return { kind: "different", words: `${recorded.location} no longer has its recorded content` };
      } catch (error) {
        checkAsk(ask, `fetching ${recorded.location}`);
        if (!isAppError(error) || !isOfStore(error.code)) throw error;
        const gone = error.row.kind === "not-found" || error.row.kind === "damaged";
        if (!gone || tries === 2 || error.row.kind === "not-found")
          return { kind: gone ? "different" : "unreadable", words: messageOf(error), error };
      }
    }
  }

  /** A folder of an entry: its members are those of the manifest, whatever lies there. */
  async #stageFolder(folder: RecordedFolder, ask: Ask): Promise<Staged> {
    const { location } = folder;
    const known = this.#copies.get(location);
    if (known !== undefined && (await this.#compareFolder(folder, known.path, ask)).kind === "same")
      return { kind: "here", path: known.path };
    let trouble: FolderComparison | undefined;
    for (const path of [isRemote(location) ? undefined : location, this.#originals.get(location)]) {
      if (path === undefined) continue;
      const found = await this.#compareFolder(folder, path, ask);
      if (found.kind === "same") return { kind: "here", path };
      if (found.kind === "more") return this.#ownFolder(folder, path, ask);
      trouble ??= found;
    }
    if (!isRemote(location)) return lost(folder, trouble);
    return this.#ownFolder(folder, undefined, ask);
  }

  /** A folder of the run's own that holds what the manifest says, from a folder of this machine or from the store. */
  async #ownFolder(folder: RecordedFolder, from: string | undefined, ask: Ask): Promise<Staged> {
    const root = this.#placeOf(folder.location);
    const files: string[] = [];
    let trouble: Comparison | undefined;
    await materialiseDirectory(root, folder.members, async (file, to) => {
      const found =
        from === undefined ? this.#download(file, to, ask) : this.#copyMember(file, from, to, ask);
      const { kind } = await found;
      if (kind !== "same") trouble ??= await found;
      // There is something to set the mode of, also where it goes no further.
      if (kind !== "same") await writeFile(onDisk(to), "");
      else files.push(to);
    });
    if (trouble !== undefined) return lost(folder, trouble);
    // Setting a mode moves the change time.
    for (const file of folder.members)
      if (file.kind === "file" && file.executable) this.#checked.note(`${root}/${file.path}`, file.sha256);
    this.#copies.set(folder.location, { path: root, identity: identityOfRecorded(folder), files });
    return { kind: "here", path: root };
  }

  async #copyMember(
    file: RecordedFile & { readonly path: string },
    from: string,
    to: string,
    ask: Ask,
  ): Promise<Comparison> {
    const source = `${from}/${file.path}`;
    const found = await this.#checked.compare(source, file.sha256, ask);
    if (found.kind === "same") await this.#copyOut(file, source, to, ask);
    return found;
  }

  async #compareFolder(folder: RecordedFolder, root: string, ask: Ask): Promise<FolderComparison> {
    let members: Awaited<ReturnType<typeof readTree>>;
    try {
      members = await readTree(root, { doing: "comparing a recorded folder" });
    } catch (error) {
      if (!isAppError(error)) throw error;
      const gone = error.row.kind === "not-found";
      // Whatever was put in there is no reason to give up what is recorded.
      if (error.code === "FILE_NOT_REGULAR" || error.code === "DIRECTORY_TOO_LARGE") members = [];
      else return { kind: gone ? "different" : "unreadable", words: messageOf(error) };
    }
    const wanted = new Map(folder.members.filter(({ path }) => path !== "").map((each) => [each.path, each]));
    let same = 0;
    for (const member of members) {
      const recorded = wanted.get(member.path);
      if (recorded?.kind !== member.kind) continue;
      if (member.kind === "file" && recorded.kind === "file" && recorded.executable !== member.executable)
        continue;
      if (member.kind === "link" && recorded.kind === "link" && recorded.target !== member.target) continue;
      same++;
    }
    for (const file of folder.members) {
      if (file.kind !== "file") continue;
      const trouble = await this.#checked.compare(`${root}/${file.path}`, file.sha256, ask);
      if (trouble.kind !== "same") return trouble;
    }
    return same === members.length && same === wanted.size ? { kind: "same" } : { kind: "more" };
  }

  /** Files at workflow scope. */
  get access(): FileAccess {
    const { directory, remote } = this.#options;
    return {
      scratch: join(directory, "scratch"),
      stat: (location, ask) => this.#stat(location, ask),
      hostPath: (location, ask) => this.hostPathOf(asFile(location), ask),
      readText: async (location, ask) => readText(await this.hostPathOf(asFile(location), ask)),
      list: async (asked, ask) => {
        const { location } = this.#now(asFile(asked));
        const recorded = this.#recorded.at(location);
        // As its manifest has it: what lies there besides is not part of it.
        if (recorded?.kind === "directory")
          return namesIn(recorded) ?? listLocal(await this.hostPathOf(asFile(location), ask));
        await this.#mayRead(location);
        return isRemote(location) ? listRemote(location, remote, ask) : listLocal(location);
      },
      write: (name, content) => writeSmall(join(directory, "files"), name, content),
    };
  }

  async #stat(
    asked: string,
    ask: Ask,
  ): Promise<{ readonly kind: "file" | "directory"; readonly sizeBytes: number } | undefined> {
    const { location } = this.#now(asFile(asked));
    const recorded = this.#recorded.at(location);
    if (recorded?.kind === "file") return { kind: "file", sizeBytes: recorded.sizeBytes };
    if (recorded?.kind === "directory") return { kind: "directory", sizeBytes: 0 };
    await this.#mayRead(location);
    if (isRemote(location)) return statRemote(location, this.#options.remote, ask);
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

async function diskSize({ kind, location }: Pick<FileValue, "kind" | "location">): Promise<number> {
  try {
    // A task has just written it: a look takes less than a thread's turn. Folders may hold many.
    const stats = kind === "file" ? statSync(onDisk(location)) : await stat(onDisk(location));
    if (!stats.isDirectory()) return stats.size;
    const members = await readTree(location, { doing: "measuring outputs" });
    return members.reduce((sum, each) => sum + (each.kind === "file" ? Number(each.facts.size) : 0), 0);
  } catch {
    return 0;
  }
}

function asFile(location: string): FileValue {
  return { kind: "file", location, basename: basename(location) };
}

async function holdsNothingElse(root: string, files: readonly string[]): Promise<boolean> {
  const members = await readTree(root, { doing: "looking at a fetched folder" }).catch(() => undefined);
  const wanted = new Set(files);
  return members?.every((member) => member.kind === "file" && wanted.has(join(root, member.path))) === true;
}

function checkName({ location, basename: name }: FileValue): void {
  const problem = nameProblem(name);
  if (problem === undefined) return;
  throw new AppError(
    "FILE_NAME_UNUSABLE",
    `fetching ${location}: no file can be called ${JSON.stringify(name.slice(0, 300))}: ${problem}`,
  );
}

type FolderComparison = Comparison | { readonly kind: "more" };

function changed(location: string, words: string): Staged {
  return { kind: "changed", location, words };
}

function lost(recorded: Recorded, trouble: FolderComparison | undefined): Staged {
  invariant(
    trouble !== undefined && trouble.kind !== "same" && trouble.kind !== "more",
    "something is wrong",
  );
  const { entry, location } = recorded;
  const { words } = trouble;
  const damaged = trouble.kind === "different";
  const error = trouble.error ?? new AppError(damaged ? "STORE_OBJECT_DAMAGED" : "STORE_NOT_READABLE", words);
  return { kind: "lost", entry, location, words, damaged, error };
}

/** Trouble with where the bytes are, and not with where they are wanted. */
function isOfStore(code: ErrorCode): boolean {
  return code.startsWith("STORE_") || (code.startsWith("FILE_") && code !== "FILE_NOT_WRITABLE");
}

/** What an identity depends on beside the location. */
function nameOf({ kind, basename }: FileValue): string {
  return `${kind} ${basename}`;
}

/** Equal for identities of one state of one file. */
function stateOf(identity: Identity): string {
  const facts = (of: RemoteFacts | undefined) => [
    of?.etag ?? null,
    of?.sizeBytes ?? null,
    of?.modifiedAt?.getTime() ?? null,
  ];
  const members = (identity.members ?? []).map((member) => [member.name, ...facts(member)]);
  // What the store says of an object names its state, whether its content is known already or not.
  const remote = identity.facts !== undefined || identity.members !== undefined;
  return digestOf([remote ? null : identity.text, identity.stamp ?? null, facts(identity.facts), members]);
}

/** Files of `before` are the files of `after` at the same places. */
function pairFiles(before: Value, after: Value, moved: Map<string, string>): void {
  if (isList(before)) {
    for (const [i, item] of before.entries())
      pairFiles(item, (isList(after) ? after[i] : null) ?? null, moved);
  } else if (typeof before === "object" && before !== null) {
    const other = typeof after === "object" && after !== null && !isList(after) ? after : undefined;
    if (before.kind === "record") {
      const entries = other?.kind === "record" ? other.entries : [];
      for (const [i, [, item]] of before.entries.entries()) pairFiles(item, entries[i]?.[1] ?? null, moved);
    } else if (other !== undefined && other.kind === before.kind) {
      moved.set(before.location.replace(/\/+$/, ""), other.location.replace(/\/+$/, ""));
      for (const [i, sibling] of (before.siblings ?? []).entries())
        pairFiles(sibling, other.siblings?.[i] ?? null, moved);
    }
  }
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function lastName(location: string): string {
  return basename(location) || "file";
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
  const digest: Digest = sha256Of(content);
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
