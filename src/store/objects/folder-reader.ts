/** One file of a folder opened for many small reads, as look-ups make them. */
import { read as readFd } from "node:fs";
import { open } from "node:fs/promises";
import { AppError, checkAsk, mapBounded } from "../../kernel/index.ts";
import { folderError } from "./folder-errors.ts";
import type { ByteRange, ObjectReader } from "./object-store.ts";

/** Node's file operations run on four threads; a few more in flight keep them busy. */
const readsAtOnce = 8;
/** Ranges are read into shared pieces of memory of this size: its own allocation for each costs as much as reading it. */
const slabBytes = 1 << 20;

export async function openFileReader(path: string, sizeBytes: number): Promise<ObjectReader> {
  const handle = await open(path, "r");
  // The plain descriptor: FileHandle.read costs several times as much per call, and look-ups make thousands.
  const fd = handle.fd;
  const fill = (bytes: Uint8Array, { start, end }: ByteRange) =>
    new Promise<void>((resolve, reject) => {
      const more = (at: number): void => {
        readFd(fd, bytes, at, bytes.length - at, start + at, (error, bytesRead) => {
          if (error !== null) reject(error);
          else if (at + bytesRead === bytes.length) resolve();
          else if (bytesRead > 0) more(at + bytesRead);
          else reject(tooShort(path, { start, end }, start + at));
        });
      };
      more(0);
    });
  return {
    sizeBytes,
    readRanges: async (ranges, ask) => {
      const places = placesFor(ranges);
      try {
        await mapBounded(ranges, readsAtOnce, (range, at) => {
          checkAsk(ask, `reading ${path}`);
          return fill(places[at] as Uint8Array, range);
        });
      } catch (error) {
        throw folderError(error, `reading ${path}`, "reading");
      }
      return places;
    },
    close: () => handle.close(),
  };
}

/** Memory for the bytes of each range. */
function placesFor(ranges: readonly ByteRange[]): readonly Uint8Array[] {
  let slab = Buffer.alloc(0);
  let used = 0;
  let left = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  return ranges.map(({ start, end }) => {
    const length = end - start;
    if (length > slab.length - used) {
      slab = Buffer.allocUnsafeSlow(Math.max(length, Math.min(left, slabBytes)));
      used = 0;
    }
    left -= length;
    used += length;
    return slab.subarray(used - length, used);
  });
}

function tooShort(path: string, { start, end }: ByteRange, endsAt: number): AppError {
  return new AppError(
    "STORE_OBJECT_DAMAGED",
    `reading bytes ${start} to ${end} of ${path}: it ends at ${endsAt}, expected at least ${end}`,
  );
}
