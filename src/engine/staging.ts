/** What bringing the bytes of an input here can come to. */
import type { AppError } from "../kernel/index.ts";
import type { Entry } from "../store/entries/index.ts";
import type { StoredContent } from "../task/index.ts";

/** Why the bytes that a call was identified with cannot be used. */
export type Obstacle =
  /** There are other bytes now: the call has to be identified again. */
  | { readonly kind: "changed"; readonly location: string; readonly words: string }
  /** A recorded result is not available as it was recorded: the call that produced it has to be computed again. */
  | {
      readonly kind: "lost";
      readonly entry: Entry;
      readonly location: string;
      readonly words: string;
      /** It is certain that the entry is not whole; otherwise it could only not be reached. */
      readonly damaged: boolean;
      /** For where nothing can be computed again. */
      readonly error: AppError;
    };

export type Staged =
  /** A local path with the right bytes. */
  { readonly kind: "here"; readonly path: string } | Obstacle;

export type Located =
  /** It stays in an object store, at this location. */
  { readonly kind: "there"; readonly location: string; readonly content: StoredContent } | Staged;

export function changed(location: string, words: string): Extract<Staged, { kind: "changed" }> {
  return { kind: "changed", location, words };
}
