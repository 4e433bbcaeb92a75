/**
 * Zip bundles of workflows. A bundle is other people's text: names that leave the folder, links, devices and archives
 * that grow without bound are refused, and documents of a bundle cannot read anything outside of it.
 */
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Entry, ZipFile } from "yauzl";
import { AppError, type Ask, checkAsk, messageOf } from "../../kernel/index.ts";
import type { SourceTree } from "./front-end.ts";
import { createFolderSource } from "./source-tree-folder.ts";

export interface BundleSourceOptions {
  /** Absolute path of the zip file. */
  readonly file: string;
  /** How messages name it. Default: the file. */
  readonly name?: string;
  /** A folder that is created and filled; whoever asks removes it when the workflow has ended. Absolute. */
  readonly into: string;
  readonly network?: "allowed" | "refused";
  readonly limits?: Partial<BundleLimits>;
}

export interface BundleLimits {
  /** Entries, folders included. Default 20,000. */
  readonly entries: number;
  /** Unpacked bytes of all files together. Default 1 GiB. */
  readonly totalBytes: number;
  /** How much larger a file may become than it is in the archive, beyond its first MiB. Default 200. */
  readonly ratio: number;
}

const defaultLimits: BundleLimits = { entries: 20_000, totalBytes: 1024 ** 3, ratio: 200 };
const mebibyte = 1024 * 1024;

/**
 * Unpacks the bundle and answers its tree. Where everything lies in one folder at the top, that folder is the top.
 * @throws AppError as `unpackBundle`
 */
export async function createBundleSource(options: BundleSourceOptions, ask: Ask): Promise<SourceTree> {
  const { file, into, network } = options;
  const name = options.name ?? file;
  await unpackBundle(options, ask);
  const folder = await bundleTop(into);
  return createFolderSource({ folder, name, reach: "inside", ...(network && { network }) });
}

/**
 * Unpacks a bundle into the folder `into`.
 * @throws AppError WORKFLOW_BUNDLE_UNSAFE when it is refused (nothing is left of it), WORKFLOW_BUNDLE_DAMAGED when it
 * cannot be read, WORKFLOW_NOT_FOUND when it is not there.
 */
export async function unpackBundle(
  options: Pick<BundleSourceOptions, "file" | "name" | "into" | "limits">,
  ask: Ask,
): Promise<void> {
  const { file, into } = options;
  const limits = { ...defaultLimits, ...options.limits };
  await mkdir(into, { recursive: true });
  try {
    await unpack({ file, name: options.name ?? file, into, limits }, ask);
  } catch (error) {
    await rm(into, { recursive: true, force: true });
    throw error;
  }
}

interface Unpacking {
  readonly file: string;
  readonly name: string;
  readonly into: string;
  readonly limits: BundleLimits;
}

async function unpack(work: Unpacking, ask: Ask): Promise<void> {
  const zip = await open(work);
  let entries = 0;
  let total = 0;
  const seen = new Set<string>();
  try {
    for await (const entry of zip.eachEntry()) {
      checkAsk(ask, `unpacking ${work.name}`);
      entries++;
      if (entries > work.limits.entries)
        throw unsafe(work, `it has more than ${work.limits.entries} entries`);
      const path = safePath(work, entry);
      if (path === undefined) continue;
      if (seen.has(path)) throw unsafe(work, `it holds ${path} twice`);
      seen.add(path);
      total += await extract(work, zip, entry, path, total);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw damaged(work, error);
  } finally {
    zip.close();
  }
}

async function open(work: Unpacking): Promise<ZipFile> {
  // yauzl itself is loaded only when a bundle is: start-up time counts.
  const { openPromise } = await import("yauzl");
  try {
    return await openPromise(work.file, { lazyEntries: true, autoClose: false, strictFileNames: true });
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT")
      throw new AppError("WORKFLOW_NOT_FOUND", `opening ${work.name}: there is no such file`, {
        cause: error,
      });
    throw damaged(work, error);
  }
}

/** The path below the folder, undefined for folders; refuses what is not a plain file or folder inside. */
function safePath(work: Unpacking, entry: Entry): string | undefined {
  const name = entry.fileName;
  const unixMode = entry.externalFileAttributes >>> 16;
  const type = unixMode & 0o170000;
  const isFolder = name.endsWith("/");
  if (type !== 0 && type !== 0o100000 && type !== 0o040000)
    throw unsafe(work, `${name} is a link or a device, not a file`);
  const parts = name.split("/").filter((part) => part !== "");
  if (name.startsWith("/") || name.includes("\\") || name.includes("\0") || /^[a-zA-Z]:/.test(name))
    throw unsafe(work, `${name} is an absolute path`);
  if (parts.some((part) => part === ".." || part === "."))
    throw unsafe(work, `${name} leaves the folder it is unpacked to`);
  if (entry.isEncrypted()) throw unsafe(work, `${name} is encrypted`);
  return isFolder || parts.length === 0 ? undefined : parts.join("/");
}

/** Answers the bytes written. Sizes in the archive are claims, so they are counted while writing. */
async function extract(
  work: Unpacking,
  zip: ZipFile,
  entry: Entry,
  path: string,
  before: number,
): Promise<number> {
  const target = join(work.into, path);
  await mkdir(dirname(target), { recursive: true });
  const most = Math.min(work.limits.totalBytes - before, mebibyte + entry.compressedSize * work.limits.ratio);
  let written = 0;
  const count = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      written += chunk.byteLength;
      if (written > most) throw unsafe(work, `${path} unpacks to more than ${most} bytes`);
      yield chunk;
    }
  };
  const stream = await zip.openReadStreamPromise(entry);
  await pipeline(stream, count, createWriteStream(target, { flags: "wx", mode: 0o644 }));
  return written;
}

function unsafe(work: Unpacking, why: string): AppError {
  return new AppError("WORKFLOW_BUNDLE_UNSAFE", `unpacking ${work.name}: ${why}`);
}

function damaged(work: Unpacking, error: unknown): AppError {
  // The reader itself refuses some names before we see them.
  const words = messageOf(error);
  if (/absolute path|invalid relative path|invalid characters in fileName/.test(words))
    return new AppError("WORKFLOW_BUNDLE_UNSAFE", `unpacking ${work.name}: ${words}`, { cause: error });
  return new AppError("WORKFLOW_BUNDLE_DAMAGED", `unpacking ${work.name}: ${words}`, { cause: error });
}

/** Where the documents of an unpacked bundle are: archives of repositories hold one folder with everything in it. */
export async function bundleTop(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  const [only] = entries;
  return entries.length === 1 && only?.isDirectory() === true ? bundleTop(join(folder, only.name)) : folder;
}
