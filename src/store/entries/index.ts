/** store/entries: recorded results of task calls, in a folder or on S3, and looking after them. */
export type {
  Entry,
  EntryCost,
  EntryFile,
  EntryStore,
  NewEntry,
} from "./entry-store.ts";
export {
  type CachePlace,
  type CacheSize,
  listPins,
  measureCache,
  type PruneItem,
  type PrunePlan,
  type PruneRules,
  pinEntry,
  planPrune,
  prune,
  type SizeRow,
  unpinEntry,
  type VerifyReport,
  verifyCache,
} from "./maintenance.ts";
export {
  createEntryStore,
  type EntryStoreEvent,
  type ObjectEntryStore,
  type ObjectEntryStoreOptions,
} from "./object-entry-store.ts";
export {
  listRunLeases,
  openRunLease,
  type RunLease,
  type RunLeaseOptions,
  type RunLeaseRecord,
} from "./run-lease.ts";
export { decodeOutputs, encodeOutputs } from "./value-codec.ts";
