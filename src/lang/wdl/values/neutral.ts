/**
 * WDL values as the language-neutral values that cross to the engine and into cache entries, and back.
 *
 *   Pair            record { left, right }
 *   Map             record in the map's order, keys as text; array of [key, value] when a key is a path or None
 *   struct, Object  record
 *   enum            the choice's name
 */
import {
  type FileValue,
  isObjectUri,
  objectName,
  type RecordValue,
  type Value,
} from "../../../task/index.ts";
import type { WdlType } from "../types/type.ts";
import { coerce } from "./coerce.ts";
import { ValueFailure } from "./failure.ts";
import { render } from "./render.ts";
import { array, bool, float, int, none, object, type PathValue, str, type WdlValue } from "./value.ts";

export function toNeutral(value: WdlValue): Value {
  switch (value.kind) {
    case "none":
      return null;
    case "boolean":
    case "int":
    case "float":
    case "string":
      return value.value;
    case "file":
    case "directory":
      return value.source ?? { kind: value.kind, location: value.path, basename: baseName(value.path) };
    case "enum":
      return value.choice;
    case "array":
      return value.items.map(toNeutral);
    case "pair":
      return record([
        ["left", toNeutral(value.left)],
        ["right", toNeutral(value.right)],
      ]);
    case "struct":
    case "object":
      return record([...value.members].map(([name, item]) => [name, toNeutral(item)] as const));
    case "map": {
      const entries = [...value.entries.values()];
      if (entries.every(([key]) => hasTextForm(key))) {
        return record(entries.map(([key, item]) => [render(key), toNeutral(item)] as const));
      }
      return entries.map(([key, item]) => [toNeutral(key), toNeutral(item)]);
    }
  }
}

/**
 * `pathOf` makes the scope's path of a file. Fails when the neutral value does not fit the type, as a cache entry of
 * another shape would not.
 */
export function fromNeutral(value: Value, type: WdlType, pathOf: (file: FileValue) => PathValue): WdlValue {
  return coerce(untyped(value, pathOf), type, "a recorded output");
}

/** The text after the last slash; slashes at the end do not count. Of a web address without query and fragment. */
export function baseName(path: string): string {
  if (isObjectUri(path)) return objectName(path);
  const trimmed = path.replace(/\/+$/, "");
  const query = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed.replace(/[?#].*$/, "") : trimmed;
  return query.slice(query.lastIndexOf("/") + 1);
}

function untyped(value: Value, pathOf: (file: FileValue) => PathValue): WdlValue {
  if (value === null) return none;
  switch (typeof value) {
    case "boolean":
      return bool(value);
    case "bigint":
      return int(value);
    case "number":
      return float(value);
    case "string":
      return str(value);
  }
  if (isList(value)) return array(value.map((item) => untyped(item, pathOf)));
  switch (value.kind) {
    case "file":
    case "directory":
      return pathOf(value);
    case "record":
      return object(value.entries.map(([name, item]) => [name, untyped(item, pathOf)] as const));
    default:
      throw new ValueFailure("a recorded output has an unknown form");
  }
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function hasTextForm(key: WdlValue): boolean {
  switch (key.kind) {
    case "boolean":
    case "int":
    case "string":
    case "enum":
      return true;
    default:
      return false;
  }
}

function record(entries: RecordValue["entries"]): RecordValue {
  return { kind: "record", entries };
}
