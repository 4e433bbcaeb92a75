/** File and Directory objects get the fields that the language promises: names, size, contents, listings. */
import { type Ask, defined, utf8Beginning, utf8Text } from "../../../kernel/index.ts";
import type { LoadListing } from "../model/binding.ts";
import { atLeast, type CwlVersion } from "../model/version.ts";
import { FileProblem, fileName } from "./file-problem.ts";
import type { Files } from "./files.ts";
import { nameOfLocation, splitName } from "./location.ts";
import { mergedListing } from "./merge-listing.ts";
import {
  type CwlValue,
  type DirectoryV,
  type FileV,
  isDirectory,
  isFile,
  isList,
  isRecord,
} from "./value.ts";

/** What `loadContents` reads at most, in bytes. */
export const mostContents = 64 * 1024;

/**
 * Names and sizes of one object and of its secondary files and listing.
 * @throws FileProblem when it is not there, or has a name that no file can have.
 */
export async function completeFile(
  value: FileV | DirectoryV,
  files: Files,
  ask: Ask,
): Promise<FileV | DirectoryV> {
  return isDirectory(value) ? completeDirectory(value, files, ask) : completePlainFile(value, files, ask);
}

async function completePlainFile(value: FileV, files: Files, ask: Ask): Promise<FileV> {
  const { location } = value;
  if (location === undefined && value.contents === undefined)
    throw new FileProblem("a File needs location, path or contents");
  const basename = checkedName(
    value.basename ?? (location === undefined ? undefined : nameOfLocation(location)),
  );
  let { size } = value;
  if (location === undefined) {
    const bytes = Buffer.byteLength(value.contents ?? "", "utf8");
    if (bytes > mostContents)
      throw new FileProblem(
        `contents of a file literal has ${bytes} bytes, at most ${mostContents} are allowed`,
      );
    size = bytes;
  } else if (size === undefined || value.held === undefined) {
    const found = await files.stat(location, ask);
    if (found === undefined && isLocal(location)) throw new FileProblem(`there is no file ${location}`);
    if (found?.kind === "directory") throw new FileProblem(`${location} is a directory, expected a file`);
    size = found?.sizeBytes ?? size;
  }
  const secondaryFiles =
    value.secondaryFiles === undefined
      ? undefined
      : await Promise.all(value.secondaryFiles.map((each) => completeFile(each, files, ask)));
  return {
    ...value,
    ...(basename !== undefined && { basename, ...splitName(basename) }),
    ...defined({ size, secondaryFiles }),
  };
}

async function completeDirectory(value: DirectoryV, files: Files, ask: Ask): Promise<DirectoryV> {
  const { location } = value;
  if (location === undefined && value.listing === undefined)
    throw new FileProblem("a Directory needs location, path or listing");
  if (location !== undefined && value.held === undefined && isLocal(location)) {
    const found = await files.stat(location, ask);
    if (found === undefined) throw new FileProblem(`there is no directory ${location}`);
    if (found.kind === "file") throw new FileProblem(`${location} is a file, expected a directory`);
  }
  const basename = checkedName(
    value.basename ?? (location === undefined ? undefined : nameOfLocation(location)),
  );
  const listing =
    value.listing === undefined
      ? undefined
      : await mergedListing(
          await Promise.all(value.listing.map((each) => completeFile(each, files, ask))),
          basename === undefined ? "a listing" : `the directory ${basename}`,
          async (each) => (await withListing(each, "deep_listing", files, ask)).listing ?? [],
        );
  return { ...value, ...defined({ basename, listing }) };
}

function isLocal(location: string): boolean {
  return /^file:/i.test(location);
}

function checkedName(name: string | undefined): string | undefined {
  return name === undefined ? undefined : fileName(name);
}

/** Applies `change` to every File and Directory in a value, not to those inside them. */
export async function mapFiles(
  value: CwlValue,
  change: (file: FileV | DirectoryV) => Promise<FileV | DirectoryV>,
): Promise<CwlValue> {
  if (isFile(value) || isDirectory(value)) return change(value);
  if (isList(value)) {
    if (!value.some((each) => typeof each === "object" && each !== null)) return value;
    return Promise.all(value.map((each) => mapFiles(each, change)));
  }
  if (isRecord(value)) {
    const entries = await Promise.all(
      Object.entries(value).map(async ([name, each]) => [name, await mapFiles(each, change)] as const),
    );
    return Object.fromEntries(entries);
  }
  return value;
}

/**
 * The file with its text in `contents`. From v1.2 on a longer file is an error, before it is cut.
 * @throws FileProblem
 */
export async function withContents(file: FileV, version: CwlVersion, files: Files, ask: Ask): Promise<FileV> {
  if (file.location === undefined) return file;
  const size = file.size ?? (await files.stat(file.location, ask))?.sizeBytes ?? 0;
  if (size > mostContents && atLeast(version, "v1.2"))
    throw new FileProblem(
      `loadContents reads at most ${mostContents} bytes, ${file.basename ?? file.location} has ${size}`,
    );
  const bytes = await files.readStart(file.location, mostContents, ask);
  const contents = size > mostContents ? utf8Beginning(bytes) : utf8Text(bytes);
  if (contents === undefined)
    throw new FileProblem(`loadContents reads text, and ${file.basename ?? file.location} is not UTF-8`);
  return { ...file, contents };
}

/** The directory with its listing as asked for; what a literal lists stays. */
export async function withListing(
  directory: DirectoryV,
  wanted: LoadListing,
  files: Files,
  ask: Ask,
): Promise<DirectoryV> {
  const { location } = directory;
  if (location === undefined) return directory;
  const { listing: _before, ...withoutListing } = directory;
  if (wanted === "no_listing") return withoutListing;
  const members = await files.list(location, ask);
  const listing = await Promise.all(
    members.map(async (each): Promise<FileV | DirectoryV> => {
      if (each.kind === "file")
        return completeFile({ class: "File", location: each.location, basename: each.name }, files, ask);
      const inner: DirectoryV = { class: "Directory", location: each.location, basename: each.name };
      // A link may lead to a folder that it is in, and a few of them around without end.
      return wanted === "deep_listing" && each.link !== true ? withListing(inner, wanted, files, ask) : inner;
    }),
  );
  return { ...withoutListing, listing };
}
