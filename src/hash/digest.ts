/** Digests: sha-256 for identity, MD5 only where an outside format demands it (Ersilia's row key, S3 ETags). */
import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type Digest, defined, onDisk } from "../kernel/index.ts";
import { type CanonicalValue, canonicalText } from "./canonical.ts";

export function sha256(bytes: string | Uint8Array): Digest {
  return hash("sha256", bytes, "hex") as Digest;
}

/** sha-256 of the canonical encoding of a value. */
export function digestOf(value: CanonicalValue): Digest {
  return sha256(canonicalText(value));
}

/** MD5 hex of a text in UTF-8: the `key` column of Ersilia's files. */
export function md5Hex(text: string): string {
  return hash("md5", text, "hex");
}

/** sha-256 of a file's content, read in 1 MiB pieces. */
export async function sha256File(path: string, signal?: AbortSignal): Promise<Digest> {
  const hasher = createHash("sha256");
  const stream = createReadStream(onDisk(path), {
    highWaterMark: 1 << 20,
    ...defined({ signal }),
  });
  for await (const chunk of stream) hasher.update(chunk as Buffer);
  return hasher.digest("hex") as Digest;
}

/** Both digests of a file's content in one reading, for stores that know objects by their MD5. */
export async function digestsOfFile(
  path: string,
  signal?: AbortSignal,
): Promise<{ readonly sha256: Digest; readonly md5: string }> {
  const [sha, md5] = [createHash("sha256"), createHash("md5")];
  const stream = createReadStream(onDisk(path), {
    highWaterMark: 1 << 20,
    ...defined({ signal }),
  });
  for await (const chunk of stream) {
    sha.update(chunk as Buffer);
    md5.update(chunk as Buffer);
  }
  return { sha256: sha.digest("hex") as Digest, md5: md5.digest("hex") };
}
