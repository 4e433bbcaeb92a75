/**
 * Values that cross between front ends, engine, caches and the outside: language-neutral and immutable. Front ends
 * keep their own typed values and convert at the border.
 */

/**
 * A file or directory. `location` says where the bytes are: an absolute host path, `s3://bucket/key`, or an `http(s)`
 * URL. `taskPath` is set only inside a task call, where the task sees it.
 */
export interface FileValue {
  readonly kind: "file" | "directory";
  readonly location: string;
  /** The name that tools see; differs from the location's last part for content-addressed copies. */
  readonly basename: string;
  readonly sizeBytes?: number;
  /** sha-256 hex of the content, where known. For directories: the tree digest. */
  readonly sha256?: string;
  /**
   * Of a file that a task has just made: the folders between the task's directory and the file, which an entry keeps, for
   * scripts that look at the folder of a file. Not part of what is recorded of it.
   */
  readonly folder?: string;
  /** Files that travel with it under the same parent (CWL secondaryFiles). */
  readonly siblings?: readonly FileValue[];
  /** Front-end data that must survive a round trip through a cache entry (CWL format). Plain JSON. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Keys keep their order: WDL maps are ordered. */
export interface RecordValue {
  readonly kind: "record";
  readonly entries: readonly (readonly [string, Value])[];
}

/** `bigint` for 64-bit integers, `number` for floating point: the difference is part of the value. */
export type Value = null | boolean | bigint | number | string | FileValue | RecordValue | readonly Value[];
