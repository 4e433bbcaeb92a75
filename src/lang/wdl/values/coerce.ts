/**
 * Coercion at run time: a value becomes what a declared type says, or the coercion fails. The checker has already
 * refused what can never work; here the rest is decided by the value (None, whole numbers, members of objects).
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#type-coercion
 *
 * Coercing a String to File makes a path that is only written down; whether it names something, and where, is settled
 * afterwards by the scope (`FileScope.settle`).
 */
import { printType, type StructType, type WdlType } from "../types/type.ts";
import { NothingThere, ValueFailure } from "./failure.ts";
import { fitsInt64, parseFloatText, parseInteger } from "./integer.ts";
import { render } from "./render.ts";
import {
  array,
  bool,
  describe,
  float,
  int,
  type MapValue,
  map,
  none,
  object,
  pair,
  str,
  struct,
  type WdlValue,
} from "./value.ts";

/** `what` names the value in messages: `input "n"`, `element 3 of …`. */
export function coerce(value: WdlValue, type: WdlType, what = "the value"): WdlValue {
  if (value.kind === "none") {
    if (type.optional || type.kind === "any") return value;
    throw new NothingThere(
      `${what} is None, but ${printType(type)} is needed`,
      "declare it optional with `?`, or give a value with select_first([…, default])",
    );
  }
  switch (type.kind) {
    case "boolean":
      return toBoolean(value) ?? refuse(value, type, what);
    case "int":
      return toInt(value) ?? refuse(value, type, what);
    case "float":
      return toFloat(value) ?? refuse(value, type, what);
    case "string":
      return toText(value) ?? refuse(value, type, what);
    case "file":
    case "directory":
      return toPath(value, type.kind) ?? refuse(value, type, what);
    case "array": {
      const items = itemsOf(value, type.item);
      if (items === undefined) return refuse(value, type, what);
      if (type.nonEmpty && items.length === 0) {
        throw new ValueFailure(
          `${what} is an empty array, but ${printType(type)} must have at least one item`,
        );
      }
      return sameItems(items, value) && alreadyOf(items, type.item)
        ? value
        : array(items.map((item, i) => coerce(item, type.item, `item ${i} of ${what}`)));
    }
    case "map": {
      const entries = entriesOf(value);
      if (entries === undefined) return refuse(value, type, what);
      const made = map(
        entries.map(
          ([key, item]) =>
            [
              coerce(key, type.key, `a key of ${what}`),
              coerce(item, type.value, `${describe(key)} of ${what}`),
            ] as const,
        ),
      );
      // "1" and "01" are one Int: which of the two values was meant is not known.
      if (made.entries.size < entries.length)
        throw new ValueFailure(`two keys of ${what} are the same ${printType(type.key)}`);
      return made;
    }
    case "pair": {
      const sides = sidesOf(value);
      if (sides === undefined) return refuse(value, type, what);
      return pair(
        coerce(sides[0], type.left, `the left side of ${what}`),
        coerce(sides[1], type.right, `the right side of ${what}`),
      );
    }
    case "object": {
      if (value.kind === "object") return value;
      const members = membersOf(value);
      return members === undefined ? refuse(value, type, what) : object(members);
    }
    case "struct":
      return toStruct(value, type, what);
    case "enum": {
      const choice = value.kind === "enum" ? value.choice : value.kind === "string" ? value.value : undefined;
      if (choice === undefined) return refuse(value, type, what);
      if (!type.choices.includes(choice)) {
        throw new ValueFailure(
          `${what} is "${choice}", which is not a choice of ${type.name}`,
          `choices are ${type.choices.join(", ")}`,
        );
      }
      return { kind: "enum", name: type.name, choice };
    }
    case "none":
      return refuse(value, type, what);
    case "any":
    case "call":
    case "task":
    case "hints":
      return value;
  }
}

/** Whether a value of this type can hold a File or Directory. */
export function holdsPaths(type: WdlType): boolean {
  switch (type.kind) {
    case "file":
    case "directory":
    case "any":
    case "object":
      return true;
    case "array":
      return holdsPaths(type.item);
    case "map":
      return holdsPaths(type.key) || holdsPaths(type.value);
    case "pair":
      return holdsPaths(type.left) || holdsPaths(type.right);
    case "struct":
    case "call":
    case "task":
      return [...type.members.values()].some(holdsPaths);
    default:
      return false;
  }
}

function refuse(value: WdlValue, type: WdlType, what: string): never {
  throw new ValueFailure(`${what} is ${describe(value)}, but ${printType(type)} is needed`);
}

function toBoolean(value: WdlValue): WdlValue | undefined {
  if (value.kind === "boolean") return value;
  if (value.kind !== "string") return undefined;
  const word = value.value.trim().toLowerCase();
  return word === "true" || word === "false" ? bool(word === "true") : undefined;
}

