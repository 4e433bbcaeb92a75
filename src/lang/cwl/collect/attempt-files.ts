/**
 * Finds what output values name: on this machine, whatever path the task or an expression used for it. Nothing outside
 * of the task's working directory and its inputs is taken, by whatever links it is reached.
 */
import { createHash, hash } from "node:crypto";
import { createReadStream, readFileSync, realpathSync, statSync } from "node:fs";
import { copyFile, cp, mkdir, mkdtemp, readdir, readlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { type FileValue, type FinishedAttempt, taskRoot, taskWork } from "../../../task/index.ts";
import { nameOf } from "../plan/stager.ts";
import { fileName } from "../values/file-problem.ts";
import { layOut } from "../values/lay-out.ts";
import { fileLocation, hostPathOf, splitName } from "../values/location.ts";
import { type DirectoryV, type FileV, isFile } from "../values/value.ts";
import { factsOf, ownFactsOf, realOf } from "./looks.ts";

/** Something is wrong with the outputs; becomes the call's failure. */
export class OutputProblem extends Error {
  override readonly name = "OutputProblem";
}

/** Files of one directory that are reached through links. */
const mostLinked = 100_000;

interface Walk {
  /** Real paths of the folders that it is in. */
  readonly above: readonly string[];
  /** It was reached through a link. */
  readonly linked: boolean;
  readonly count: { linked: number };
}

function newWalk(): Walk {
  return { above: [], linked: false, count: { linked: 0 } };
}

export class AttemptFiles {
  readonly #finished: FinishedAttempt;
  /** Inputs by the location that expressions saw. */
  readonly #inputs: ReadonlyMap<string, FileValue>;
  #made: string | undefined;
  #roots: Promise<readonly string[]> | undefined;

  /** Host paths of everything that was staged. */
  readonly #sources: readonly string[];

  /** The working directory as expressions and the task see it. */
  readonly #outdir: string;

  constructor(
    finished: FinishedAttempt,
    facts: {
      readonly inputs: ReadonlyMap<string, FileValue>;
      readonly sources: readonly string[];
      readonly outdir: string;
    },
  ) {
    this.#finished = finished;
    this.#inputs = facts.inputs;
    this.#sources = facts.sources;
    this.#outdir = facts.outdir;
  }

  /**
   * An object for what lies at a path of the task, with everything that expressions may look at. Its location is where
   * the task left it, links not followed, so that what lies beside it is found beside it.
   */
  async at(taskPath: string): Promise<FileV | DirectoryV> {
    const host = await this.#locate(taskPath);
    const facts = statSync(host);
    const location = this.locationOf(taskPath);
    const name = basename(taskPath);
    if (facts.isDirectory()) await this.#checkLinks(host, name, newWalk());
    if (facts.isDirectory()) return { class: "Directory", location, path: taskPath, basename: name };
    return {
      class: "File",
      location,
      path: taskPath,
      dirname: dirname(taskPath),
      basename: name,
      ...splitName(name),
      size: facts.size,
    };
  }

  /** An object that an expression answered, located on this machine. */
  placed(value: FileV | DirectoryV): FileV | DirectoryV {
    // People make a `path` of a location by cutting text.
    const path = hostPathOf(value.path ?? "") ?? value.path ?? hostPathOf(value.location ?? "");
    return path === undefined ? value : { ...value, location: this.locationOf(path) };
  }

  /** The place of a path of the task on this machine. */
  locationOf(taskPath: string): string {
    const { workDir, hostPathOf: hostOf } = this.#finished;
    const absolute = resolve(this.#outdir, taskPath);
    for (const work of [this.#outdir, taskWork])
      if (absolute === work || absolute.startsWith(`${work}/`))
        return fileLocation(workDir + absolute.slice(work.length));
    return fileLocation(hostOf(absolute) ?? absolute);
  }

  /** The object as it will be recorded: found, measured, and held. Literals are written to disk. */
  async settle(value: FileV | DirectoryV): Promise<FileV | DirectoryV> {
    const host = await this.#hostOf(value);
    if (host === undefined) return this.#materialise(value);
    const facts = factsOf(host);
    const name = fileName(value.basename ?? basename(host));
    if (facts === undefined)
      throw new OutputProblem(
        `${value.path ?? value.location ?? name} is named as an output, but is not there`,
      );
    const file = isFile(value);
    if (facts.isDirectory() === file)
      throw new OutputProblem(
        file ? `${name} is a directory, expected a File` : `${name} is a file, expected a Directory`,
      );
    if (facts.isDirectory()) await this.#checkLinks(host, name, newWalk());
    const known = this.#inputs.get(value.location ?? "");
    const held: FileValue = {
      ...(known ?? { kind: file ? "file" : "directory", location: host }),
      basename: name,
      ...(file ? { sizeBytes: facts.size } : {}),
    } as FileValue;
    const location = fileLocation(host);
    if (!file) return { class: "Directory", location, basename: name, held };
    const beside = value.secondaryFiles;
    return {
      class: "File",
      location,
      basename: name,
      ...splitName(name),
      size: facts.size,
      checksum: await sha1Of(host),
      ...(value.format === undefined ? {} : { format: value.format }),
      ...(beside === undefined
        ? {}
        : { secondaryFiles: await Promise.all(beside.map((each) => this.settle(each))) }),
      held,
    };
  }

  /** The host path of what lies at a path of the task, with links followed as the task saw them. */
  find(taskPath: string): Promise<string> {
    return this.#locate(taskPath);
  }

  /** undefined for literals. */
  async #hostOf(value: FileV | DirectoryV): Promise<string | undefined> {
    if (value.path !== undefined) return this.#locate(hostPathOf(value.path) ?? value.path);
    const { location } = value;
    if (location === undefined || location.startsWith("_:")) return undefined;
    if (/^[a-z][a-z0-9+.-]+:/i.test(location)) {
      const path = hostPathOf(location);
      if (path === undefined) throw new OutputProblem(`${location} is no output of this task`);
      return this.#locate(path);
    }
    return this.#locate(decoded(location));
  }

  /** A host path, with links followed as the task saw them. */
  async #locate(path: string): Promise<string> {
    const absolute = resolve(this.#outdir, path);
    const inTask = absolute === taskRoot || absolute.startsWith(`${taskRoot}/`);
    const host = this.#finished.hostPathOf(absolute) ?? (inTask ? undefined : absolute);
    if (host === undefined) throw new OutputProblem(`${path} is outside of the task`);
    return this.#follow(host, path, 0);
  }

  async #follow(host: string, asked: string, depth: number): Promise<string> {
    const facts = ownFactsOf(host);
    if (facts?.isSymbolicLink() === true && depth < 40) {
      const target = await readlink(host);
      const inside = target.startsWith("/") ? this.#finished.hostPathOf(target) : undefined;
      if (inside !== undefined && inside !== host) return this.#follow(inside, asked, depth + 1);
      const next = resolve(dirname(host), target);
      if (await this.#isInside(next)) return this.#follow(next, asked, depth + 1);
      throw new OutputProblem(`${asked} is a link to ${target}, outside of the task`);
    }
    // Whether something is there or not: what lies elsewhere on this machine is not told.
    if (!(await this.#isInside(host))) throw new OutputProblem(`${asked} is outside of the task`);
    return host;
  }

  async #isInside(path: string): Promise<boolean> {
    this.#roots ??= this.#findRoots();
    const roots = await this.#roots;
    const real = realOf(path) ?? resolve(path);
    // Not by its name: a folder on the way may be a link.
    return roots.some((root) => real === root || real.startsWith(`${root}/`));
  }

  /**
   * Links inside of a directory are followed when it is listed and brought to its place: they must stay inside, not
   * lead around in circles, and not make much of little. Links to nowhere stay what they are.
   */
  async #checkLinks(folder: string, name: string, walk: Walk): Promise<void> {
    const real = realpathSync.native(folder);
    if (walk.above.includes(real)) throw new OutputProblem(`the directory ${name} contains itself by a link`);
    const above = [...walk.above, real];
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const inner = join(name, entry.name);
      if (walk.linked && ++walk.count.linked > mostLinked)
        throw new OutputProblem(`the links of the directory ${name} lead to more than ${mostLinked} files`);
      if (entry.isDirectory()) await this.#checkLinks(path, inner, { ...walk, above });
      if (!entry.isSymbolicLink()) continue;
      const target = await readlink(path);
      if (target.startsWith("/") && this.#finished.hostPathOf(target) !== undefined) continue;
      if (!(await this.#isInside(path)))
        throw new OutputProblem(`${inner} is a link to ${target}, outside of the task`);
      const facts = factsOf(path);
      if (facts?.isDirectory() === true)
        await this.#checkLinks(path, inner, { ...walk, above, linked: true });
    }
  }

  async #findRoots(): Promise<readonly string[]> {
    const attempt = dirname(this.#finished.workDir);
    const inputs = [...this.#inputs.values()].map((each) => each.location);
    const all = [attempt, ...inputs, ...this.#sources];
    const real = all.map((each) => realOf(each) ?? each);
    return [...new Set([...all, ...real])];
  }

  /** Objects that expressions made up become real. */
  async #materialise(value: FileV | DirectoryV): Promise<FileV | DirectoryV> {
    this.#made ??= join(dirname(this.#finished.workDir), "made");
    await mkdir(this.#made, { recursive: true });
    const folder = await mkdtemp(join(this.#made, "o"));
    return this.settle({ ...(await this.#write(value, folder)) });
  }

  async #write(value: FileV | DirectoryV, folder: string): Promise<FileV | DirectoryV> {
    const hosts = new Map<FileV | DirectoryV, string>();
    await this.#findHosts(value, hosts);
    for (const laid of layOut(value, (each) => !hosts.has(each))) {
      const place = join(folder, laid.path);
      if (laid.kind === "folder") await mkdir(place);
      else if (laid.kind === "text") await writeFile(place, laid.content);
      else {
        const host = hosts.get(laid.value) ?? "";
        if (isFile(laid.value)) await copyFile(host, place);
        else await cp(host, place, { recursive: true, dereference: true });
      }
    }
    const name = fileName(nameOf(value));
    const location = fileLocation(join(folder, name));
    return isFile(value)
      ? { ...value, basename: name, location }
      : { class: "Directory", basename: name, location };
  }

  /** Those of the object and everything in it that lie somewhere on this machine. */
  async #findHosts(value: FileV | DirectoryV, hosts: Map<FileV | DirectoryV, string>): Promise<void> {
    const host = await this.#hostOf(value);
    if (host !== undefined) hosts.set(value, host);
    const inside = isFile(value) ? value.secondaryFiles : host === undefined ? value.listing : undefined;
    for (const each of inside ?? []) await this.#findHosts(each, hosts);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone % stands for itself.
    return text;
  }
}

const smallBytes = 1 << 20;

/** `sha1$…`, as the language writes checksums. */
export async function sha1Of(path: string): Promise<string> {
  // Most outputs are small: read at once, which takes less than handing a stream's steps to threads.
  const facts = statSync(path);
  if (facts.isFile() && facts.size <= smallBytes) return `sha1$${hash("sha1", readFileSync(path))}`;
  const hasher = createHash("sha1");
  await pipeline(createReadStream(path), hasher);
  return `sha1$${hasher.digest("hex")}`;
}
