/**
 * Input values as they are given: parsed JSON or YAML, made into WDL values of a declared type. Files are looked up:
 * relative paths are relative to the inputs' folder, and what does not exist is an error before anything runs.
 * They are looked up directly and not through `FileAccess`: inputs are also checked where there is no run that could give
 * one.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#json-input-format
 */
import type { Stats } from "node:fs";
import { mkdir, stat, symlink } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { whatItIs } from "../../../files/index.ts";
import { sha256 } from "../../../hash/index.ts";
import { defined, onDisk } from "../../../kernel/index.ts";
import { type FileValue, isObjectUri, nameProblem, originFolder } from "../../../task/index.ts";
import { membersInOrder, type Reach } from "../../core/index.ts";
import { fileAt, isUrl, withoutFileScheme } from "../eval/files/host-files.ts";
import { settleValue } from "../eval/files/scoped-files.ts";
import type { WdlType } from "../types/type.ts";
import { coerce, holdsPaths } from "../values/coerce.ts";
import { ValueFailure } from "../values/failure.ts";
import { fitsInt64 } from "../values/integer.ts";
import {
  array,
  bool,
  float,
  int,
  none,
  object,
  type PathValue,
  str,
  type WdlValue,
} from "../values/value.ts";

export interface InputPlace {
  /** Absolute host folder that relative paths start from. */
  readonly baseDir: string;
  /** Where directories that an input lists piece by piece are put together; undefined = only check them. */
  readonly scratch?: string;
  /** Which files may be named; undefined = all. */
  readonly reach?: Reach | undefined;
  /** Where relative paths are looked up that are not below `baseDir`, and what is reported then. */
  readonly fallback?: { readonly folder: string; readonly warn: (message: string) => void };
}

/** Fails with a ValueFailure. `what` names the input in messages. */
export async function inputValue(
  given: unknown,
  type: WdlType,
  what: string,
  place: InputPlace,
): Promise<WdlValue> {
  if (type.kind === "int" && typeof given === "bigint" && !fitsInt64(given))
    throw new ValueFailure(`${what} is ${given}, which does not fit a 64-bit Int`);
  const value = coerce(await untyped(given, type, what, place), type, what);
  if (!holdsPaths(type)) return value;
  return settleValue(value, type, {
    settle: (path) => (path.source === undefined ? locate(path, what, place) : path),
  });
}

/** Without a type to go by: attributes of runtime sections. */
export function plainValue(given: unknown): WdlValue {
  if (given === null || given === undefined) return none;
  switch (typeof given) {
    case "boolean":
      return bool(given);
    case "bigint":
      return fitsInt64(given) ? int(given) : float(Number(given));
    case "number":
      return Number.isSafeInteger(given) && !Object.is(given, -0) ? int(given) : float(given);
    case "string":
      return str(given);
    case "object":
      return Array.isArray(given)
        ? array(given.map(plainValue))
        : object(
            membersInOrder(given as Record<string, unknown>).map(
              ([name, item]) => [name, plainValue(item)] as const,
            ),
          );
    default:
      throw new ValueFailure(`a value of type ${typeof given} has no meaning as an input`);
  }
}

/** The extended form of files and the members of structs need the type: everything else is coerced afterwards. */
async function untyped(given: unknown, type: WdlType, what: string, place: InputPlace): Promise<WdlValue> {
  if (typeof given !== "object" || given === null || !(holdsPaths(type) || holdsStructs(type)))
    return plainValue(given);
  const member = (name: string): unknown => (given as Record<string, unknown>)[name];
  switch (type.kind) {
    case "file":
    case "directory":
      return Array.isArray(given) ? plainValue(given) : extendedPath(given, type.kind, what, place);
    case "array":
      if (!Array.isArray(given)) return plainValue(given);
      return array(await each(given, (item, i) => untyped(item, type.item, `item ${i} of ${what}`, place)));
    case "map":
      if (Array.isArray(given)) return plainValue(given);
      return object(
        await members(given, (name, item) => untyped(item, type.value, `"${name}" of ${what}`, place)),
      );
    case "pair":
      if (Array.isArray(given)) return plainValue(given);
      if ("Left" in given && "Right" in given)
        throw new ValueFailure(
          `${what} has the members Left and Right, but the sides of a Pair are called left and right`,
          'write {"left": …, "right": …}',
        );
      if (!("left" in given && "right" in given)) return plainValue(given);
      for (const name of Object.keys(given)) {
        if (name === "left" || name === "right") continue;
        throw new ValueFailure(
          `${what} has a member "${name}", which a Pair does not have`,
          'write {"left": …, "right": …}',
        );
      }
      return object([
        ["left", await untyped(member("left"), type.left, `the left side of ${what}`, place)],
        ["right", await untyped(member("right"), type.right, `the right side of ${what}`, place)],
      ]);
    case "struct":
      if (Array.isArray(given)) return plainValue(given);
      for (const name of Object.keys(given)) {
        if (type.members.has(name)) continue;
        throw new ValueFailure(
          `${what} has a member "${name}", which ${type.name} does not have`,
          `members are ${[...type.members.keys()].join(", ")}`,
        );
      }
      return object(
        await members(given, (name, item) =>
          untyped(
            item,
            type.members.get(name) ?? { kind: "any", optional: true },
            `"${name}" of ${what}`,
            place,
          ),
        ),
      );
    default:
      return plainValue(given);
  }
}

