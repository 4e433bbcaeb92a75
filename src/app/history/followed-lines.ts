/**
 * Reads the history, once or again and again: what was read is then not read again. When a file was renamed, replaced or
 * made shorter, everything is.
 */
import { type FileHandle, open, stat } from "node:fs/promises";
import { AppError, messageOf, systemErrorCode } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { factsIn, type HistoryLimits, type HistoryName, pathsOf, usualLimits } from "./kept-lines.ts";

/** In the order in which they were kept; torn lines are left out. */
export async function keptLines<Fact>(
  name: HistoryName,
  environment: Pick<Environment, "home">,
  limits: Pick<HistoryLimits, "files"> = usualLimits,
): Promise<readonly Fact[]> {
  return (await new FollowedLines<Fact>(name, environment, limits).read()).facts;
}

/** `all`: what was handed out before counts no more. */
export interface Grown<Fact> {
  readonly kind: "all" | "more";
  readonly facts: readonly Fact[];
}

interface Seen {
  readonly ino: number;
  readonly mtimeMs: number;
  /** Bytes that were there. */
  readonly size: number;
  /** Bytes of whole lines. */
  readonly read: number;
  /** The last of them: a file with others in their place was written again. */
  readonly tail: Buffer;
}

const tailBytes = 128;
const mostTries = 5;

export class FollowedLines<Fact> {
  readonly #paths: readonly string[];
  /** As `#paths`, oldest first; undefined = there was no such file. */
  #seen: readonly (Seen | undefined)[] | undefined;

  constructor(
    name: HistoryName,
    { home }: Pick<Environment, "home">,
    limits: Pick<HistoryLimits, "files"> = usualLimits,
  ) {
    this.#paths = pathsOf(home, name, limits);
  }

  /** In the order in which they were kept. Callers wait for one look before they begin another. */
  async read(): Promise<Grown<Fact>> {
    const more = await this.#readMore();
    if (more !== undefined) return { kind: "more", facts: more as readonly Fact[] };
    return { kind: "all", facts: (await this.#readAll()) as readonly Fact[] };
  }

  /** undefined = everything has to be read. */
  async #readMore(): Promise<readonly object[] | undefined> {
    const seen = this.#seen;
    if (seen === undefined) return undefined;
    const looks = await Promise.all(this.#paths.map(lookAt));
    const older = looks.slice(0, -1);
    if (!older.every((look, at) => isSame(look, seen[at]))) return undefined;
    const [look, last] = [looks.at(-1), seen.at(-1)];
    if (isSame(look, last)) return [];
    if (look === undefined || last === undefined || look.ino !== last.ino || look.size <= last.size)
      return undefined;
    const from = last.read - last.tail.length;
    const found = await bytesOf(this.#paths.at(-1) ?? "", from);
    if (found === undefined || found.ino !== last.ino) return undefined;
    if (!found.bytes.subarray(0, last.tail.length).equals(last.tail)) return undefined;
    const lines = linesIn(found.bytes);
    this.#seen = [...seen.slice(0, -1), seenOf(found, lines, from)];
    return factsIn(lines.toString("utf8", last.tail.length));
  }

  async #readAll(): Promise<readonly object[]> {
    let found: readonly (Found | undefined)[] = [];
    for (let tries = 0; tries < mostTries; tries++) {
      found = await Promise.all(this.#paths.map((path) => bytesOf(path, 0)));
      const after = await Promise.all(this.#paths.map(lookAt));
      // Files that were renamed meanwhile would be read twice, or not at all.
      if (after.every((look, at) => look?.ino === found[at]?.ino)) break;
    }
    this.#seen = found.map((file) => (file === undefined ? undefined : seenOf(file, linesIn(file.bytes), 0)));
    return found.flatMap((file) => (file === undefined ? [] : factsIn(linesIn(file.bytes).toString("utf8"))));
  }
}

interface Look {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
}

interface Found extends Look {
  readonly bytes: Buffer;
}

function isSame(look: Look | undefined, seen: Seen | undefined): boolean {
  if (look === undefined || seen === undefined) return look === seen;
  return look.ino === seen.ino && look.size === seen.size && look.mtimeMs === seen.mtimeMs;
}

async function lookAt(path: string): Promise<Look | undefined> {
  return stat(path).catch((error: unknown) => orNone(error, path));
}

/** What is there from a byte on; its size is that of what was read. */
async function bytesOf(path: string, from: number): Promise<Found | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const { ino, size, mtimeMs } = await file.stat();
    const buffer = Buffer.alloc(Math.max(0, size - from));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    return { ino, mtimeMs, size: from + bytesRead, bytes: buffer.subarray(0, bytesRead) };
  } catch (error) {
    return orNone(error, path);
  } finally {
    await file?.close();
  }
}

function orNone(error: unknown, path: string): undefined {
  if (systemErrorCode(error) === "ENOENT") return undefined;
  throw new AppError("FILE_NOT_READABLE", `reading ${path}: ${messageOf(error)}`, { cause: error });
}

/** Without a line that is being written. */
function linesIn(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
}

function seenOf({ ino, mtimeMs, size }: Found, lines: Buffer, from: number): Seen {
  return { ino, mtimeMs, size, read: from + lines.length, tail: Buffer.from(lines.subarray(-tailBytes)) };
}
