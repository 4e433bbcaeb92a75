/** keys: what a call is. Its key with named components, what differs between two, and the identity of files. */
export type {
  ComponentName,
  Components,
  ContainerFact,
  KeyFacts,
} from "./components.ts";
export { type Difference, differences } from "./differences.ts";
export {
  createFingerprinter,
  type Fetched,
  type FetchOptions,
  type Fingerprinter,
  fileIdentity,
  type Identity,
  type IdentityPolicy,
  isRemote,
  type LocalContent,
  linkIdentity,
  type RemoteFacts,
  type RemoteFiles,
  type RemoteMember,
  treeIdentity,
} from "./fingerprint.ts";
export { type FingerprintMemo, fileMemo, memoryMemo } from "./fingerprint-memo.ts";
export { type Key, keyOf } from "./key.ts";
