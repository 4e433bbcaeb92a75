/**
 * What output values name, as objects: found where the task left it, whatever path the task or an expression used for
 * it. Nothing outside the task's own files and its inputs is taken, by whatever links it is reached.
 */
import { createHash, hash } from "node:crypto";
import { basename, dirname, resolve } from "node:path";
import { defined, shownName } from "../../../kernel/index.ts";
import {
  type AttemptFiles,
  type AttemptStat,
  type FileValue,
  type MadeMember,
  taskRoot,
} from "../../../task/index.ts";
import { nameOf } from "../plan/stager.ts";
import { fileName } from "../values/file-problem.ts";
import { layOut } from "../values/lay-out.ts";
import { fileLocation, hostPathOf, splitName } from "../values/location.ts";
import { type DirectoryV, type FileV, isFile } from "../values/value.ts";

/** Something is wrong with the outputs; becomes the call's failure. */
export class OutputProblem extends Error {
  override readonly name = "OutputProblem";
}

export class OutputObjects {
  readonly #files: AttemptFiles;
  /** Inputs by the location that expressions saw. */
  readonly #inputs: ReadonlyMap<string, FileValue>;
  /** The working directory as expressions and the task see it. */
  readonly #outdir: string;

  constructor(
    files: AttemptFiles,
    facts: { readonly inputs: ReadonlyMap<string, FileValue>; readonly outdir: string },
  ) {
    this.#files = files;
    this.#inputs = facts.inputs;
    this.#outdir = facts.outdir;
  }

  /**
   * An object for what is at a path of the task, with everything that expressions may look at. Its location is where
   * the task left it, links not followed, so that what is next to it is found next to it.
   */
  async at(taskPath: string): Promise<FileV | DirectoryV> {
    const found = await this.#found(taskPath, taskPath);
    const location = this.locationOf(taskPath);
    const name = basename(taskPath);
    if (found.kind === "directory") return { class: "Directory", location, path: taskPath, basename: name };
    return {
      class: "File",
      location,
      path: taskPath,
      dirname: dirname(taskPath),
      basename: name,
      ...splitName(name),
      size: found.sizeBytes,
    };
  }

  /** An object that an expression answered, with a location. */
  placed(value: FileV | DirectoryV): FileV | DirectoryV {
    // People make a `path` of a location by cutting text.
    const path = hostPathOf(value.path ?? "") ?? value.path ?? hostPathOf(value.location ?? "");
    return path === undefined ? value : { ...value, location: this.locationOf(path) };
  }

  /** The location that expressions see of a path of the task. */
  locationOf(path: string): string {
    return fileLocation(this.taskPathOf(path));
  }

  /** Absolute, in the task: of a path in it, or of the place of an input. */
  taskPathOf(path: string): string {
    const absolute = resolve(this.#outdir, path);
    return isInTask(absolute) ? absolute : (this.#files.pathOf(absolute) ?? absolute);
  }

  /** The object as it will be recorded: found, measured, and held. Literals are written to disk. */
  async settle(value: FileV | DirectoryV): Promise<FileV | DirectoryV> {
    const path = this.#pathOf(value);
    if (path === undefined) return this.#materialise(value);
    const known = this.#inputs.get(value.location ?? "");
    // What the tool was not given is what it was.
    if (known !== undefined && !isInTask(path)) return { ...value, held: known } as FileV | DirectoryV;
    const shown = value.path ?? value.location ?? path;
    const found = await this.#found(path, shown);
    const host = await this.#files.locationOf(path);
    const name = fileName(value.basename ?? basename(host));
    const file = isFile(value);
    if ((found.kind === "directory") === file)
      throw new OutputProblem(
        file ? `${name} is a directory, expected a File` : `${name} is a file, expected a Directory`,
      );
    const sizeBytes = found.kind === "file" ? found.sizeBytes : 0;
    const held: FileValue = {
      ...(known ?? { kind: file ? "file" : "directory", location: host }),
      basename: name,
      ...(file ? { sizeBytes } : {}),
    } as FileValue;
    const location = host.startsWith("/") ? fileLocation(host) : host;
    if (!file) return { class: "Directory", location, basename: name, held };
    const secondary = value.secondaryFiles;
    return {
      class: "File",
      location,
      basename: name,
      ...splitName(name),
      size: sizeBytes,
      checksum: await this.#checksumOf(path, sizeBytes),
      ...defined({ format: value.format }),
      ...(secondary === undefined
        ? {}
        : { secondaryFiles: await Promise.all(secondary.map((each) => this.settle(each))) }),
      held,
    };
  }

  /** undefined for literals. */
  #pathOf(value: FileV | DirectoryV): string | undefined {
    if (value.path !== undefined) return this.taskPathOf(hostPathOf(value.path) ?? value.path);
    const { location } = value;
    if (location === undefined || location.startsWith("_:")) return undefined;
    if (/^[a-z][a-z0-9+.-]+:/i.test(location)) {
      const path = hostPathOf(location);
      if (path === undefined) throw new OutputProblem(`${location} is not an output of this task`);
      return this.taskPathOf(path);
    }
    return this.taskPathOf(decoded(location));
  }

  async #found(path: string, shown: string): Promise<Exclude<AttemptStat, { kind: "special" }>> {
    const found = await this.#files.stat(path);
    if (found === undefined) {
      const target = await this.#files.readLink(path);
      throw new OutputProblem(
        target === undefined
          ? `${shownName(shown)} is named as an output, but does not exist`
          : `${shownName(shown)} is a link to ${shownName(target)}, where nothing is`,
      );
    }
    if (found.kind === "special")
      throw new OutputProblem(`${shownName(shown)} is ${found.what}, expected a regular file`);
    return found;
  }

  /** `sha1$…`, as the language writes checksums. */
  async #checksumOf(path: string, sizeBytes: number): Promise<string> {
    if (sizeBytes <= pieceBytes) return `sha1$${hash("sha1", await this.#files.read(path))}`;
    const hasher = createHash("sha1");
    for (let start = 0; start < sizeBytes; start += pieceBytes)
      hasher.update(await this.#files.read(path, { start, end: start + pieceBytes }));
    return `sha1$${hasher.digest("hex")}`;
  }

  /** Objects that expressions made up become real. */
  async #materialise(value: FileV | DirectoryV): Promise<FileV | DirectoryV> {
    const members = layOut(value, (each) => this.#pathOf(each) === undefined).map(
      (laid): MadeMember =>
        laid.kind === "copy" ? { kind: "copy", path: laid.path, from: this.#pathOf(laid.value) ?? "" } : laid,
    );
    const folder = await this.#files.make(members);
    const name = fileName(nameOf(value));
    const location = fileLocation(`${folder}/${name}`);
    return this.settle(
      isFile(value)
        ? { ...value, basename: name, location }
        : { class: "Directory", basename: name, location },
    );
  }
}

const pieceBytes = 1 << 20;

function isInTask(path: string): boolean {
  return path === taskRoot || path.startsWith(`${taskRoot}/`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone % stands for itself.
    return text;
  }
}
