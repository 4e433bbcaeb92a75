/** The content of files as scripts read it. */
import { constants, gunzipSync } from "node:zlib";
import type { Path } from "../values/path.ts";
import { fail } from "../values/throwable.ts";

/** A text cannot be longer. */
const mostUnpackedBytes = 500 * 2 ** 20;

export function bytesOf(path: Path, most?: number): Uint8Array {
  const found = path.files.stat(path.absolute);
  if (found === undefined && path.isRemote)
    fail("IOException", `${path.location} is not on this machine: it can be an input of a process`);
  if (found === undefined) fail("NoSuchFileException", path.location);
  if (found.kind === "directory") fail("IOException", `Is a directory: ${path.location}`);
  return path.files.readBytes(path.absolute, most);
}

export function contentOf(path: Path): string {
  return Buffer.from(bytesOf(path)).toString("utf8");
}

/** Unpacked where the name ends in `.gz`. */
export function unpackedContent(path: Path): string {
  return /\.gz$/.test(path.fileName) ? gunzipped(path) : contentOf(path);
}

function gunzipped(path: Path): string {
  return gunzipSync(bytesOf(path), { maxOutputLength: mostUnpackedBytes }).toString("utf8");
}

/** The text at the start of a file, of at least so many bytes of it. */
export interface TextStart {
  readonly text: string;
  readonly isWhole: boolean;
}

export function startOf(path: Path, bytes: number): TextStart {
  const read = bytesOf(path, bytes);
  return { text: Buffer.from(read).toString("utf8"), isWhole: read.length < bytes };
}

/** As much as can be unpacked of that many packed bytes. */
export function gunzippedStart(path: Path, bytes: number): TextStart {
  const read = bytesOf(path, bytes);
  const isWhole = read.length < bytes;
  const text = gunzipSync(read, {
    maxOutputLength: mostUnpackedBytes,
    ...(!isWhole && { finishFlush: constants.Z_SYNC_FLUSH }),
  });
  return { text: text.toString("utf8"), isWhole };
}
