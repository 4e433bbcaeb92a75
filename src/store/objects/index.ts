/** store/objects: bytes by name, in a folder or on S3. */
export { createFolderStore } from "./folder-store.ts";
export type {
  ByteRange,
  ExpectedObject,
  FetchedObject,
  ObjectInfo,
  ObjectReader,
  ObjectStore,
  UnfinishedUpload,
  WrittenObject,
} from "./object-store.ts";
export { openObject, openObjectStore, type S3Access } from "./open-object-store.ts";
export { s3Error } from "./s3-errors.ts";
export { createS3Store } from "./s3-store.ts";
export { isS3Uri, parseS3Uri } from "./s3-uri.ts";
