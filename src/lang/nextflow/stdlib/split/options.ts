/** Options that all splitters share, and how chunks are made of records. */
import { Closure } from "../../values/closure.ts";
import { truthOf } from "../../values/compare.ts";
import { GroovyMap } from "../../values/map.ts";
import { asInt } from "../../values/number.ts";
import type { Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";

export interface SplitOptions {
  /** Records in a chunk. */
  readonly by: number;
  /** Most records that are read; undefined: all. */
  readonly limit: number | undefined;
  /** Position in a tuple of what is split. */
  readonly elem: number | undefined;
  /** Chunks become files. */
  readonly file: Value;
  readonly each: Closure | undefined;
  readonly all: GroovyMap;
}

const known = new Set([
  "autoClose",
  "by",
  "charset",
  "compress",
  "decompress",
  "elem",
  "each",
  "file",
  "into",
  "keepHeader",
  "limit",
  "pe",
  "record",
  "sep",
  "quote",
  "header",
  "skip",
  "strip",
  "size",
  "path",
]);

export function splitOptions(given: readonly Value[]): SplitOptions {
  const all = given.find((each) => each instanceof GroovyMap) ?? new GroovyMap();
  const closure = given.find((each) => each instanceof Closure);
  for (const key of all.keys())
    if (!known.has(String(key))) illegal(`Unknown option \`${String(key)}\` of a split operator`);
  const count = (name: string) => {
    const value = all.at(name);
    return value === undefined || value === null ? undefined : asInt(value, `the option ${name}`);
  };
  const each = all.at("each");
  const by = count("by") ?? 1;
  if (by < 1) illegal(`The option by of a split operator must be greater than zero, not ${by}`);
  return {
    by,
    limit: count("limit"),
    elem: count("elem"),
    file: all.at("file") ?? false,
    each: closure ?? (each instanceof Closure ? each : undefined),
    all,
  };
}

export function flag(options: SplitOptions, name: string): boolean {
  return truthOf(options.all.at(name) ?? false);
}

/** Records in groups of `by`; a group of one is the record itself where `by` was not given. */
export function limited<T>(records: readonly T[], options: SplitOptions): readonly T[] {
  return options.limit === undefined || options.limit <= 0 ? records : records.slice(0, options.limit);
}

export function chunked<T>(records: readonly T[], by: number): T[][] {
  const chunks: T[][] = [];
  for (let at = 0; at < records.length; at += by) chunks.push(records.slice(at, at + by));
  return chunks;
}