function toInt(value: WdlValue): WdlValue | undefined {
  if (value.kind === "int") return value;
  if (value.kind === "float" && Number.isInteger(value.value)) {
    const whole = BigInt(value.value);
    return fitsInt64(whole) ? int(whole) : undefined;
  }
  if (value.kind !== "string") return undefined;
  const whole = parseInteger(value.value);
  return whole !== undefined && fitsInt64(whole) ? int(whole) : undefined;
}

function toFloat(value: WdlValue): WdlValue | undefined {
  if (value.kind === "float") return value;
  if (value.kind === "int") return float(Number(value.value));
  if (value.kind !== "string") return undefined;
  const number = parseFloatText(value.value);
  return number === undefined ? undefined : float(number);
}

function toText(value: WdlValue): WdlValue | undefined {
  switch (value.kind) {
    case "string":
      return value;
    case "boolean":
    case "int":
    case "float":
    case "file":
    case "directory":
    case "enum":
      return str(render(value));
    default:
      return undefined;
  }
}

function toPath(value: WdlValue, kind: "file" | "directory"): WdlValue | undefined {
  if (value.kind === kind) return value;
  if (value.kind === "string") return { kind, path: value.value };
  // A path that is only written down takes the kind that is asked for; one that exists keeps what it is.
  if ((value.kind === "file" || value.kind === "directory") && value.source === undefined) {
    return { kind, path: value.path };
  }
  return undefined;
}

function itemsOf(value: WdlValue, item: WdlType): readonly WdlValue[] | undefined {
  if (value.kind === "array") return value.items;
  if (value.kind === "map" && (item.kind === "pair" || item.kind === "any")) {
    return [...value.entries.values()].map(([key, each]) => pair(key, each));
  }
  return undefined;
}

function sameItems(items: readonly WdlValue[], value: WdlValue): boolean {
  return value.kind === "array" && value.items === items;
}

/** Saves copying long arrays of plain values. */
function alreadyOf(items: readonly WdlValue[], type: WdlType): boolean {
  switch (type.kind) {
    case "boolean":
    case "int":
    case "float":
    case "string":
    case "file":
    case "directory":
      return items.every((item) => item.kind === type.kind || (item.kind === "none" && type.optional));
    case "any":
      return true;
    default:
      return false;
  }
}

function entriesOf(value: WdlValue): readonly (readonly [WdlValue, WdlValue])[] | undefined {
  switch (value.kind) {
    case "map":
      return [...value.entries.values()];
    case "struct":
    case "object":
      return [...value.members].map(([name, item]) => [str(name), item] as const);
    case "array": {
      const entries: (readonly [WdlValue, WdlValue])[] = [];
      for (const item of value.items) {
        const sides = sidesOf(item);
        if (sides === undefined) return undefined;
        entries.push(sides);
      }
      return entries;
    }
    default:
      return undefined;
  }
}

function sidesOf(value: WdlValue): readonly [WdlValue, WdlValue] | undefined {
  if (value.kind === "pair") return [value.left, value.right];
  if (value.kind === "array" && value.items.length === 2) {
    return [value.items[0] ?? none, value.items[1] ?? none];
  }
  if (value.kind === "struct" || value.kind === "object") {
    const left = value.members.get("left");
    const right = value.members.get("right");
    if (left !== undefined && right !== undefined && value.members.size === 2) return [left, right];
  }
  return undefined;
}

/** Members by name, of whatever has names. */
function membersOf(value: WdlValue): ReadonlyMap<string, WdlValue> | undefined {
  if (value.kind === "struct" || value.kind === "object") return value.members;
  return value.kind === "map" ? namedEntries(value) : undefined;
}

function namedEntries(value: MapValue): ReadonlyMap<string, WdlValue> | undefined {
  const members = new Map<string, WdlValue>();
  for (const [key, item] of value.entries.values()) {
    const name = toText(key);
    if (name?.kind !== "string") return undefined;
    members.set(name.value, item);
  }
  return members;
}

function toStruct(value: WdlValue, type: StructType, what: string): WdlValue {
  const given = membersOf(value);
  if (given === undefined) return refuse(value, type, what);
  const members: [string, WdlValue][] = [];
  for (const [name, memberType] of type.members) {
    const member = given.get(name);
    if (member === undefined && !memberType.optional) {
      throw new ValueFailure(
        `${what} has no member "${name}", but ${type.name} needs one of type ${printType(memberType)}`,
      );
    }
    members.push([name, coerce(member ?? none, memberType, `member "${name}" of ${what}`)]);
  }
  // Members that the struct does not have are left out: 1.2 says so for objects and maps, and read_json relies on it.
  return struct(type.name, members);
}
