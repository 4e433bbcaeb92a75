/** keys: what a call is. Its key with named components, what differs between two, and the identity of files. */
export type {
  ComponentName,
  Components,
  ContainerFact,
  KeyFacts,
} from "./components.ts";
export { type Difference, differences } from "./differences.ts";
export { createFingerprinter, type Fingerprinter, isRemote } from "./fingerprint.ts";
export { type FingerprintMemo, fileMemo, memoryMemo } from "./fingerprint-memo.ts";
export type {
  Fetched,
  FetchOptions,
  Identity,
  IdentityPolicy,
  LocalContent,
  RemoteFacts,
  RemoteFiles,
  RemoteMember,
} from "./identity.ts";
export { fileIdentity, linkIdentity, treeIdentity } from "./identity-text.ts";
export { type Key, keyOf } from "./key.ts";
