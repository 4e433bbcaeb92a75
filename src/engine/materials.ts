/**
 * What a run knows about files: their identities (each found out once), where local copies of remote ones are, and
 * which files are outputs of entries and therefore need not be read to be known.
 *
 * Here bytes enter the run. What is handed out is what was identified: a remote file is fetched in the state that it was
 * identified in, a recorded one is compared with its manifest, and what is something else now is an obstacle that the
 * call overcomes before anything is computed from it.
 */
import { lstatSync, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { followLinks, notRegular, readTree } from "../files/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  defined,
  invariant,
  isAppError,
  onDisk,
  Semaphore,
  SingleFlight,
  shownName,
} from "../kernel/index.ts";
import {
  type Fingerprinter,
  type Identity,
  isRemote,
  type RemoteFacts,
  type RemoteFiles,
} from "../keys/index.ts";
import type { Reach } from "../lang/core/index.ts";
import type { Entry } from "../store/entries/index.ts";
import {
  type FileValue,
  type InputIdentity,
  isObjectUri,
  memberOf,
  type Outputs,
  type StoredContent,
} from "../task/index.ts";
import { CheckedPaths } from "./checked-paths.ts";
import { FetchedCopies, holdsNothingElse, stateOf } from "./fetched-copies.ts";
import { filesOf } from "./files-of.ts";
import { MovedResults } from "./moved-results.ts";
import { RecordedBytes } from "./recorded-bytes.ts";
import {
  baseOf,
  identityOfRecorded,
  type Recorded,
  type RecordedFile,
  RecordedFiles,
} from "./recorded-files.ts";
import { changed, type Located, type Obstacle, type Staged } from "./staging.ts";
import { identityOfStored, StoredOutputs } from "./stored-outputs.ts";
import { WorkflowFiles } from "./workflow-files.ts";
import { WritingPlaces } from "./writing-places.ts";

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

/** Computes a lost result again and passes the new one to `replace`; throws when that fails. */
export type Restore = (lost: Extract<Obstacle, { kind: "lost" }>, ask: Ask) => Promise<void>;

export class Materials {
  readonly #options: MaterialsOptions;
  readonly #recorded = new RecordedFiles();
  readonly #checked: CheckedPaths;
  /** By location, then by what else the identity depends on. */
  readonly #identities = new Map<string, Map<string, Promise<Identity>>>();
  /** Copies of files outside entries, and of entries that are not on this machine. */
  readonly #copies: FetchedCopies;
  readonly #bytes: RecordedBytes;
  readonly #stored: StoredOutputs;
  readonly #moved = new MovedResults();
  /** Where programs of this run may write. */
  readonly places: WritingPlaces;
  readonly #bringing = new SingleFlight<Staged>();
  readonly #reads = new Semaphore(readsAtOnce);
  #restore: Restore | undefined;
  /** Local files and folders of the user that calls or the program read, as they were named. */
  readonly #used = new Set<string>();
  /** The same without links. */
  readonly #inputs = new Set<string>();
  /** Folders in which nothing is special. */
  readonly #walked = new Set<string>();

  constructor(options: MaterialsOptions) {
    this.#options = options;
    const { fingerprinter, directory, remote } = options;
    const checked = new CheckedPaths(fingerprinter);
    this.#checked = checked;
    this.#copies = new FetchedCopies({ fingerprinter, directory, checked, ...defined({ remote }) });
    this.places = new WritingPlaces({
      scratch: join(directory, "scratch"),
      ...defined({ reach: options.reach }),
      isOwn: (path) => this.isOwn(path),
      isInput: (path) => this.isInput(path),
    });
    this.#bytes = new RecordedBytes({ copies: this.#copies, checked });
    this.#stored = new StoredOutputs({ copies: this.#copies, checked });
  }

  /** From then on lost results are computed again. */
  restoreWith(restore: Restore): void {
    this.#restore = restore;
  }

