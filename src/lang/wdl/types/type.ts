/** The types of WDL, as the checker infers them and the evaluator coerces to them. Immutable; build them with the makers. */

export type PrimitiveKind = "boolean" | "int" | "float" | "string" | "file" | "directory";

export type WdlType =
  | PrimitiveType
  | ArrayType
  | MapType
  | PairType
  | { readonly kind: "object"; readonly optional: boolean }
  | StructType
  | EnumType
  /** The type of `None`: coerces to every optional type. */
  | { readonly kind: "none"; readonly optional: true }
  /**
   * Known only at run time (`read_json`, members of an Object, items of `[]`): statically coerces to and from
   * everything. Also stands for what could not be checked, so that one mistake is reported once.
   */
  | { readonly kind: "any"; readonly optional: boolean }
  /** The outputs of a call, reached as members. */
  | CallType
  /** The implicit `task` variable of commands and output sections (1.2). */
  | { readonly kind: "task"; readonly optional: false; readonly members: ReadonlyMap<string, WdlType> }
  /** `hints {…}`, `input {…}`, `output {…}` literals. */
  | { readonly kind: "hints"; readonly optional: false };

export interface PrimitiveType {
  readonly kind: PrimitiveKind;
  readonly optional: boolean;
}

export interface ArrayType {
  readonly kind: "array";
  readonly item: WdlType;
  readonly nonEmpty: boolean;
  readonly optional: boolean;
}

export interface MapType {
  readonly kind: "map";
  readonly key: WdlType;
  readonly value: WdlType;
  readonly optional: boolean;
}

export interface PairType {
  readonly kind: "pair";
  readonly left: WdlType;
  readonly right: WdlType;
  readonly optional: boolean;
}

/** Structs are equal by structure; `name` is what the document that uses it calls it. Members keep their order. */
export interface StructType {
  readonly kind: "struct";
  readonly name: string;
  readonly members: ReadonlyMap<string, WdlType>;
  readonly optional: boolean;
}

/** `enum` (1.3): choices in order; the values are expressions of the declaration, kept by the checked document. */
export interface EnumType {
  readonly kind: "enum";
  readonly name: string;
  readonly valueType: WdlType;
  readonly choices: readonly string[];
  readonly optional: boolean;
}

export interface CallType {
  readonly kind: "call";
  readonly name: string;
  readonly members: ReadonlyMap<string, WdlType>;
  /** Calls inside an `if` have optional members instead. */
  readonly optional: false;
}

export const booleanType: WdlType = Object.freeze({ kind: "boolean", optional: false });
export const intType: WdlType = Object.freeze({ kind: "int", optional: false });
export const floatType: WdlType = Object.freeze({ kind: "float", optional: false });
export const stringType: WdlType = Object.freeze({ kind: "string", optional: false });
export const fileType: WdlType = Object.freeze({ kind: "file", optional: false });
export const directoryType: WdlType = Object.freeze({ kind: "directory", optional: false });
export const objectType: WdlType = Object.freeze({ kind: "object", optional: false });
export const noneType: WdlType = Object.freeze({ kind: "none", optional: true });
export const anyType: WdlType = Object.freeze({ kind: "any", optional: false });
export const hintsType: WdlType = Object.freeze({ kind: "hints", optional: false });

export function arrayOf(item: WdlType, options: { readonly nonEmpty?: boolean } = {}): ArrayType {
  return { kind: "array", item, nonEmpty: options.nonEmpty ?? false, optional: false };
}

export function mapOf(key: WdlType, value: WdlType): MapType {
  return { kind: "map", key, value, optional: false };
}

export function pairOf(left: WdlType, right: WdlType): PairType {
  return { kind: "pair", left, right, optional: false };
}

/** `T` becomes `T?`; `T?` stays (there is no `T??`). */
export function optional(type: WdlType): WdlType {
  return type.optional || type.kind === "call" || type.kind === "task" || type.kind === "hints"
    ? type
    : { ...type, optional: true };
}

/** `T?` becomes `T`; `None` becomes a value of unknown type. */
export function required(type: WdlType): WdlType {
  if (!type.optional) return type;
  return type.kind === "none" ? anyType : { ...type, optional: false };
}

export function isPrimitive(type: WdlType): type is PrimitiveType {
  switch (type.kind) {
    case "boolean":
    case "int":
    case "float":
    case "string":
    case "file":
    case "directory":
      return true;
    default:
      return false;
  }
}

const primitiveNames: Readonly<Record<PrimitiveKind, string>> = {
  boolean: "Boolean",
  int: "Int",
  float: "Float",
  string: "String",
  file: "File",
  directory: "Directory",
};

/** The type as WDL writes it: `Array[File]+?`, `Map[String, Int]`. */
export function printType(type: WdlType): string {
  return type.optional && type.kind !== "none" ? `${printRequired(type)}?` : printRequired(type);
}

function printRequired(type: WdlType): string {
  switch (type.kind) {
    case "array":
      return `Array[${printType(type.item)}]${type.nonEmpty ? "+" : ""}`;
    case "map":
      return `Map[${printType(type.key)}, ${printType(type.value)}]`;
    case "pair":
      return `Pair[${printType(type.left)}, ${printType(type.right)}]`;
    case "object":
      return "Object";
    case "struct":
    case "enum":
      return type.name;
    case "none":
      return "None";
    case "any":
      return "Any";
    case "call":
      return `call ${type.name}`;
    case "task":
      return "task";
    case "hints":
      return "hints";
    default:
      return primitiveNames[type.kind];
  }
}

/** Equal in every part; structs by structure, whatever their names. */
export function sameType(a: WdlType, b: WdlType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.optional !== b.optional) return false;
  switch (a.kind) {
    case "array":
      return b.kind === "array" && a.nonEmpty === b.nonEmpty && sameType(a.item, b.item);
    case "map":
      return b.kind === "map" && sameType(a.key, b.key) && sameType(a.value, b.value);
    case "pair":
      return b.kind === "pair" && sameType(a.left, b.left) && sameType(a.right, b.right);
    case "struct":
      return b.kind === "struct" && sameMembers(a.members, b.members);
    case "call":
      return b.kind === "call" && a.name === b.name && sameMembers(a.members, b.members);
    case "enum":
      return b.kind === "enum" && a.name === b.name && a.choices.join() === b.choices.join();
    default:
      return true;
  }
}

function sameMembers(a: ReadonlyMap<string, WdlType>, b: ReadonlyMap<string, WdlType>): boolean {
  if (a.size !== b.size) return false;
  for (const [name, type] of a) {
    const other = b.get(name);
    if (other === undefined || !sameType(type, other)) return false;
  }
  return true;
}
