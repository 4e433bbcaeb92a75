/**
 * InitialWorkDirRequirement: what is in the working directory before the command runs.
 * https://www.commonwl.org/v1.2/CommandLineTool.html#InitialWorkDirRequirement
 */
import { posix } from "node:path";
import type { Place } from "../model/place.ts";
import type { InitialWorkDir, WorkDirEntry } from "../model/requirements.ts";
import { atLeast, type CwlVersion } from "../model/version.ts";
import { FileProblem, fileName } from "../values/file-problem.ts";
import { hostPathOf } from "../values/location.ts";
import { jsonText } from "../values/text.ts";
import {
  type CwlRecord,
  type CwlValue,
  type DirectoryV,
  type FileV,
  isFile,
  isFileOrDirectory,
  isList,
  isRecord,
  member,
} from "../values/value.ts";
import { containerPath, isWithin } from "./container-path.ts";
import { failureAt } from "./failure.ts";
import { outdirOf } from "./resources.ts";
import type { Scope } from "./scope.ts";
import { nameOf, type Placed, Stager } from "./stager.ts";

export interface WorkDir {
  readonly placed: ReadonlyMap<string, Placed>;
  readonly writable: ReadonlySet<string>;
  /** Paths of staged inputs -> where they lie now. */
  readonly moved: ReadonlyMap<string, string>;
}

interface Wanted {
  readonly name?: string;
  readonly value: CwlValue;
  readonly writable: boolean;
  readonly place: Place;
}

/** @throws CwlFailure */
export async function workDirOf(
  requirement: InitialWorkDir | undefined,
  stager: Stager,
  scope: Scope,
  version: CwlVersion,
): Promise<WorkDir> {
  const { requirements, runtime } = scope.parts;
  const inContainer = requirements.docker?.required === true && atLeast(version, "v1.2");
  const builder = new WorkDirBuilder(stager, outdirOf(runtime), inContainer ? "allowed" : "refused");
  if (requirement === undefined) return builder;
  for (const wanted of await wantedEntries(requirement, scope)) builder.add(wanted);
  return builder;
}

async function wantedEntries(requirement: InitialWorkDir, scope: Scope): Promise<readonly Wanted[]> {
  const { listing, place } = requirement;
  if (!Array.isArray(listing)) {
    const expression = listing as Exclude<typeof listing, readonly WorkDirEntry[]>;
    return wantedBy(await scope.evaluate(expression), place);
  }
  const wanted: Wanted[] = [];
  for (const entry of listing as readonly WorkDirEntry[]) {
    switch (entry.kind) {
      case "expression":
        for (const each of wantedBy(await scope.evaluate(entry.expression), entry.place)) wanted.push(each);
        break;
      case "literal":
        for (const each of wantedBy(entry.value, entry.place)) wanted.push(each);
        break;
      case "dirent": {
        const name = entry.entryname === undefined ? undefined : await scope.evaluate(entry.entryname);
        if (name !== undefined && name !== null && typeof name !== "string")
          throw failureAt(entry.place, "cwl-entryname", `entryname: expected a text, got ${jsonText(name)}`);
        const value = await scope.evaluate(entry.entry, null, "exact text");
        const { writable, place: at } = entry;
        wanted.push({ value, writable, place: at, ...(typeof name === "string" ? { name } : {}) });
      }
    }
  }
  return wanted;
}

/** What an expression answered: null, a File, a Directory, a Dirent, or a list of these. */
function wantedBy(value: CwlValue, place: Place): readonly Wanted[] {
  if (value === null) return [];
  if (isList(value)) return value.flatMap((each) => wantedBy(each, place));
  if (isFileOrDirectory(value)) return [{ value, writable: false, place }];
  if (isRecord(value) && member(value, "entry") !== undefined) return [direntOf(value, place)];
  throw failureAt(
    place,
    "cwl-work-dir",
    `InitialWorkDirRequirement: expected a File, a Directory or a Dirent, got ${jsonText(value)}`,
  );
}

function direntOf(value: CwlRecord, place: Place): Wanted {
  const name = member(value, "entryname");
  return {
    value: member(value, "entry") ?? null,
    writable: member(value, "writable") === true,
    place,
    ...(typeof name === "string" ? { name } : {}),
  };
}

class WorkDirBuilder implements WorkDir {
  readonly placed = new Map<string, Placed>();
  readonly writable = new Set<string>();
  readonly moved = new Map<string, string>();
  readonly #stager: Stager;
  readonly #outdir: string;
  /** Legal only inside a container that the tool requires. */
  readonly #absoluteNames: "allowed" | "refused";

