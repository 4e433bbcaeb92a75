/**
 * Where a tool sees its inputs: `/mnt/memoir/inputs/<n>/<basename>`. Every file has its own folder, so that
 * a tool sees next to it only its secondary files; n counts them in the order of the inputs. No host path enters, neither here nor in what
 * expressions see of a file, so that what they answer is the same wherever the inputs lie.
 */
import { dirname } from "node:path/posix";
import { sha256 } from "../../../hash/index.ts";
import { defined, type TaskPath } from "../../../kernel/index.ts";
import {
  type FileValue,
  type LiteralFile,
  memberOf,
  type StagedInput,
  taskInputs,
  taskRoot,
} from "../../../task/index.ts";
import { fileLocation, hostPathOf, nameOfLocation, splitName } from "../values/location.ts";
import { type DirectoryV, type FileV, isFile } from "../values/value.ts";
import { isWithin } from "./container-path.ts";

/** What is at a path of the task before its command runs. */
export type Placed =
  | { readonly kind: "source"; readonly source: FileValue }
  | { readonly kind: "literal"; readonly content: string }
  /** A directory that is put together of what is placed below it. */
  | { readonly kind: "folder"; readonly members: number };

export class Stager {
  readonly #folders = new Map<string, number>();
  readonly #placed = new Map<string, Placed>();

  /** The object as the task sees it: with `path` and a location that says the same. */
  stage<T extends FileV | DirectoryV>(value: T): T {
    const family = [value, ...(isFile(value) ? (value.secondaryFiles ?? []) : [])];
    const folder = this.#folderFor(family);
    return this.placeAt(value, `${taskInputs}/${folder}/${nameOf(value)}`);
  }

  /** The object at a path that it chooses; secondary files and listings come along. */
  placeAt<T extends FileV | DirectoryV>(value: T, path: string, name = nameOf(value)): T {
    const source = sourceOf(value);
    if (isFile(value)) {
      this.#placed.set(
        path,
        source === undefined
          ? { kind: "literal", content: value.contents ?? "" }
          : { kind: "source", source: { ...ownBytes(source), basename: name } },
      );
      const secondary = value.secondaryFiles?.map((each) =>
        this.placeAt(each, `${dirname(path)}/${nameOf(each)}`),
      );
      return {
        ...value,
        ...splitName(name),
        basename: name,
        path,
        dirname: dirname(path),
        location: fileLocation(path),
        ...defined({ secondaryFiles: secondary, held: source }),
      };
    }
    const listed = value.listing;
    if (source !== undefined) {
      this.#placed.set(path, { kind: "source", source: { ...ownBytes(source), basename: name } });
      return {
        ...value,
        basename: name,
        path,
        location: fileLocation(path),
        held: source,
        ...(listed === undefined ? {} : { listing: listed.map((each) => seenInside(each, path)) }),
      };
    }
    this.#placed.set(path, { kind: "folder", members: listed?.length ?? 0 });
    const members = (listed ?? []).map((each) => this.placeAt(each, `${path}/${nameOf(each)}`));
    return { ...value, basename: name, path, location: fileLocation(path), listing: members };
  }

  /** What is there, or inside a staged directory. */
  lookUp(path: string): Placed | undefined {
    const placed = this.#placed.get(path);
    if (placed !== undefined) return placed;
    const parts = path.split("/");
    for (let length = parts.length - 1; length > 4; length--) {
      const outer = this.#placed.get(parts.slice(0, length).join("/"));
      if (outer?.kind !== "source") continue;
      const location = memberOf(outer.source.location, parts.slice(length).join("/"));
      return {
        kind: "source",
        source: { kind: "file", location, basename: parts.at(-1) ?? "" },
      };
    }
    return undefined;
  }

  entries(): IterableIterator<[string, Placed]> {
    return this.#placed.entries();
  }

  /** The same file with the same company is staged once. */
  #folderFor(family: readonly (FileV | DirectoryV)[]): number {
    const key = JSON.stringify(family.map((each) => [nameOf(each), identityOf(each)]));
    const known = this.#folders.get(key);
    if (known !== undefined) return known;
    const number = this.#folders.size;
    this.#folders.set(key, number);
    return number;
  }
}

/**
 * Everything that is placed, as the call says it. `empty` is a folder of the host without anything in it; below the task
 * root a folder with members is made for them, elsewhere it has to be brought.
 */
export function stagedInputs(
  placed: Iterable<readonly [string, Placed]>,
  writable: ReadonlySet<string>,
  empty: string,
): { readonly inputs: readonly StagedInput[]; readonly literalFiles: readonly LiteralFile[] } {
  const inputs: StagedInput[] = [];
  const literalFiles: LiteralFile[] = [];
  for (const [place, what] of placed) {
    const path = place as TaskPath;
    const free = writable.has(place) ? { writable: true as const } : {};
    if (what.kind === "literal") literalFiles.push({ path, content: what.content });
    else if (what.kind === "source") inputs.push({ path, source: what.source, ...free });
    else if (what.members === 0 || !isWithin(place, taskRoot))
      inputs.push({
        path,
        source: { kind: "directory", location: empty, basename: "empty" },
        writable: true,
      });
  }
  return { inputs, literalFiles };
}

/** The file as the engine knows it; undefined for literals. */
export function sourceOf(value: FileV | DirectoryV): FileValue | undefined {
  if (value.held !== undefined) return value.held;
  const { location } = value;
  if (location === undefined || location.startsWith("_:")) return undefined;
  const kind = isFile(value) ? "file" : "directory";
  const path = hostPathOf(location)?.replace(/(?<=.)\/+$/, "");
  return { kind, location: path ?? location, basename: nameOf(value) };
}

/** The name that the task sees; literals without one are called by their content. */
export function nameOf(value: FileV | DirectoryV): string {
  if (value.basename !== undefined) return value.basename;
  if (value.location !== undefined) return nameOfLocation(value.location);
  const content = isFile(value) ? (value.contents ?? "") : "directory";
  return sha256(content).slice(0, 16);
}

/** Only its own bytes: what is next to it is staged by itself. */
function ownBytes(source: FileValue): FileValue {
  const { siblings: _siblings, ...file } = source;
  return file;
}

function identityOf(value: FileV | DirectoryV): string {
  const source = sourceOf(value);
  if (source !== undefined) return `at ${source.location}`;
  return `literal ${JSON.stringify(isFile(value) ? (value.contents ?? "") : (value.listing ?? []))}`;
}

/** Members of a staged directory lie where the directory lies. */
function seenInside(value: FileV | DirectoryV, folder: string): FileV | DirectoryV {
  const name = nameOf(value);
  const path = `${folder}/${name}`;
  const source = sourceOf(value);
  const held = source === undefined ? {} : { held: source };
  if (isFile(value))
    return {
      ...value,
      ...splitName(name),
      basename: name,
      path,
      dirname: folder,
      location: fileLocation(path),
      ...held,
    };
  const { listing } = value;
  return {
    ...value,
    basename: name,
    path,
    location: fileLocation(path),
    ...held,
    ...(listing === undefined ? {} : { listing: listing.map((each) => seenInside(each, path)) }),
  };
}