  /** Content identity; found out once in a run, so that a run sees one state of the world. */
  identityOf(asked: FileValue, ask: Ask, mode?: InputIdentity): Promise<Identity> {
    const file = this.#moved.now(asked);
    const recorded = this.#recorded.at(file.location);
    if (recorded !== undefined) return Promise.resolve(identityOfRecorded(recorded));
    const stored = this.#stored.at(file.location);
    if (stored !== undefined) return Promise.resolve(identityOfStored(stored));
    const names = this.#identities.get(file.location) ?? new Map<string, Promise<Identity>>();
    this.#identities.set(file.location, names);
    const name = nameOf(file, mode);
    const known = names.get(name);
    if (known !== undefined) return known;
    const found = this.#identify(file, mode, ask);
    names.set(name, found);
    // A failure is not remembered: the file may be there for the next call.
    found.catch(() => names.delete(name));
    return found;
  }

  async #identify(file: FileValue, mode: InputIdentity | undefined, ask: Ask): Promise<Identity> {
    const { fingerprinter } = this.#options;
    const policy = mode === undefined ? {} : { policy: mode };
    await this.#mayRead(file.location);
    if (!isRemote(file.location)) {
      this.#used.add(file.location);
      return fingerprinter.identify(file, ask, policy);
    }
    const keepAt = this.#copies.placeFor(file.location);
    const identity = await fingerprinter.identify(file, ask, { keepAt, ...policy });
    if (identity.facts !== undefined || identity.sha256 === undefined) return identity;
    // The server says nothing to go by: what was read is what is used.
    this.#checked.note(keepAt, identity.sha256);
    this.#copies.note(file.location, { path: keepAt, identity, files: [keepAt] });
    return identity;
  }

  /**
   * Reads what only its ETag identifies, which the call needs anyway, and knows it by its content from then on. What
   * changes meanwhile keeps its identity, and whoever stages it finds that out.
   */
  async readContent(
    { file: asked, identity }: { readonly file: FileValue; readonly identity: Identity },
    ask: Ask,
    mode?: InputIdentity,
  ): Promise<Identity> {
    if (identity.unread !== true) return identity;
    const file = this.#moved.now(asked);
    const staged = await this.#reads.use(() => this.stage(file, identity, ask));
    if (staged.kind !== "here") return identity;
    const read = await this.#options.fingerprinter.withContent(file, identity);
    if (read.unread !== true)
      this.#identities.get(file.location)?.set(nameOf(file, mode), Promise.resolve(read));
    return read;
  }

  /** Whether the bytes that were staged are still those of the identity, as far as can be checked. */
  async unchanged(
    input: { readonly file: FileValue; readonly identity: Identity; readonly path: string },
    ask: Ask,
  ): Promise<boolean> {
    const file = this.#moved.now(input.file);
    const recorded = this.#recorded.at(file.location);
    if (isRemote(input.path)) {
      // Its job has compared what it read with what is known of it.
      if (recorded !== undefined || this.#stored.at(file.location) !== undefined) return true;
      const now = await this.#options.fingerprinter.identify(file, ask, {}).catch((error: unknown) => {
        if (isAppError(error) && error.row.kind === "not-found") return undefined;
        throw error;
      });
      return now !== undefined && stateOf(now) === stateOf(input.identity);
    }
    const stored = this.#stored.at(file.location);
    if (stored !== undefined) return (await this.#stored.bring(file.location, stored, ask)) === input.path;
    if (recorded === undefined && !isRemote(file.location))
      return this.#options.fingerprinter.unchanged(file, input.identity, ask);
    if (recorded?.kind === "directory") {
      if (identityOfRecorded(recorded).text !== input.identity.text) return false;
      return (await this.#bytes.compareFolder(recorded, input.path, ask)).kind === "same";
    }
    const copy = this.#copies.at(file.location);
    const whole = recorded === undefined && file.kind === "directory" && copy?.path === input.path;
    if (whole && !(await holdsNothingElse(input.path, copy.files))) return false;
    for (const path of whole ? copy.files : [input.path])
      if (!(await this.#checked.holds(path, ask))) return false;
    return true;
  }

  /** Outputs of a task of this run that are in an object store. */
  learnStored(stored: Readonly<Record<string, StoredContent>>): void {
    this.#stored.learn(stored);
    for (const location of Object.keys(stored)) this.#options.reach?.include(location);
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
      if (original !== undefined) this.#bytes.noteOriginal(file.location, original.location);
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
    this.#moved.replace(lost, made);
  }

  /** Bytes of all local files of the outputs, folders with everything below. */
  async sizeOf(outputs: Outputs): Promise<number> {
    const sizes = await Promise.all(
      filesOf(outputs).map((file) => {
        const stored = this.#stored.at(file.location);
        return stored === undefined ? diskSize(file) : storedSize(stored);
      }),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Throws for what lies out of reach; what entries hold is known. */
  async #mayRead(location: string): Promise<void> {
    if (this.#recorded.at(location) === undefined && this.#stored.at(location) === undefined)
      await this.#options.reach?.check(location);
  }

  /** Whether a manifest says what the bytes are. */
  isRecorded(file: FileValue): boolean {
    return this.#recorded.at(this.#moved.now(file).location) !== undefined;
  }

  /** Whether a path is Memoir's own: in the run's folder, or in an entry that the run uses. */
  isOwn(path: string): boolean {
    return path.startsWith(`${this.#options.directory}/`) || this.#recorded.isInEntry(path);
  }

  /** The entry that holds a local file or folder, under exactly this path. */
  entryHolding(asked: FileValue, path: string): string | undefined {
    const { location } = this.#moved.now(asked);
    const plain = location.replace(/\/+$/, "");
    return plain === path.replace(/\/+$/, "") ? this.#recorded.at(plain)?.entry.uuid : undefined;
  }

  /** Whether a path without links is an input file of the run, or is in an input folder. */
  async isInput(path: string): Promise<boolean> {
    await this.#followUsed();
    for (let above = path; above !== dirname(above); above = dirname(above))
      if (this.#inputs.has(above)) return true;
    return false;
  }

  /** Files and folders of the user that calls or the program have read, without links. */
  async inputs(): Promise<readonly string[]> {
    await this.#followUsed();
    return [...this.#inputs];
  }

  async #followUsed(): Promise<void> {
    for (const location of this.#used) {
      const real = this.isOwn(location) ? undefined : await followLinks(location);
      if (real !== undefined) this.#inputs.add(real);
      this.#used.delete(location);
    }
  }

  /** Whether a path is a recorded file that was compared with its manifest a moment ago. */
  isComparedFile(path: string): boolean {
    if (this.#recorded.at(path)?.kind !== "file" || this.#checked.contentAt(path) === undefined) return false;
    return lstatSync(onDisk(path)).isFile();
  }

  /** A file of Memoir's is about to get one more name, which changes its ctime: call the returned function after it. */
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
   * The bytes that a call was identified with, or why they are not available. Without `identity`: what the run sees.
   * Throws for files of the user that are not there or cannot be read.
   */
  async stage(asked: FileValue, identity: Identity | undefined, ask: Ask): Promise<Staged> {
    const file = this.#moved.now(asked);
    const { location } = file;
    await this.#mayRead(location);
    const recorded = this.#recorded.at(location);
    if (recorded !== undefined) {
      // Computed again, it may have become something else.
      if (identity !== undefined && identity.text !== identityOfRecorded(recorded).text)
        return changed(location, `${asked.location} was computed again and is different now`);
      return this.#bringing.run(location, () => this.#bytes.stage(recorded, ask));
    }
    const stored = this.#stored.at(location);
    if (stored !== undefined)
      return this.#bringing.run(location, async () => ({
        kind: "here",
        path: await this.#stored.bring(location, stored, ask),
      }));
    if (isRemote(location)) {
      const wanted = identity ?? (await this.identityOf(file, ask));
      return this.#bringing.run(`${location} ${stateOf(wanted)}`, () => this.#stageRemote(file, wanted, ask));
    }
    if (identity !== undefined && !(await this.#options.fingerprinter.seemsUnchanged(file, identity))) {
      await this.#forget(location, identity);
      return changed(location, `${location} changed after the call was identified`);
    }
    await this.#refuseSpecial(location, identity);
    this.#used.add(location);
    return { kind: "here", path: location };
  }

  /** As `stage`, for tasks that run where no disk is shared: what is in an object store stays there. */
  async locate(asked: FileValue, identity: Identity | undefined, ask: Ask): Promise<Located> {
    const file = this.#moved.now(asked);
    const { location } = file;
    if (!isObjectUri(location)) return this.stage(asked, identity, ask);
    await this.#mayRead(location);
    const recorded = this.#recorded.at(location);
    const stored = this.#stored.at(location);
    if (recorded === undefined && stored === undefined) {
      const wanted = identity ?? (await this.identityOf(file, ask));
      return { kind: "there", location, content: contentOfObject(file, wanted) };
    }
    const now = recorded === undefined ? this.identityOf(file, ask) : identityOfRecorded(recorded);
    if (identity !== undefined && identity.text !== (await now).text)
      return changed(location, `${asked.location} was computed again and is different now`);
    if (stored !== undefined) return { kind: "there", location, content: stored };
    invariant(recorded !== undefined, "it is one of the two");
    return { kind: "there", location, content: contentOfRecorded(recorded) };
  }

  async #stageRemote(file: FileValue, identity: Identity, ask: Ask): Promise<Staged> {
    const staged = await this.#copies.bring(file, identity, ask);
    if (staged.kind === "changed") await this.#forget(file.location, identity);
    return staged;
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

  /** The next request identifies the file again. Another identity, found meanwhile, stays. */
  async #forget(location: string, identity: Identity): Promise<void> {
    const names = this.#identities.get(location);
    for (const [name, found] of names ?? []) {
      const known = await found.catch(() => undefined);
      if (known !== undefined && stateOf(known) === stateOf(identity)) names?.delete(name);
    }
  }

  /** Files at workflow scope. */
  get access(): WorkflowFiles {
    const { directory, remote } = this.#options;
    return new WorkflowFiles({
      directory,
      places: this.places,
      ...defined({ remote }),
      resolve: (location) => {
        const now = this.#moved.now(fileAt(location)).location;
        return { location: now, recorded: this.#recorded.at(now) };
      },
      mayRead: (location) => this.#mayRead(location),
      hostPathOf: (location, ask) => this.hostPathOf(fileAt(location), ask),
      keeps: (path) =>
        this.isOwn(path) || this.#recorded.isAround(path) || `${directory}/`.startsWith(`${path}/`),
    });
  }
}

function contentOfObject({ kind, location }: FileValue, identity: Identity): StoredContent {
  const fact = ({ sizeBytes, etag, sha256 }: RemoteFacts) => ({
    kind: "file" as const,
    executable: false,
    ...defined({ sizeBytes, etag, sha256 }),
  });
  if (kind === "file") {
    const { facts, sizeBytes, sha256 } = identity;
    return fact({ ...defined({ sizeBytes, ...facts, sha256: sha256 ?? facts?.sha256 }) });
  }
  const members = (identity.members ?? []).map((member) => ({
    ...fact(member),
    path: member.name,
    location: memberOf(location, member.name),
  }));
  return { kind, members };
}

function contentOfRecorded(recorded: Recorded): StoredContent {
  const file = ({ sha256, sizeBytes, executable }: RecordedFile) => ({
    kind: "file" as const,
    sha256,
    sizeBytes,
    executable,
  });
  if (recorded.kind === "file") return file(recorded);
  const members = recorded.members.map((member) =>
    member.kind === "file" ? { ...file(member), path: member.path, location: member.location } : member,
  );
  return { kind: "directory", members };
}

function storedSize(content: StoredContent): number {
  if (content.kind === "file") return content.sizeBytes ?? 0;
  return content.members.reduce((sum, each) => sum + (each.kind === "file" ? (each.sizeBytes ?? 0) : 0), 0);
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

function fileAt(location: string): FileValue {
  return { kind: "file", location, basename: basename(location) };
}

/** What an identity depends on, in addition to the location. */
function nameOf({ kind, basename }: FileValue, mode: InputIdentity | undefined): string {
  return `${mode ?? ""} ${kind} ${basename}`;
}
