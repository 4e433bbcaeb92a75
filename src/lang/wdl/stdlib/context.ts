/**
 * What a library function may reach beyond its arguments. Each scope brings its own files: a workflow asks the host, a
 * task's declarations see their staged inputs, its outputs see the working directory.
 */
import type { WdlVersion } from "../syntax/version.ts";
import { ValueFailure } from "../values/failure.ts";
import type { ValueBounds } from "../values/limits.ts";
import type { MaybePromise } from "../values/maybe-promise.ts";
import type { PathValue, WdlValue } from "../values/value.ts";
import type { StdlibFunction } from "./function.ts";

export interface PathFacts {
  readonly kind: "file" | "directory";
  readonly sizeBytes: number;
}

export interface FileScope {
  /** The whole text, UTF-8. Fails with a ValueFailure when it is not there. */
  readText(path: PathValue): MaybePromise<string>;
  /** undefined = not there. A directory's size is the sum of what is in it. */
  stat(path: PathValue): MaybePromise<PathFacts | undefined>;
  /** Keeps a small text under a name that follows from its content. */
  write(basename: string, content: string): MaybePromise<PathValue>;
  /** Output sections only. */
  glob(pattern: string): MaybePromise<readonly PathValue[]>;
  stdout(): PathValue;
  stderr(): PathValue;
  /** The path of what may be a relative one, as this scope sees it. */
  absolute(path: string): string;
}

export interface StdlibContext {
  readonly version: WdlVersion;
  readonly files: FileScope;
  readonly bounds: ValueBounds;
  /** What a choice of an enum stands for. */
  choiceValue(enumName: string, choice: string): MaybePromise<WdlValue>;
}

export type WdlFunction = StdlibFunction<WdlValue, StdlibContext>;

export function specSection(anchor: string): string {
  return `https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#${anchor}`;
}

/** For scopes in which nothing has been run: `stdout()` and its like have no meaning there. */
export function onlyInOutputs(name: string): never {
  throw new ValueFailure(`${name}() has no value here: it belongs to a task's output section`);
}
