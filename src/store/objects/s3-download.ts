/** Downloads: parts side by side, of one and the same object, compared with the checksums that are known of it. */
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestsOfFile } from "../../hash/index.ts";
import { AppError, type Ask, checkAsk, mapBounded, onDisk } from "../../kernel/index.ts";
import { folderError } from "./folder-errors.ts";
import type { ByteRange, ExpectedObject, FetchedObject } from "./object-store.ts";
import { type ObjectFacts, otherThan } from "./s3-answers.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { partBytes } from "./s3-writes.ts";

const partsAtOnce = 4;
/** Read together with what the object is. Of a large object the rest comes in parts. */
const startBytes = 1 << 20;

export async function downloadTo(
  path: string,
  from: { readonly bucket: S3Bucket; readonly name: string; readonly expected: ExpectedObject },
  ask: Ask,
): Promise<FetchedObject> {
  // Next to the file under its own short name: the file's may be as long as names can be.
  const near = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    const fetched = await checked(near, from, ask);
    await rename(onDisk(near), onDisk(path));
    return fetched;
  } catch (error) {
    throw folderError(error, `writing ${path}`, "writing");
  } finally {
    await rm(onDisk(near), { force: true });
  }
}

type Source = Parameters<typeof downloadTo>[1];

/** Twice at most: bytes that were changed on the way the first time may arrive well the second time. */
async function checked(near: string, from: Source, ask: Ask): Promise<FetchedObject> {
  const { bucket, name, expected } = from;
  for (let attempt = 1; ; attempt++) {
    const { info, md5 } = await download(near, from, ask);
    const digests = await digestsOfFile(near, ask.signal).catch((error) => {
      checkAsk(ask, `reading ${bucket.where(name)}`);
      throw error;
    });
    const wanted = expected.sha256 ?? info.sha256;
    const wrong =
      (wanted !== undefined && wanted !== digests.sha256) || (md5 !== undefined && md5 !== digests.md5);
    if (!wrong) return { ...info, sha256: digests.sha256 };
    if (attempt === 2)
      throw new AppError(
        "STORE_OBJECT_DAMAGED",
        `reading ${bucket.where(name)}: the bytes that arrive do not have the checksum of the object`,
      );
  }
}

async function download(near: string, { bucket, name, expected }: Source, ask: Ask): Promise<ObjectFacts> {
  const { facts, start } = await begin({ bucket, name, expected }, ask);
  const { info } = facts;
  const other = otherThan(expected, info);
  if (other !== undefined) throw new AppError("FILE_CHANGED", `reading ${bucket.where(name)}: ${other}`);
  const ranges: ByteRange[] = [];
  for (let from = start.byteLength; from < info.sizeBytes; from += partBytes)
    ranges.push({ start: from, end: Math.min(from + partBytes, info.sizeBytes) });
  const handle = await open(onDisk(near), "w");
  const write = async (bytes: Uint8Array, at: number) => {
    const { bytesWritten } = await handle.write(bytes, 0, bytes.byteLength, at);
    if (bytesWritten !== bytes.byteLength)
      throw new AppError(
        "DISK_FULL",
        `writing ${bytes.byteLength} bytes of ${bucket.where(name)}: ${bytesWritten} fitted`,
      );
  };
  try {
    await write(start, 0);
    await mapBounded(ranges, partsAtOnce, async (range) => {
      const { bytes, etag } = await bucket.parts.use(() => bucket.getBody(name, range, ask));
      if (etag !== info.etag) throw replaced(bucket.where(name), info.etag, etag);
      await write(bytes, range.start);
    });
  } finally {
    await handle.close();
  }
  return facts;
}

/**
 * What the object is, and its first bytes: in one request, since most files are small. Where that answer does not say
 * what the content has to be, the store is asked whether it holds a checksum, which it says of whole objects only.
 */
async function begin(
  { bucket, name, expected }: Source,
  ask: Ask,
): Promise<{ readonly facts: ObjectFacts; readonly start: Uint8Array }> {
  const begun = await bucket.parts.use(() => bucket.getStart(name, startBytes, ask));
  if (begun === undefined) return { facts: await bucket.look(name, ask), start: new Uint8Array() };
  const { bytes: start, facts } = begun;
  if (expected.sha256 !== undefined || facts.md5 !== undefined || facts.info.sha256 !== undefined)
    return { facts, start };
  const looked = await bucket.look(name, ask);
  if (looked.info.etag !== facts.info.etag)
    throw replaced(bucket.where(name), facts.info.etag, looked.info.etag);
  return { facts: looked, start };
}

function replaced(where: string, before: string | undefined, after: string | undefined): AppError {
  return new AppError(
    "FILE_CHANGED",
    `reading ${where}: it was replaced meanwhile (ETag ${before}, then ${after})`,
  );
}
