/**
 * Inputs of the run that are in object stores and on the web, as scripts see them: they read files and expand patterns in
 * the middle of expressions, which cannot wait. So what the parameters name is looked at before the script begins.
 */
import { AppError, type Ask, isAppError, mapBounded } from "../../../kernel/index.ts";
import type { FileAccess } from "../../core/index.ts";
import { isPattern, splitGlob } from "../channels/glob.ts";
import type { ScriptFileStat, ScriptFiles } from "../values/files.ts";
import { schemeOf } from "../values/path.ts";
import { fail } from "../values/throwable.ts";

const looksAtOnce = 8;
/** Below all folders and patterns together. */
const mostObjects = 100_000;
/** Sheets of samples and the like; scripts do not read data. */
const mostReadBytes = 8 * 2 ** 20;
const mostBytesInAll = 64 * 2 ** 20;
const documents = /\.(?:csv|tsv|tab|txt|list|json|ya?ml)$/i;

export class RemoteInputs {
  readonly #objects = new Map<string, ScriptFileStat>();
  readonly #folders = new Map<string, Set<string>>();
  readonly #contents = new Map<string, Uint8Array>();

  /** What could not be looked at, and why. */
  readonly problems: string[] = [];

  /** Objects, and what folders and patterns stand for. */
  async look(values: unknown, files: FileAccess, ask: Ask): Promise<void> {
    const locations = [...new Set(textsIn(values).filter((each) => /^s3:\/\/[^/]+\/./i.test(each)))];
    await mapBounded(locations, looksAtOnce, (location) => this.#look(location, files, ask));
  }

  /** Sheets of samples and the like, also on the web: data is left to the tasks. */
  async lookAtDocuments(values: unknown, files: FileAccess, ask: Ask): Promise<void> {
    const isMeant = (each: string) =>
      /^(?:s3|https?):\/\/[^/]+\/./i.test(each) && documents.test(each) && !this.#objects.has(each);
    const locations = [...new Set(textsIn(values).filter(isMeant))];
    await mapBounded(locations, looksAtOnce, (location) => this.#look(location, files, ask));
  }

  over(files: ScriptFiles): ScriptFiles {
    const missing = (location: string) =>
      fail("IOException", `${location} is not on this machine: it can be an input of a process`);
    return {
      ...files,
      stat: (path) => (isRemote(path) ? this.#stat(path) : files.stat(path)),
      isLink: (path) => !isRemote(path) && files.isLink(path),
      list: (path) => {
        if (!isRemote(path)) return files.list(path);
        const names = this.#folders.get(plain(path)) ?? missing(path);
        return [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      },
      readBytes: (path, most) =>
        isRemote(path)
          ? (this.#contents.get(path) ?? missing(path)).subarray(0, most)
          : files.readBytes(path, most),
    };
  }

  #stat(location: string): ScriptFileStat | undefined {
    const object = this.#objects.get(location);
    if (object !== undefined) return object;
    return this.#folders.has(plain(location))
      ? { kind: "directory", sizeBytes: 0, modifiedMs: 0 }
      : undefined;
  }

  async #look(location: string, files: FileAccess, ask: Ask): Promise<void> {
    try {
      const found = await files.stat(location, ask);
      if (found === undefined && isPattern(location))
        return await this.#below(splitGlob(location).folder, files, ask);
      if (found?.kind === "directory") await this.#below(plain(location), files, ask);
      else if (found !== undefined) await this.#object(location, found.sizeBytes, files, ask);
    } catch (error) {
      // Whoever reads it reports what is wrong with it.
      if (!isAppError(error) || error.row.kind === "interrupted" || error.code === "DIRECTORY_TOO_LARGE")
        throw error;
      this.problems.push(`${location} cannot be read: ${error.message}`);
    }
  }

  async #object(location: string, sizeBytes: number, files: FileAccess, ask: Ask): Promise<void> {
    this.#add(location, sizeBytes);
    const read = [...this.#contents.values()].reduce((sum, each) => sum + each.length, 0);
    if (!documents.test(location) || sizeBytes > mostReadBytes || read + sizeBytes > mostBytesInAll) return;
    const pieces: Uint8Array[] = [];
    for await (const piece of files.read(location, ask)) pieces.push(piece);
    const content = Buffer.concat(pieces);
    this.#contents.set(location, content);
    // Servers on the web may not say it.
    this.#add(location, content.length);
  }

  async #below(folder: string, files: FileAccess, ask: Ask): Promise<void> {
    const found = await files.glob(folder, "**", { kinds: "files", hidden: true }, ask);
    for (const { path } of found) this.#add(`${folder}/${path}`, 0);
  }

  #add(location: string, sizeBytes: number): void {
    if (this.#objects.size >= mostObjects)
      throw new AppError(
        "DIRECTORY_TOO_LARGE",
        `looking at ${location}: the inputs of the run name more than ${mostObjects} objects`,
      );
    this.#objects.set(location, { kind: "file", sizeBytes, modifiedMs: 0 });
    // Folders on the web cannot be listed.
    if (!/^s3:/i.test(location)) return;
    for (let at = location; ; ) {
      const slash = at.lastIndexOf("/");
      const folder = at.slice(0, slash);
      if (folder === "s3:/" || slash < 5) return;
      const names = this.#folders.get(folder) ?? new Set();
      this.#folders.set(folder, names.add(at.slice(slash + 1)));
      at = folder;
    }
  }
}

function isRemote(path: string): boolean {
  return schemeOf(path) !== undefined;
}

function plain(location: string): string {
  return location.replace(/\/+$/, "");
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