  constructor(stager: Stager, outdir: string, absoluteNames: "allowed" | "refused") {
    this.#stager = stager;
    this.#outdir = outdir;
    this.#absoluteNames = absoluteNames;
  }

  add(wanted: Wanted): void {
    const { name, value, writable, place } = wanted;
    if (value === null) return;
    for (const each of isList(value) ? value : [value]) if (isFileOrDirectory(each)) checkNames(each, place);
    if (isFileOrDirectory(value)) {
      this.#put(value, this.#pathOf(name ?? nameOf(value), place), { writable, place });
      return;
    }
    if (isList(value) && value.length > 0 && value.every(isFileOrDirectory)) {
      if (name !== undefined)
        throw failureAt(place, "cwl-entryname", `entryname ${name} cannot be the name of several files`);
      for (const each of value) this.#put(each, this.#pathOf(nameOf(each), place), { writable, place });
      return;
    }
    if (name === undefined)
      throw failureAt(place, "cwl-entryname", "an entry that is text needs an entryname");
    const content = typeof value === "string" ? value : jsonText(value);
    this.#claim(this.#pathOf(name, place), { kind: "literal", content }, place);
  }

  #pathOf(name: string, place: Place): string {
    const path = posix.resolve(this.#outdir, name);
    if (path.startsWith(`${this.#outdir}/`)) return path;
    const refused = (why: string, help?: string) =>
      failureAt(place, "cwl-entryname", `entryname ${name} ${why}`, help);
    if (!posix.isAbsolute(name)) throw refused("leads outside the working directory");
    if (this.#absoluteNames === "refused")
      throw refused(
        "is absolute, which requires a container",
        "from v1.2 on a tool with DockerRequirement among its requirements may have absolute names",
      );
    const answer = containerPath(path);
    if (answer.kind === "refused") throw refused(answer.why);
    if (isWithin(this.#outdir, path)) throw refused(`would hide the working directory ${this.#outdir}`);
    return answer.path;
  }

  #claim(path: string, what: Placed, place: Place): void {
    const earlier = this.placed.get(path);
    if (earlier !== undefined && !isSame(earlier, what))
      throw failureAt(place, "cwl-work-dir", `two entries of InitialWorkDirRequirement are called ${path}`);
    this.placed.set(path, what);
  }

  #put(value: FileV | DirectoryV, path: string, how: Pick<Wanted, "writable" | "place">): void {
    const { writable, place } = how;
    const from = value.path ?? taskPathOf(value.location);
    if (from !== undefined) this.moved.set(from, path);
    const known = from === undefined ? undefined : this.#stager.lookUp(from);
    if (known?.kind === "source") {
      const kind = isFile(value) ? ("file" as const) : ("directory" as const);
      const source = { ...known.source, kind, basename: posix.basename(path) };
      this.#claim(path, { kind: "source", source }, place);
    } else if (known?.kind === "literal") this.#claim(path, known, place);
    else if (isFile(value)) this.#placeLoose(value, path, place);
    if (isFile(value)) {
      for (const each of value.secondaryFiles ?? [])
        this.#put(each, `${posix.dirname(path)}/${nameOf(each)}`, how);
    } else if (known?.kind !== "source") {
      if (value.location !== undefined && known === undefined && value.listing === undefined)
        this.#placeLoose(value, path, place);
      else {
        this.#claim(path, { kind: "folder", members: value.listing?.length ?? 0 }, place);
        for (const each of value.listing ?? []) this.#put(each, `${path}/${nameOf(each)}`, how);
      }
    }
    if (writable) this.writable.add(path);
  }

  /** Objects that are not inputs: from the document, or made by an expression. */
  #placeLoose(value: FileV | DirectoryV, path: string, place: Place): void {
    const loose = new Stager();
    loose.placeAt(isFile(value) ? { ...value, secondaryFiles: [] } : value, path, posix.basename(path));
    for (const [at, what] of loose.entries()) this.#claim(at, what, place);
  }
}

/** Folders that are made for what is in them may be made twice. */
function isSame(a: Placed, b: Placed): boolean {
  if (a.kind === "source") return b.kind === "source" && a.source.location === b.source.location;
  if (a.kind === "literal") return b.kind === "literal" && a.content === b.content;
  return b.kind === "folder";
}

/** Expressions may call files as they like. @throws CwlFailure */
function checkNames(value: FileV | DirectoryV, place: Place): void {
  try {
    fileName(nameOf(value));
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw failureAt(place, "cwl-work-dir", `InitialWorkDirRequirement: ${error.message}`);
  }
  for (const each of (isFile(value) ? value.secondaryFiles : value.listing) ?? []) checkNames(each, place);
}

function taskPathOf(location: string | undefined): string | undefined {
  return location === undefined ? undefined : hostPathOf(location);
}
