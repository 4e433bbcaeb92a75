/** `channel.fromFilePairs`: files that share the beginning of their names. */
import type { Outside } from "../stdlib/outside.ts";
import type { Closure } from "../values/closure.ts";
import { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { type FindOptions, filesOf } from "./find-files.ts";
import { globMatches } from "./glob.ts";

export interface PairOptions {
  readonly options: FindOptions;
  /** Files in a group; -1: any number. */
  readonly size: number;
  readonly flat: boolean;
  /** Gives the key of a file. */
  readonly closure: Closure | undefined;
  readonly outside: Outside;
}

export function filePairs(patterns: readonly Value[], given: PairOptions): Value[] {
  const found: Value[] = [];
  for (const pattern of patterns) {
    const groups = new Map<string, Path[]>();
    const text = pattern instanceof Path ? pattern.location : textOf(pattern);
    const template = text.slice(text.lastIndexOf("/") + 1);
    for (const file of filesOf(pattern, given.options, given.outside)) {
      const key =
        given.closure === undefined ? prefixOf(file.fileName, template) : textOf(given.closure.call([file]));
      groups.set(key, [...(groups.get(key) ?? []), file]);
    }
    for (const [key, files] of groups) {
      if (given.size > 0 && files.length !== given.size) continue;
      files.sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
      found.push(given.flat ? [key, ...files] : [key, files]);
    }
  }
  return found;
}

/** The part of a name that the last wildcard before a choice ends, without what separates it from the rest. */
export function prefixOf(name: string, template: string): string {
  const choice = template.search(/[[{]/);
  const head = choice < 0 ? template : template.slice(0, choice);
  const wildcard = Math.max(head.lastIndexOf("*"), head.lastIndexOf("?"));
  if (wildcard < 0) return choice < 0 ? (name.split(".")[0] ?? name) : trimmed(name.slice(0, choice));
  const kept = head.slice(0, wildcard + 1);
  const rest = template.slice(wildcard + 1);
  for (let length = 1; length <= name.length; length++)
    if (globMatches(kept, name.slice(0, length)) && globMatches(rest, name.slice(length)))
      return trimmed(name.slice(0, length));
  return trimmed(name);
}

function trimmed(prefix: string): string {
  return prefix.replace(/[-_.]+$/, "");
}
