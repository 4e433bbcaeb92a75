/** archive: unpacking what other people packed, and packing what is downloaded. */
export type { ArchiveLimits } from "./archive-writer.ts";
export { topOfArchive, type Unpacking, unpackArchive } from "./unpack-archive.ts";
export { type ZipMember, zipOf } from "./zip-writer.ts";
