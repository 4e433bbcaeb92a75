/**
 * Remembers the sha-256 of files by (device, inode, size, mtime-ns, ctime-ns), so that a file is read once in its life.
 * The change time is part of it because nobody can set it: a file replaced by other content with an old mtime is seen.
 *
 * On disk: an append-only file of lines `stamp sha256 check`; `check` is the beginning of a digest over the two, so a
 * torn or damaged line is a miss. Several processes may append at the same time.
 */
import { appendFile, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../files/index.ts";
import { sha256 } from "../hash/index.ts";
import { type Digest, systemErrorCode } from "../kernel/index.ts";

/** `dev-ino-size-mtimeNs-ctimeNs` of a file. */
export type Stamp = string;

export interface FingerprintMemo {
  get(stamp: Stamp): Promise<Digest | undefined>;
  put(stamp: Stamp, digest: Digest): void;
  /** Writes what is new. Trouble with the memo's file is not an error: the next run reads the files again. */
  close(): Promise<void>;
}

/** Lives as long as the process. */
export function memoryMemo(): FingerprintMemo {
  const digests = new Map<Stamp, Digest>();
  return {
    get: async (stamp) => digests.get(stamp),
    put: (stamp, digest) => void digests.set(stamp, digest),
    close: async () => {},
  };
}

const fileName = "sha256-v2.log";
const longestFileBytes = 64 << 20;
const shortenEveryBytes = 8 << 20;
const textLength = 1 << 20;

/** A memo kept in `folder` (created when something is written). */
export function fileMemo(folder: string): FingerprintMemo {
  const path = join(folder, fileName);
  /** By file: a further name of a file makes its earlier stamp one that nothing asks for any more. */
  const fresh = new Map<string, { readonly stamp: Stamp; readonly digest: Digest }>();
  let stored: Promise<ReadonlyMap<Stamp, string>> | undefined;
  return {
    async get(stamp) {
      const known = fresh.get(fileOf(stamp));
      if (known?.stamp === stamp) return known.digest;
      stored ??= load(path);
      return checked(stamp, (await stored).get(stamp));
    },
    put: (stamp, digest) => void fresh.set(fileOf(stamp), { stamp, digest }),
    async close() {
      if (fresh.size === 0) return;
      stored = undefined;
      try {
        await makeFolders(folder);
        let added = 0;
        for (const text of textsOf(fresh.values())) {
          await appendFile(path, text);
          added += text.length;
        }
        await shorten(path, added);
      } catch {
        // A memo that cannot be written costs time in the next run and nothing else.
      } finally {
        fresh.clear();
      }
    },
  };
}

/** The lines, some thousand at a time: a run of many calls has enough of them to matter for memory. */
function* textsOf(known: Iterable<{ readonly stamp: Stamp; readonly digest: Digest }>): Generator<string> {
  let text = "";
  for (const { stamp, digest } of known) {
    text += `${stamp} ${digest} ${check(stamp, digest)}\n`;
    if (text.length < textLength) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

/** What stays the same about a file whose stamp changes; names that are not of files stand for themselves. */
function fileOf(stamp: Stamp): string {
  return /^\d+-\d+-/.exec(stamp)?.[0] ?? stamp;
}

async function load(path: string): Promise<ReadonlyMap<Stamp, string>> {
  const lines = new Map<Stamp, string>();
  let text: string;
  try {
    text = await readFile(path, "latin1");
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return lines;
    throw error;
  }
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
    const space = text.indexOf(" ", start);
    if (space > 0 && space < end) lines.set(text.slice(start, space), text.slice(space + 1, end));
    start = end + 1;
  }
  return lines;
}

function checked(stamp: Stamp, line: string | undefined): Digest | undefined {
  if (line === undefined || line.length !== 64 + 1 + 8) return undefined;
  const digest = line.slice(0, 64) as Digest;
  return line.slice(65) === check(stamp, digest) ? digest : undefined;
}

function check(stamp: Stamp, digest: Digest): string {
  return sha256(`${stamp} ${digest}`).slice(0, 8);
}

/**
 * Files that got a further name, or changed, leave lines that nothing asks for any more: each time another few megabytes
 * have come together only the last line of every file is kept, and of a file that is still too long the newer half.
 */
async function shorten(path: string, addedBytes: number): Promise<void> {
  const { size } = await stat(path);
  if (Math.floor(size / shortenEveryBytes) === Math.floor((size - addedBytes) / shortenEveryBytes)) return;
  const byFile = new Map<string, string>();
  for (const line of (await readFile(path, "latin1")).split("\n")) {
    const stamp = line.slice(0, Math.max(0, line.indexOf(" ")));
    if (stamp === "") continue;
    const file = fileOf(stamp);
    byFile.delete(file);
    byFile.set(file, line);
  }
  const lines = [...byFile.values()];
  const text = `${lines.join("\n")}\n`;
  const kept = text.length <= longestFileBytes ? text : `${lines.slice(lines.length >> 1).join("\n")}\n`;
  const temp = `${path}.${process.pid}.new`;
  await writeFile(temp, kept, "latin1");
  await rename(temp, path);
}
