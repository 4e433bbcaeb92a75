/** The content of files as scripts read it. */
import { gunzipSync } from "node:zlib";
import type { Path } from "../values/path.ts";
import { fail } from "../values/throwable.ts";

/** A text cannot be longer. */
const mostUnpackedBytes = 500 * 2 ** 20;

export function bytesOf(path: Path): Uint8Array {
  const found = path.files.stat(path.absolute);
  if (found === undefined && path.isRemote)
    fail("IOException", `${path.location} is not on this machine: it can be an input of a process`);
  if (found === undefined) fail("NoSuchFileException", path.location);
  if (found.kind === "directory") fail("IOException", `Is a directory: ${path.location}`);
  return path.files.readBytes(path.absolute);
}

export function contentOf(path: Path): string {
  return Buffer.from(bytesOf(path)).toString("utf8");
}

/** Unpacked where the name ends in `.gz`. */
export function unpackedContent(path: Path): string {
  return /\.gz$/.test(path.fileName) ? gunzipped(path) : contentOf(path);
}

export function gunzipped(path: Path): string {
  return gunzipSync(bytesOf(path), { maxOutputLength: mostUnpackedBytes }).toString("utf8");
}