/** A member that a struct does not have is a slip of the pen here, where coercion would leave it out; so is `Left`. */
function holdsStructs(type: WdlType): boolean {
  switch (type.kind) {
    case "struct":
      return true;
    case "array":
      return holdsStructs(type.item);
    case "map":
      return holdsStructs(type.value);
    case "pair":
      return true;
    default:
      return false;
  }
}

function each<T>(
  items: readonly unknown[],
  work: (item: unknown, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(items.map(work));
}

function members(
  given: object,
  work: (name: string, item: unknown) => Promise<WdlValue>,
): Promise<(readonly [string, WdlValue])[]> {
  return Promise.all(
    membersInOrder(given as Record<string, unknown>).map(
      async ([name, item]) => [name, await work(name, item)] as const,
    ),
  );
}

async function locate(path: PathValue, what: string, place: InputPlace): Promise<PathValue> {
  const text = withoutFileScheme(path.path);
  if (text === "") throw new ValueFailure(`${what} is an empty path, but a ${path.kind} is needed`);
  if (isUrl(text)) {
    if (isObjectUri(text)) return pathOf(objectAt(text, path.kind, what));
    if (/^https?:/i.test(text)) return pathOf(fileAt(text, path.kind));
    throw new ValueFailure(
      `${what} names ${path.path}, which cannot be read from here`,
      "paths, file://, http(s):// and s3:// can: fetch it first",
    );
  }
  const { location, found } = isAbsolute(text)
    ? await lookUp(text, place)
    : await lookUpRelative(text, what, path, place);
  if (found === undefined) {
    throw new ValueFailure(
      `${what} names the ${path.kind} ${path.path}, which does not exist`,
      isAbsolute(text) ? undefined : `relative paths start at ${place.baseDir}`,
    );
  }
  const special = whatItIs(found);
  if (special !== undefined) {
    throw new ValueFailure(
      `${what} names ${path.path}, which is ${special}, but a ${path.kind} is needed`,
      "write what it gives into a regular file and name that",
    );
  }
  const kind = found.isDirectory() ? "directory" : "file";
  if (kind !== path.kind) {
    throw new ValueFailure(`${what} names ${path.path}, which is a ${kind}, but a ${path.kind} is needed`);
  }
  return pathOf(fileAt(resolve(location), kind));
}

function objectAt(location: string, kind: "file" | "directory", what: string): FileValue {
  if (kind === "file" && location.endsWith("/"))
    throw new ValueFailure(`${what} names ${location}, which ends with a slash, but a file is needed`);
  const file = fileAt(location, kind);
  const problem = nameProblem(file.basename);
  if (problem !== undefined)
    throw new ValueFailure(
      `${what} names ${location}, whose last part cannot be a file name: ${problem}`,
      "copy the object to another name",
    );
  return file;
}

type Looked = { readonly location: string; readonly found: Stats | undefined };

async function lookUp(location: string, { reach }: InputPlace): Promise<Looked> {
  await reach?.admit(location);
  return { location, found: await stat(onDisk(location)).catch(() => undefined) };
}

/** Next to the inputs; else where other engines start, which is said. */
async function lookUpRelative(
  text: string,
  what: string,
  path: PathValue,
  place: InputPlace,
): Promise<Looked> {
  const relative = await lookUp(resolve(place.baseDir, text), place);
  if (relative.found !== undefined || place.fallback === undefined) return relative;
  const { folder, warn } = place.fallback;
  const here = await lookUp(resolve(folder, text), place);
  if (here.found === undefined) return relative;
  warn(
    `${what} names ${path.path}, which is not next to the inputs in ${place.baseDir}; the one in ${folder} is used`,
  );
  return here;
}

function pathOf(source: FileValue): PathValue {
  return { kind: source.kind, path: source.location, source, group: originFolder(source) };
}

/** `{ location?, basename?, listing? }` (1.2). */
async function extendedPath(
  given: object,
  kind: "file" | "directory",
  what: string,
  place: InputPlace,
): Promise<PathValue> {
  const form = readExtended(given, kind, what);
  if (form.listing !== undefined) return assemble(form, form.listing, what, place);
  if (form.location === undefined) {
    throw new ValueFailure(
      `${what} has no location`,
      'write {"location": "/path/or/url"}, or the path alone',
    );
  }
  const found = await locate({ kind, path: form.location }, what, place);
  if (form.basename === undefined || found.source === undefined) return found;
  return { ...found, source: { ...found.source, basename: form.basename } };
}

interface Extended {
  readonly kind: "file" | "directory";
  readonly location?: string;
  readonly basename?: string;
  readonly listing?: readonly unknown[];
}

function readExtended(given: unknown, kind: "file" | "directory" | undefined, what: string): Extended {
  if (typeof given !== "object" || given === null)
    throw new ValueFailure(`${what} has a listing item that is not an object`);
  const fields = given as Record<string, unknown>;
  const words = (name: string): string | undefined => {
    const value = fields[name];
    if (value === undefined || value === null || typeof value === "string") return value ?? undefined;
    throw new ValueFailure(`${what} has a ${name} that is not a string`);
  };
  const type = words("type")?.toLowerCase() ?? kind;
  if ((type !== "file" && type !== "directory") || (kind !== undefined && type !== kind)) {
    throw new ValueFailure(
      `${what} has the type ${String(fields["type"])}, but ${kind ?? "File or Directory"} is needed`,
    );
  }
  const [location, basename] = [words("location"), words("basename")];
  if (
    basename !== undefined &&
    (basename === "" || basename.includes("/") || basename === "." || basename === "..")
  ) {
    throw new ValueFailure(`${what} has the basename "${basename}", which is not a file name`);
  }
  const listing = fields["listing"];
  if (listing !== undefined && !Array.isArray(listing))
    throw new ValueFailure(`${what} has a listing that is not an array`);
  return {
    kind: type,
    ...defined({ location, basename, listing }),
  };
}

/**
 * A directory that is listed piece by piece becomes a folder of links. Made here and not through the run's files: these
 * cannot make links, and inputs are also read to check them, where there is no run.
 */
async function assemble(
  form: Extended,
  listing: readonly unknown[],
  what: string,
  place: InputPlace,
): Promise<PathValue> {
  const name =
    form.basename ?? (form.location === undefined ? undefined : fileAt(form.location, "directory").basename);
  if (name === undefined) throw new ValueFailure(`${what} has a listing, but neither location nor basename`);
  const parts = await listedFiles(form.location, listing, what, place);
  const origin = JSON.stringify(parts);
  const folder = join(place.scratch ?? "/", "listings", sha256(origin).slice(0, 20), name);
  if (place.scratch !== undefined) {
    await mkdir(folder, { recursive: true });
    for (const part of parts) {
      const target = join(folder, part.path);
      await mkdir(resolve(target, ".."), { recursive: true });
      await symlink(part.location, target).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      });
    }
  }
  return { ...pathOf(fileAt(folder, "directory")), group: `listing:${origin}` };
}

async function listedFiles(
  parent: string | undefined,
  listing: readonly unknown[],
  what: string,
  place: InputPlace,
  prefix = "",
): Promise<{ readonly path: string; readonly location: string }[]> {
  const found: { readonly path: string; readonly location: string }[] = [];
  for (const given of listing) {
    const form = readExtended(given, undefined, what);
    const location =
      form.location ??
      (parent === undefined || form.basename === undefined ? undefined : join(parent, form.basename));
    const name = form.basename ?? (location === undefined ? undefined : fileAt(location, form.kind).basename);
    if (name === undefined) throw new ValueFailure(`${what} lists an item without location and basename`);
    if (form.listing !== undefined) {
      found.push(...(await listedFiles(location, form.listing, what, place, `${prefix}${name}/`)));
      continue;
    }
    if (location === undefined) throw new ValueFailure(`${what} lists ${name}, but not where it is`);
    if (isUrl(withoutFileScheme(location))) {
      throw new ValueFailure(
        `${what} lists ${location}; listed items have to be on this machine`,
        "name the directory itself",
      );
    }
    const path = await locate({ kind: form.kind, path: location }, what, place);
    found.push({ path: prefix + name, location: path.source?.location ?? path.path });
  }
  return found;
}
