/** Types of parameters. Named types are resolved: a name that is left is for messages only. */
import { listNames } from "../../../kernel/index.ts";
import type { CommandLineBinding, FileDetails, OutputBinding } from "./binding.ts";

export type Type = SimpleType | ArrayType | RecordType | EnumType | UnionType;

export interface SimpleType {
  readonly kind:
    | "null"
    | "boolean"
    | "int"
    | "long"
    | "float"
    | "double"
    | "string"
    | "File"
    | "Directory"
    | "Any";
}

export interface ArrayType {
  readonly kind: "array";
  readonly items: Type;
  readonly name?: string;
  /** Applies to every item. */
  readonly inputBinding?: CommandLineBinding;
}

export interface RecordType {
  readonly kind: "record";
  /** The last part of the name. */
  readonly name?: string;
  readonly fields: readonly RecordField[];
  readonly inputBinding?: CommandLineBinding;
}

export interface RecordField extends FileDetails {
  readonly name: string;
  readonly type: Type;
  readonly label?: string;
  readonly doc?: string;
  readonly inputBinding?: CommandLineBinding;
  readonly outputBinding?: OutputBinding;
}

export interface EnumType {
  readonly kind: "enum";
  readonly name?: string;
  /** The last part of each symbol, which is what values are. */
  readonly symbols: readonly string[];
  readonly inputBinding?: CommandLineBinding;
}

/** At least two members, none of them a union. */
export interface UnionType {
  readonly kind: "union";
  readonly members: readonly Type[];
}

/** Whether null is a value of the type. */
export function allowsNull(type: Type): boolean {
  return type.kind === "null" || (type.kind === "union" && type.members.some((each) => each.kind === "null"));
}

/** The members of a union, or the type alone. */
export function membersOf(type: Type): readonly Type[] {
  return type.kind === "union" ? type.members : [type];
}

/** A union without nesting and doubles; the type itself when it is the only one. */
export function unionOf(types: readonly Type[]): Type {
  const seen = new Set<string>();
  const members: Type[] = [];
  for (const each of types.flatMap(membersOf)) {
    const simple = isSimple(each);
    if (simple && seen.has(each.kind)) continue;
    if (simple) seen.add(each.kind);
    members.push(each);
  }
  const [only] = members;
  return members.length === 1 && only !== undefined ? only : { kind: "union", members };
}

function isSimple(type: Type): type is SimpleType {
  switch (type.kind) {
    case "array":
    case "record":
    case "enum":
    case "union":
      return false;
    default:
      return true;
  }
}

/** Symbols or fields of one type in a message. */
const mostNamed = 100;

/** In the language's own short syntax where there is one: `File[]?`. */
export function printType(type: Type): string {
  switch (type.kind) {
    case "array": {
      const items = printType(type.items);
      return type.items.kind === "union" ? `(${items})[]` : `${items}[]`;
    }
    case "record":
      return type.name === undefined
        ? `record {${listNames(
            type.fields.map((field) => `${field.name}: ${printType(field.type)}`),
            mostNamed,
          )}}`
        : `record ${type.name}`;
    case "enum":
      return `enum {${listNames(type.symbols, mostNamed)}}`;
    case "union": {
      const some = type.members.filter((each) => each.kind !== "null");
      const [only] = some;
      if (some.length === 1 && only !== undefined && type.members.length === 2) return `${printType(only)}?`;
      return type.members.map(printType).join(" | ");
    }
    default:
      return type.kind;
  }
}
