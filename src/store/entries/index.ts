/** store/entries: recorded results of task calls, in a folder or on S3, and looking after them. */
export { identityOfMembers, membersOf, pathInEntry, type RecordedMember } from "./directory-members.ts";
export type { KnownContents } from "./entry-check.ts";
export type { EntryStoreEvent } from "./entry-finder.ts";
export type {
  Claim,
  Entry,
  EntryCost,
  EntryFile,
  EntryStore,
  NewEntry,
  NewUuid,
  OtherVersion,
  RecordOptions,
} from "./entry-store.ts";
export { entryVersion } from "./entry-store.ts";
export {
  type CachePlace,
  type CacheSize,
  listPins,
  liveRuns,
  measureCache,
  type Pruned,
  type PruneItem,
  type PrunePlan,
  type PruneRules,
  pinEntry,
  planPrune,
  prune,
  type SizeRow,
  storedBytes,
  storeTime,
  unpinEntry,
  type VerifyReport,
  verifyCache,
} from "./maintenance.ts";
export { type ManifestRead, readManifest } from "./manifest.ts";
export {
  createEntryStore,
  type EntryNames,
  type ObjectEntryStore,
  type ObjectEntryStoreOptions,
} from "./object-entry-store.ts";
export { planOutputs } from "./output-files.ts";
export { openRunLease, type RunLease } from "./run-lease.ts";
export { decodeOutputs, encodeOutputs } from "./value-codec.ts";
