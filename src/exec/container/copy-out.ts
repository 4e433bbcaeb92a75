/**
 * Takes one file out of the tar archive that an engine makes of a path in a container. Only regular files are taken:
 * what else there may be (links, folders, devices) is reported instead.
 */
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, posix } from "node:path";
import type { Readable } from "node:stream";
import type { ReadEntry } from "tar";
import { AppError, messageOf, systemErrorCode } from "../../kernel/index.ts";

export type TakenOut =
  | { readonly kind: "file" }
  /** The path is a link; `target` is absolute. */
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "other"; readonly what: string };

/**
 * Reads no more of the archive than its first entry, which is the path itself.
 * @throws AppError DISK_FULL, or EXEC_ENGINE_FAILED for an archive that ends early
 */
export async function takeOut(archive: Readable, path: string, to: string): Promise<TakenOut> {
  const { Parser } = await import("tar");
  const taking = new Taking(path, to);
  // The parser hands out entries and their bytes while it is fed; an error inside its events would be lost in it.
  const parser = new Parser();
  parser.on("entry", (entry: ReadEntry) => taking.meet(entry));
  try {
    for await (const chunk of archive) {
      parser.write(chunk as Buffer);
      const taken = taking.result();
      if (taken !== undefined) return taken;
    }
    parser.end();
    const taken = taking.result();
    if (taken !== undefined) return taken;
    throw new Error("its archive ends early");
  } catch (error) {
    throw failure(path, to, error);
  } finally {
    taking.close();
    archive.destroy();
  }
}

class Taking {
  readonly #path: string;
  readonly #to: string;
  readonly #part: string;
  #file: number | undefined;
  #result: TakenOut | undefined;
  #error: { readonly cause: unknown } | undefined;

  constructor(path: string, to: string) {
    this.#path = path;
    this.#to = to;
    this.#part = `${to}.part`;
  }

  meet(entry: ReadEntry): void {
    const isFirst = this.#result === undefined && this.#file === undefined;
    if (isFirst && ["File", "OldFile", "ContiguousFile"].includes(entry.type)) {
      this.#write(entry);
      return;
    }
    if (isFirst) this.#result = this.#noFile(entry);
    entry.resume();
  }

  #noFile(entry: ReadEntry): TakenOut {
    if (entry.type === "SymbolicLink")
      return { kind: "link", target: posix.resolve(posix.dirname(this.#path), entry.linkpath ?? "") };
    return { kind: "other", what: entry.type === "Directory" ? "a directory" : "no regular file" };
  }

  /** undefined while it is not known, or not whole. */
  result(): TakenOut | undefined {
    if (this.#error !== undefined) throw this.#error.cause;
    return this.#result;
  }

  close(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    rmSync(this.#part, { force: true });
  }

  /** Under another name until it is whole. */
  #write(entry: ReadEntry): void {
    let left = entry.size;
    this.#attempt(() => {
      mkdirSync(dirname(this.#to), { recursive: true });
      // Programs stay programs.
      this.#file = openSync(this.#part, "w", 0o666 | ((entry.mode ?? 0) & 0o111));
    });
    entry.on("data", (chunk: Buffer) => this.#attempt((file) => (left -= writeWhole(file, chunk))));
    entry.on("end", () =>
      this.#attempt((file) => {
        if (left !== 0) throw new Error(`${left} of its ${entry.size} bytes are missing`);
        closeSync(file);
        this.#file = undefined;
        renameSync(this.#part, this.#to);
        this.#result = { kind: "file" };
      }),
    );
  }

  #attempt(work: (file: number) => void): void {
    if (this.#error !== undefined) return;
    try {
      work(this.#file ?? -1);
    } catch (cause) {
      this.#error = { cause };
    }
  }
}

function writeWhole(file: number, chunk: Buffer): number {
  for (let written = 0; written < chunk.length; ) written += writeSync(file, chunk, written);
  return chunk.length;
}

function failure(path: string, to: string, cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const full = ["ENOSPC", "EDQUOT"].includes(systemErrorCode(cause) ?? "");
  return full
    ? new AppError("DISK_FULL", `copying ${path} out of its container to ${to}: ${messageOf(cause)}`, {
        cause,
      })
    : new AppError("EXEC_ENGINE_FAILED", `copying ${path} out of its container: ${messageOf(cause)}`, {
        cause,
      });
}
