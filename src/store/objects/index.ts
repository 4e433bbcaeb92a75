/** store/objects: bytes by name, in a folder or on S3. */
export type { ObjectInfo, ObjectStore, ObjectStoreAbilities } from "./object-store.ts";
