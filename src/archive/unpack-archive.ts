/** Unpacks .zip, .tar.gz and .tgz archives, which are other people's data: models and bundles of workflows. */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ReadEntry } from "tar";
import type { Entry, ZipFile } from "yauzl";
import {
  AppError,
  type Ask,
  checkAsk,
  type ErrorCode,
  isAppError,
  messageOf,
  systemErrorCode,
} from "../kernel/index.ts";
import { type ArchiveLimits, ArchiveWriter } from "./archive-writer.ts";

export interface Unpacking {
  /** Absolute path of a `.zip`; anything else is read as a tar archive, compressed or not. */
  readonly archive: string;
  /** As the user named it. */
  readonly name: string;
  /** An empty folder. What was written before a refusal stays in it: whoever made it removes it. */
  readonly into: string;
  readonly limits: ArchiveLimits;
  /** What errors are called: `unsafe` for archives that are refused, `damaged` for those that cannot be read. */
  readonly codes: { readonly unsafe: ErrorCode; readonly damaged: ErrorCode };
}

/**
 * Unpacks an archive into an empty folder.
 * @throws AppError of one of the `codes`, DISK_FULL, or the system's error when there is no such file.
 */
export async function unpackArchive(request: Unpacking, ask: Ask): Promise<void> {
  const { archive, name, into, limits, codes } = request;
  const found = await stat(archive);
  const { size } = found;
  // Opening a pipe waits for somebody to write to it.
  if (!found.isFile()) throw new AppError(codes.damaged, `unpacking ${name}: it is not a regular file`);
  const writer = new ArchiveWriter({
    archive: name,
    folder: into,
    packedBytes: size,
    limits,
    unsafe: codes.unsafe,
  });
  try {
    if (/\.zip$/i.test(archive)) await unpackZip(archive, writer, ask);
    else await unpackTar(archive, writer, ask);
  } catch (error) {
    checkAsk(ask, `unpacking ${name}`);
    if (isAppError(error)) throw error;
    const words = messageOf(error);
    if (systemErrorCode(error) === "ENOSPC")
      throw new AppError("DISK_FULL", `unpacking ${name}: ${words}`, { cause: error });
    throw new AppError(codes.damaged, `unpacking ${name}: damaged archive: ${words}`, { cause: error });
  } finally {
    writer.close();
  }
}

/** Archives of repositories hold one folder with everything in it: answers the folder where things begin. */
export async function topOfArchive(unpacked: string): Promise<string> {
  // What systems put next to what was packed is nobody's content.
  const entries = (await readdir(unpacked, { withFileTypes: true })).filter(
    ({ name }) => !name.startsWith(".") && name !== "__MACOSX",
  );
  const [only] = entries;
  return entries.length === 1 && only?.isDirectory() ? topOfArchive(join(unpacked, only.name)) : unpacked;
}

async function unpackZip(archive: string, writer: ArchiveWriter, ask: Ask): Promise<void> {
  const { openPromise } = await loadYauzl();
  // Names are checked by the writer, for both kinds of archives in the same way.
  const zip = await openPromise(archive);
  try {
    writer.expect(zip.entryCount);
    for await (const entry of entriesOf(zip)) {
      checkAsk(ask, `unpacking ${archive}`);
      const described = describeZipEntry(entry);
      const sink = writer.begin(described);
      if (sink === undefined) continue;
      writer.expectBytes(entry.uncompressedSize);
      for await (const chunk of await contentOf(zip, entry)) sink.write(chunk as Buffer);
      sink.end();
    }
  } finally {
    zip.close();
  }
}

async function loadYauzl() {
  const { open } = await import("yauzl");
  const openPromise = (path: string) =>
    new Promise<ZipFile>((resolve, reject) => {
      open(
        path,
        {
          lazyEntries: true,
          autoClose: false,
          // Names stay bytes: the library would refuse some itself, in words that only it knows.
          decodeStrings: false,
          validateEntrySizes: true,
        },
        (error, zip) => (error ? reject(error) : resolve(zip)),
      );
    });
  return { openPromise };
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      const settle = (work: () => void) => {
        zip.off("entry", onEntry);
        zip.off("end", onEnd);
        zip.off("error", onError);
        work();
      };
      const onEntry = (found: Entry) => settle(() => resolve(found));
      const onEnd = () => settle(() => resolve(undefined));
      const onError = (error: Error) => settle(() => reject(error));
      zip.on("entry", onEntry).on("end", onEnd).on("error", onError);
      zip.readEntry();
    });
    if (entry === undefined) return;
    yield entry;
  }
}

function describeZipEntry(entry: Entry) {
  // Unix mode in the upper half of the external attributes; 0 where the archive was made elsewhere.
  const mode = entry.externalFileAttributes >>> 16;
  const type = mode & 0o170000;
  const name = nameOf(entry);
  const isFolder = name.endsWith("/");
  const isPlain = type === 0 || type === 0o100000 || type === 0o040000;
  const kind: "file" | "folder" | "other" = !isPlain ? "other" : isFolder ? "folder" : "file";
  return { name, kind, executable: (mode & 0o111) !== 0 };
}

/** UTF-8, as every archiver of today writes; in older archives every byte is a letter. */
function nameOf(entry: Entry): string {
  const bytes = Buffer.from(entry.fileName);
  const text = bytes.toString("utf8");
  return text.includes("\ufffd") ? bytes.toString("latin1") : text;
}

function contentOf(zip: ZipFile, entry: Entry): Promise<NodeJS.ReadableStream> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
}

/**
 * The parser is fed piece by piece; it hands out entries and their bytes while it is fed. What goes wrong with an
 * entry is kept and thrown by the feeding loop, because an error inside the parser's events would be lost in it.
 */
async function unpackTar(archive: string, writer: ArchiveWriter, ask: Ask): Promise<void> {
  const { Parser } = await import("tar");
  const failures: unknown[] = [];
  const attempt = (work: () => void) => {
    if (failures.length > 0) return;
    try {
      work();
    } catch (error) {
      failures.push(error);
    }
  };
  let ended = false;
  const parser = new Parser({ strict: true });
  parser.on("error", (error: unknown) => failures.push(error));
  parser.on("end", () => {
    ended = true;
  });
  parser.on("entry", (entry: ReadEntry) =>
    attempt(() => {
      const sink = writer.begin(describeTarEntry(entry));
      entry.on("data", (chunk: Buffer) => attempt(() => sink?.write(chunk)));
      entry.on("end", () => sink?.end());
    }),
  );
  for await (const chunk of createReadStream(archive)) {
    checkAsk(ask, `unpacking ${archive}`);
    parser.write(chunk as Buffer);
    if (failures.length > 0) throw failures[0];
  }
  parser.end();
  if (failures.length > 0) throw failures[0];
  if (!ended) throw new Error("it ends in the middle of an entry");
}

function describeTarEntry(entry: ReadEntry) {
  const isPlain = entry.type === "File" || entry.type === "OldFile" || entry.type === "ContiguousFile";
  const kind: "file" | "folder" | "other" = isPlain
    ? "file"
    : entry.type === "Directory"
      ? "folder"
      : "other";
  return { name: entry.path, kind, executable: ((entry.mode ?? 0) & 0o111) !== 0 };
}
