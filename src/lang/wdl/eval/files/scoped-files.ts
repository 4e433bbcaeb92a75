/**
 * What the three scopes of files have in common. A path is *settled* when it is known what it names: it has a source,
 * or this scope has decided to leave the text as it is. Declarations settle their values by their types.
 */

import type { FileScope } from "../../stdlib/context.ts";
import type { WdlType } from "../../types/type.ts";
import { holdsPaths } from "../../values/coerce.ts";
import { andThen, type MaybePromise, mapInOrder } from "../../values/maybe-promise.ts";
import {
  array,
  isPath,
  map,
  type NoneValue,
  none,
  object,
  type PathValue,
  pair,
  struct,
  type WdlValue,
} from "../../values/value.ts";

export interface PathSettler {
  /** `optional`: answer None for what is not there, where this scope looks. */
  settle(path: PathValue, optional: boolean): MaybePromise<PathValue | NoneValue>;
}

export interface ScopedFiles extends FileScope, PathSettler {}

/** Settles every path in a value that has already been coerced to `type`. */
export function settleValue(value: WdlValue, type: WdlType, files: PathSettler): MaybePromise<WdlValue> {
  if (isPath(value)) {
    return andThen(files.settle(value, type.optional), (settled) =>
      isPath(settled) && settled.path !== value.path && settled.written === undefined
        ? { ...settled, written: value.written ?? value.path }
        : settled,
    );
  }
  if (!holdsPaths(type)) return value;
  switch (value.kind) {
    case "array": {
      const item = type.kind === "array" ? type.item : type;
      return andThen(
        mapInOrder(value.items, (each) => settleValue(each, item, files)),
        array,
      );
    }
    case "pair": {
      const [left, right] = type.kind === "pair" ? [type.left, type.right] : [type, type];
      return andThen(settleValue(value.left, left, files), (l) =>
        andThen(settleValue(value.right, right, files), (r) => pair(l, r)),
      );
    }
    case "map": {
      const [keyType, itemType] = type.kind === "map" ? [type.key, type.value] : [type, type];
      const entries = mapInOrder([...value.entries.values()], ([key, item]) =>
        andThen(settleValue(key, keyType, files), (k) =>
          andThen(settleValue(item, itemType, files), (v) => [k, v] as const),
        ),
      );
      return andThen(entries, map);
    }
    case "struct":
    case "object": {
      const members = mapInOrder([...value.members], ([name, item]) =>
        andThen(settleValue(item, memberType(type, name), files), (settled) => [name, settled] as const),
      );
      return andThen(members, (list) => (value.kind === "struct" ? struct(value.name, list) : object(list)));
    }
    default:
      return value;
  }
}

const untyped: WdlType = { kind: "any", optional: false };

function memberType(type: WdlType, name: string): WdlType {
  return (type.kind === "struct" ? type.members.get(name) : undefined) ?? untyped;
}

/** What `settle` answers for an optional path that is not there. */
export const nothing: NoneValue = none;
