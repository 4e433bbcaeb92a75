/** Values as text, as `println` and strings show them. */
import { FileList } from "./file-list.ts";
import { GroovyMap, GroovySet, MapEntry } from "./map.ts";
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
  if (value instanceof MapEntry) return `${javaText(value.entryKey, depth)}=${javaText(value.value, depth)}`;
  return value.text();
}

/** As Java itself writes it: maps in braces. Entries of maps are shown so. */
function javaText(value: Value, depth: number): string {
  if (depth > deepest) return "…";
  const inner = (each: Value) => javaText(each, depth + 1);
  if (value instanceof GroovyMap)
    return `{${Array.from(value.entries(), ([key, each]) => `${inner(key)}=${inner(each)}`).join(", ")}}`;
  if (isList(value) && !(value instanceof FileList)) return `[${value.map(inner).join(", ")}]`;
  return textOf(value, depth);
}

const escapes: Readonly<Record<string, string>> = { "\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f" };

/** In a script block: lists of files are joined by blanks. */
export function inspected(value: Value): string {
  if (typeof value === "string")
    return `'${value.replace(/[\\'\n\r\t\b\f]/g, (each) => `\\${escapes[each] ?? each}`)}'`;
  if (isList(value)) return `[${value.map(inspected).join(", ")}]`;
  if (value instanceof GroovyMap) {
    if (value.size === 0) return "[:]";
    return `[${Array.from(value.entries(), ([key, each]) => `${inspected(key)}:${inspected(each)}`).join(", ")}]`;
  }
  return textOf(value);
}
