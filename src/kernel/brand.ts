/** Branded strings: values that must not be mixed although all are strings. */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** `eos3b5e`: the identifier of a model. */
export type ModelId = Brand<string, "ModelId">;
/** Lower-case hex sha-256. */
export type Digest = Brand<string, "Digest">;
/** The digest of everything that decides a task call's result. */
export type CallKey = Brand<string, "CallKey">;
export type RunId = Brand<string, "RunId">;
/** An absolute path on this machine. Never enters a key. */
export type HostPath = Brand<string, "HostPath">;
/** A path as the task sees it, below the task root. */
export type TaskPath = Brand<string, "TaskPath">;
