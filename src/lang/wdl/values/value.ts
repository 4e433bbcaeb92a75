/**
 * WDL values at run time. Immutable. Every value carries its kind, because a value may be looked at without its static
 * type at hand (read_json, Object members); what a declaration's type says is applied by `coerce`.
 */
import type { FileValue } from "../../../task/index.ts";

export type WdlValue =
  | NoneValue
  | BooleanValue
  | IntValue
  | FloatValue
  | StringValue
  | PathValue
  | ArrayValue
  | MapValue
  | PairValue
  | StructValue
  | ObjectValue
  | EnumValue;

export interface NoneValue {
  readonly kind: "none";
}
export interface BooleanValue {
  readonly kind: "boolean";
  readonly value: boolean;
}
/** 64-bit signed. */
export interface IntValue {
  readonly kind: "int";
  readonly value: bigint;
}
export interface FloatValue {
  readonly kind: "float";
  readonly value: number;
}
export interface StringValue {
  readonly kind: "string";
  readonly value: string;
}

/** A file or directory as the expressions of one scope see it. */
export interface PathValue {
  readonly kind: "file" | "directory";
  /** Workflow scope: host path or URL. Task scope: the path inside the task, or as the document wrote it. */
  readonly path: string;
  /** As the document wrote it, where the scope has made another path of it. Map keys are also found by this. */
  readonly written?: string;
  /** Where the bytes are; absent for a path that was only written down so far. */
  readonly source?: FileValue;
  /** Files of one origin folder have the same group, and are staged side by side. */
  readonly group?: string;
}

export interface ArrayValue {
  readonly kind: "array";
  readonly items: readonly WdlValue[];
}

/** Ordered by insertion; the map's own keys are the key texts of `keyText`. */
export interface MapValue {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, readonly [WdlValue, WdlValue]>;
}
export interface PairValue {
  readonly kind: "pair";
  readonly left: WdlValue;
  readonly right: WdlValue;
}
export interface StructValue {
  readonly kind: "struct";
  readonly name: string;
  readonly members: ReadonlyMap<string, WdlValue>;
}
export interface ObjectValue {
  readonly kind: "object";
  readonly members: ReadonlyMap<string, WdlValue>;
}
/** 1.3. What a choice stands for is asked of the document (`value()`). */
export interface EnumValue {
  readonly kind: "enum";
  readonly name: string;
  readonly choice: string;
}

export const none: NoneValue = Object.freeze({ kind: "none" });
const yes: BooleanValue = Object.freeze({ kind: "boolean", value: true });
const no: BooleanValue = Object.freeze({ kind: "boolean", value: false });

export function bool(value: boolean): BooleanValue {
  return value ? yes : no;
}
export function int(value: bigint | number): IntValue {
  return { kind: "int", value: BigInt(value) };
}
export function float(value: number): FloatValue {
  return { kind: "float", value };
}
export function str(value: string): StringValue {
  return { kind: "string", value };
}
export function file(path: string): PathValue {
  return { kind: "file", path };
}
export function directory(path: string): PathValue {
  return { kind: "directory", path };
}
export function array(items: readonly WdlValue[]): ArrayValue {
  return { kind: "array", items };
}
export function pair(left: WdlValue, right: WdlValue): PairValue {
  return { kind: "pair", left, right };
}
export function object(members: Iterable<readonly [string, WdlValue]>): ObjectValue {
  return { kind: "object", members: new Map(members) };
}
export function struct(name: string, members: Iterable<readonly [string, WdlValue]>): StructValue {
  return { kind: "struct", name, members: new Map(members) };
}

/** Later entries of an equal key win, in the place of the first. */
export function map(entries: Iterable<readonly [WdlValue, WdlValue]>): MapValue {
  const made = new Map<string, readonly [WdlValue, WdlValue]>();
  for (const entry of entries) made.set(keyText(entry[0]), entry);
  return { kind: "map", entries: made };
}

/** The text under which a map keeps a key: equal exactly for equal keys of one kind. */
export function keyText(key: WdlValue): string {
  switch (key.kind) {
    case "none":
      return "n";
    case "boolean":
    case "int":
    case "float":
      return `${key.kind}:${key.value}`;
    case "string":
      return `s:${key.value}`;
    case "file":
    case "directory":
      return `p:${key.path}`;
    case "enum":
      return `e:${key.choice}`;
    case "pair":
      return `(${keyText(key.left)},${keyText(key.right)})`;
    default:
      return `${key.kind}:${JSON.stringify([...childrenOf(key)].map(keyText))}`;
  }
}

export function isNone(value: WdlValue): value is NoneValue {
  return value.kind === "none";
}
export function isPath(value: WdlValue): value is PathValue {
  return value.kind === "file" || value.kind === "directory";
}

/** The values directly inside a compound value; empty for primitives. */
export function* childrenOf(value: WdlValue): Iterable<WdlValue> {
  switch (value.kind) {
    case "array":
      yield* value.items;
      return;
    case "map":
      for (const [key, item] of value.entries.values()) {
        yield key;
        yield item;
      }
      return;
    case "pair":
      yield value.left;
      yield value.right;
      return;
    case "struct":
    case "object":
      yield* value.members.values();
      return;
    default:
      return;
  }
}

/** Rebuilds a value with every path inside replaced; answers the value itself when nothing changed. */
export function mapPaths(value: WdlValue, change: (path: PathValue) => WdlValue): WdlValue {
  switch (value.kind) {
    case "file":
    case "directory":
      return change(value);
    case "array": {
      const items = value.items.map((item) => mapPaths(item, change));
      return items.every((item, i) => item === value.items[i]) ? value : array(items);
    }
    case "map":
      return map(
        [...value.entries.values()].map(([k, v]) => [mapPaths(k, change), mapPaths(v, change)] as const),
      );
    case "pair":
      return pair(mapPaths(value.left, change), mapPaths(value.right, change));
    case "struct":
      return struct(
        value.name,
        [...value.members].map(([name, item]) => [name, mapPaths(item, change)] as const),
      );
    case "object":
      return object([...value.members].map(([name, item]) => [name, mapPaths(item, change)] as const));
    default:
      return value;
  }
}

/** Words for messages: what kind of value came. */
export function describe(value: WdlValue): string {
  switch (value.kind) {
    case "none":
      return "None";
    case "boolean":
    case "int":
    case "float":
      return `${title(value.kind)} ${value.value}`;
    case "string":
      return `String ${clip(JSON.stringify(value.value))}`;
    case "file":
    case "directory":
      return `${title(value.kind)} ${clip(value.path)}`;
    case "array":
      return `Array of ${value.items.length}`;
    case "map":
      return `Map of ${value.entries.size}`;
    case "pair":
      return "Pair";
    case "struct":
      return value.name;
    case "object":
      return "Object";
    case "enum":
      return `${value.name}.${value.choice}`;
  }
}

function title(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
