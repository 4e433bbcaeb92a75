/** store/entries: recorded results of task calls. */
export {
  type Entry,
  type EntryCost,
  type EntryFile,
  type EntryStore,
  entryVersion,
  type NewEntry,
} from "./entry-store.ts";
