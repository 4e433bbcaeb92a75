/** The bytes of recorded files and folders: compared with the manifest, wherever they are found, before they are handed out. */
import { constants, statSync } from "node:fs";
import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { isProgram, materialiseDirectory, readTree } from "../files/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  invariant,
  isAppError,
  messageOf,
  onDisk,
  systemErrorCode,
} from "../kernel/index.ts";
import { isRemote } from "../keys/index.ts";
import type { CheckedPaths, Comparison } from "./checked-paths.ts";
import type { FetchedCopies } from "./fetched-copies.ts";
import {
  identityOfRecorded,
  type Recorded,
  type RecordedFile,
  type RecordedFolder,
} from "./recorded-files.ts";
import type { Staged } from "./staging.ts";

export type FolderComparison = Comparison | { readonly kind: "more" };

export class RecordedBytes {
  readonly #copies: FetchedCopies;
  readonly #checked: CheckedPaths;
  /** Where this run had made what a cache took over, by its place there. */
  readonly #originals = new Map<string, string>();

  constructor(parts: { readonly copies: FetchedCopies; readonly checked: CheckedPaths }) {
    this.#copies = parts.copies;
    this.#checked = parts.checked;
  }

  /** What is recorded at `location` was made by this run at `path`. */
  noteOriginal(location: string, path: string): void {
    this.#originals.set(location, path);
  }

  stage(recorded: Recorded, ask: Ask): Promise<Staged> {
    return recorded.kind === "file" ? this.#stageFile(recorded, ask) : this.#stageFolder(recorded, ask);
  }

  /** One file of an entry. */
  async #stageFile(recorded: RecordedFile, ask: Ask): Promise<Staged> {
    const { location, sha256 } = recorded;
    let trouble: Comparison | undefined;
    if (!isRemote(location)) {
      trouble = await this.#checked.compare(location, sha256, ask);
      if (trouble.kind === "same") return this.#withMode(recorded, location, ask);
    }
    for (const path of [this.#originals.get(location), this.#copies.at(location)?.path]) {
      if (path === undefined) continue;
      if ((await this.#checked.compare(path, sha256, ask)).kind === "same")
        return this.#withMode(recorded, path, ask);
    }
    if (isRemote(location)) {
      const path = this.#copies.placeFor(location);
      trouble = await this.#download(recorded, path, ask);
      if (trouble.kind === "same") {
        const identity = identityOfRecorded(recorded);
        this.#copies.note(location, { path, identity, files: [path] });
        return { kind: "here", path };
      }
    }
    return lost(recorded, trouble);
  }

  /** Object stores keep no modes, and copies of caches lose them. */
  async #withMode(recorded: RecordedFile, path: string, ask: Ask): Promise<Staged> {
    const facts = statSync(onDisk(path), { throwIfNoEntry: false });
    if (facts === undefined || isProgram(facts) === recorded.executable) return { kind: "here", path };
    const own = this.#copies.placeFor(recorded.location);
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
        const digest = await this.#copies.fetch(recorded.location, path, undefined, ask);
        if (digest === recorded.sha256) {
          if (recorded.executable) await chmod(onDisk(path), 0o755);
          this.#checked.note(path, digest);
          return { kind: "same" };
        }
        if (tries === 2)
          return { kind: "different", words: `${recorded.location} no longer has its recorded content` };
      } catch (error) {
        checkAsk(ask, `fetching ${recorded.location}`);
        if (!isAppError(error) || error.row.fails !== "reading") throw error;
        const gone = error.row.kind === "not-found" || error.row.kind === "damaged";
        if (!gone || tries === 2 || error.row.kind === "not-found")
          return { kind: gone ? "different" : "unreadable", words: messageOf(error), error };
      }
    }
  }

  /** A folder of an entry: its members are those of the manifest, whatever is in it now. */
  async #stageFolder(folder: RecordedFolder, ask: Ask): Promise<Staged> {
    const { location } = folder;
    const known = this.#copies.at(location);
    if (known !== undefined && (await this.compareFolder(folder, known.path, ask)).kind === "same")
      return { kind: "here", path: known.path };
    let trouble: FolderComparison | undefined;
    for (const path of [isRemote(location) ? undefined : location, this.#originals.get(location)]) {
      if (path === undefined) continue;
      const found = await this.compareFolder(folder, path, ask);
      if (found.kind === "same") return { kind: "here", path };
      if (found.kind === "more") return this.#ownFolder(folder, path, ask);
      trouble ??= found;
    }
    if (!isRemote(location)) return lost(folder, trouble);
    return this.#ownFolder(folder, undefined, ask);
  }

  /** A folder of the run that holds what the manifest lists, from a local folder or from the store. */
  async #ownFolder(folder: RecordedFolder, from: string | undefined, ask: Ask): Promise<Staged> {
    const root = this.#copies.placeFor(folder.location);
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
    this.#copies.note(folder.location, { path: root, identity: identityOfRecorded(folder), files });
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

  async compareFolder(folder: RecordedFolder, root: string, ask: Ask): Promise<FolderComparison> {
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
