/** Values as text, as `println` and strings show them. */
import { FileList } from "./file-list.ts";
import { GroovyMap, GroovySet, MapEntry } from "./map.ts";
import { Range } from "./range.ts";
import { isList, Thing, type Value } from "./thing.ts";

const deepest = 100;

export function textOf(value: Value, depth = 0): string {
  if (value === null) return "null";
  if (typeof value === "string") return value;
  if (!(value instanceof Thing) && !isList(value)) return String(value);
  if (depth > deepest) return "…";
  const inner = (each: Value) => (each === value ? "(this Collection)" : textOf(each, depth + 1));
  if (value instanceof FileList) return Array.from(value, inner).join(" ");
  if (isList(value)) return `[${value.map(inner).join(", ")}]`;
  if (value instanceof GroovyMap) {
    if (value.size === 0) return "[:]";
    return `[${Array.from(value.entries(), ([key, each]) => `${inner(key)}:${inner(each)}`).join(", ")}]`;
  }
  if (value instanceof GroovySet) return `[${value.items().map(inner).join(", ")}]`;
  if (value instanceof Range) return `[${value.items().map(inner).join(", ")}]`;
  if (value instanceof MapEntry) return `${inner(value.entryKey)}=${inner(value.value)}`;
  return value.text();
}

/** In a script block: lists of files are joined by blanks. */
export function inspected(value: Value): string {
  if (typeof value === "string")
    return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n")}'`;
  if (isList(value)) return `[${value.map(inspected).join(", ")}]`;
  if (value instanceof GroovyMap) {
    if (value.size === 0) return "[:]";
    return `[${Array.from(value.entries(), ([key, each]) => `${inspected(key)}:${inspected(each)}`).join(", ")}]`;
  }
  return textOf(value);
}
