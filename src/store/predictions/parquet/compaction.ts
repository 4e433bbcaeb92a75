/**
 * Merging many files of one model and release into few. The new file is written, read back and published before the old
 * ones are removed, and it names them, so that a crash before the removal leaves only files that every reader ignores.
 */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { AppError, type Ask, checkAsk, systemErrorCode } from "../../../kernel/index.ts";
import type { PredictionScope } from "../../../task/index.ts";
import { createFolderStore, type ObjectStore } from "../../objects/index.ts";
import { readFileIndex } from "./file-index.ts";
import { type FileHandle, walk } from "./file-reader.ts";
import { createFileWriter, type WrittenFile } from "./file-writer.ts";
import { fileNameOf, parseFileName, releaseFolder } from "./layout.ts";
import { merge } from "./merge.ts";
import type { ListedFile, Partition } from "./partition.ts";
import type { TempPlaces } from "./temp-places.ts";

export interface CompactReport {
  readonly filesBefore: number;
  readonly filesAfter: number;
  readonly rows: number;
  /** Equal inputs that several writers had stored. */
  readonly duplicates: number;
}

/** Rows of one file; larger partitions become several files, each with its own range of keys. */
const fileRows = 4_000_000;
/** This many adjacent files of one size class are merged into one. */
const runLength = 16;
const sizeClasses = [1 << 20, 16 << 20, 256 << 20];

/**
 * The files to merge now, if any: adjacent in time (so that newer values stay newer), many and small. Size classes
 * keep the number of files small and let each row be written again only a few times.
 */
export function dueForCompaction(files: readonly ListedFile[]): readonly ListedFile[] {
  for (const limit of sizeClasses) {
    let run: ListedFile[] = [];
    let longest: readonly ListedFile[] = [];
    for (const file of files) {
      run = file.info.sizeBytes <= limit ? [...run, file] : [];
      if (run.length > longest.length) longest = run;
    }
    if (longest.length >= runLength) return longest;
  }
  return [];
}

/** Merges `chosen` (adjacent in time) of the partition; what others add meanwhile is not touched. */
export async function compactFiles(
  options: {
    readonly store: ObjectStore;
    readonly scope: PredictionScope;
    readonly partition: Partition;
    readonly chosen: readonly ListedFile[];
    readonly temps: TempPlaces;
  },
  ask: Ask,
): Promise<CompactReport> {
  const { store, scope, partition, chosen } = options;
  const names = new Set(chosen.map(({ info }) => info.name));
  const sources = partition.ownSources
    .filter(({ name }) => names.has(name))
    // Rows that cannot be read must not vanish with the file that holds them.
    .map((source): FileHandle => ({ ...source, onDamage: (reason) => damaged(source.name, reason) }));
  if (sources.length === 0) return { filesBefore: 0, filesAfter: 0, rows: 0, duplicates: 0 };
  const removable = sources.map(({ name }) => name);
  const before = sources.reduce((sum, { index }) => sum + index.rows, 0);
  const sequence = Math.max(...removable.map((name) => parseFileName(basename(name))?.sequence ?? 0));
  const temps: string[] = [];
  try {
    const files: { path: string; written: WrittenFile }[] = [];
    let current: OpenFile | undefined;
    const openFile = async (): Promise<OpenFile> => {
      const path = await options.temps.file();
      temps.push(path);
      return await writeTo(path, scope);
    };
    let rows = 0;
    for await (const batch of merge(sources, { projection: "whole" }, ask)) {
      for (const { walked } of batch) {
        current ??= await openFile();
        current.writer.add(walked);
        rows++;
        if (rows % fileRows !== 0) continue;
        files.push({ path: current.path, written: current.close([]) });
        current = undefined;
      }
    }
    // The last file names what all of them together replace; it is published last.
    current ??= await openFile();
    files.push({ path: current.path, written: current.close(removable.map((name) => basename(name))) });
    for (const file of files) await verify(file, sources[0] as FileHandle, options.temps.root, ask);
    // A source that no longer exists was dropped or merged by somebody else: publishing would bring dropped rows back.
    for (const name of removable)
      if ((await store.head(name, ask)) === undefined)
        throw new AppError("STORE_OBJECT_NOT_FOUND", `compacting ${name}: it was removed meanwhile`);
    for (const { path, written } of files) {
      const name = releaseFolder(scope) + fileNameOf({ sequence, tailDigest: written.tailDigest }, scope);
      await store.putFile(name, path, ask);
    }
    await store.remove(removable, ask);
    return { filesBefore: removable.length, filesAfter: files.length, rows, duplicates: before - rows };
  } finally {
    for (const path of temps) rmSync(path, { force: true });
  }
}

interface OpenFile {
  readonly path: string;
  readonly writer: Awaited<ReturnType<typeof createFileWriter>>;
  close(replaces: readonly string[]): WrittenFile;
}

async function writeTo(path: string, scope: PredictionScope): Promise<OpenFile> {
  const fd = openSync(path, "wx");
  const sink = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.byteLength; ) {
      try {
        at += writeSync(fd, bytes, at);
      } catch (error) {
        if (systemErrorCode(error) === "ENOSPC")
          throw new AppError("DISK_FULL", `compacting predictions in ${path}: no space left`, {
            cause: error,
          });
        throw error;
      }
    }
  };
  const writer = await createFileWriter({ scope, sink });
  return {
    path,
    writer,
    close: (replaces) => {
      const written = writer.finish(replaces);
      closeSync(fd);
      return written;
    },
  };
}

/** Reads the new file back, every page of it, before anything that it replaces is removed. */
async function verify(
  { path, written }: { readonly path: string; readonly written: WrittenFile },
  like: FileHandle,
  folder: string,
  ask: Ask,
): Promise<void> {
  const store = createFolderStore({ path: folder, durable: false });
  const reader = await store.openReader(basename(path), written.sizeBytes, ask);
  try {
    const answer = await readFileIndex(reader, like.scope, written.tailDigest, ask);
    if (answer.kind !== "index") return damaged(path, `it is ${answer.kind}`);
    const file: FileHandle = {
      ...like,
      name: path,
      index: answer.index,
      reader,
      gapBytes: store.gapBytes,
      blooms: new Map(),
      onDamage: (reason) => damaged(path, reason),
    };
    let rows = 0;
    for await (const batch of walk(file, { projection: "whole" }, ask)) {
      checkAsk(ask, "compacting predictions");
      rows += batch.length;
    }
    if (rows !== written.rows) damaged(path, `it holds ${rows} rows, expected ${written.rows}`);
  } finally {
    await reader.close();
  }
}

function damaged(name: string, reason: string): never {
  throw new AppError("STORE_OBJECT_DAMAGED", `compacting ${name}: ${reason}`);
}
