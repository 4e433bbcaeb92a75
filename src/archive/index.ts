/** archive: unpacking what other people packed. */
export type { ArchiveLimits } from "./archive-writer.ts";
export { topOfArchive, type Unpacking, unpackArchive } from "./unpack-archive.ts";
