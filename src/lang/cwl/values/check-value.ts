/** Whether a value is of a type, and where it is not. */
import { membersOf, printType, type Type } from "../model/type.ts";
import { type CwlRecord, type CwlValue, isDirectory, isFile, isList, isRecord, member } from "./value.ts";

export interface ValueFault {
  /** From the name of the parameter to the place: `["reads", 2, "location"]`. */
  readonly path: readonly (string | number)[];
  /** Lower case start: `expected int, found the text "x"`. */
  readonly message: string;
}

/** undefined = it is. The first fault otherwise. */
export function checkValue(
  value: CwlValue | undefined,
  type: Type,
  path: readonly (string | number)[] = [],
): ValueFault | undefined {
  switch (type.kind) {
    case "union": {
      if (type.members.some((each) => checkValue(value, each, path) === undefined)) return undefined;
      const some = type.members.filter((each) => each.kind !== "null" && sameShape(value, each));
      const [only] = some;
      return some.length === 1 && only !== undefined
        ? checkValue(value, only, path)
        : wrong(value, type, path);
    }
    case "array": {
      if (!isList(value)) return wrong(value, type, path);
      for (const [index, item] of value.entries()) {
        const fault = checkValue(item, type.items, [...path, index]);
        if (fault !== undefined) return fault;
      }
      return undefined;
    }
    case "record": {
      if (!isRecord(value)) return wrong(value, type, path);
      for (const each of type.fields) {
        const fault = checkValue(member(value as CwlRecord, each.name) ?? null, each.type, [
          ...path,
          each.name,
        ]);
        if (fault !== undefined) return fault;
      }
      return undefined;
    }
    case "enum":
      if (typeof value === "string" && type.symbols.includes(lastPart(value))) return undefined;
      return wrong(value, type, path);
    default:
      return isSimple(value, type.kind) ? undefined : wrong(value, type, path);
  }
}

/** The member of a union that a value is of; the type itself otherwise. */
export function memberFor(value: CwlValue, type: Type): Type {
  return membersOf(type).find((each) => checkValue(value, each) === undefined) ?? type;
}

function isSimple(value: CwlValue | undefined, kind: string): boolean {
  switch (kind) {
    case "null":
      return value === null || value === undefined;
    case "boolean":
      return typeof value === "boolean";
    case "int":
      return isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;
    case "long":
      return isInteger(value) && value >= -(2n ** 63n) && value < 2n ** 63n;
    case "float":
    case "double":
      return typeof value === "number" || typeof value === "bigint";
    case "string":
      return typeof value === "string";
    case "File":
      return isFile(value);
    case "Directory":
      return isDirectory(value);
    case "Any":
      return value !== null && value !== undefined;
    default:
      return false;
  }
}

function isInteger(value: CwlValue | undefined): value is number | bigint {
  return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
}

/** Near enough that its own message says more than "expected one of". */
function sameShape(value: CwlValue | undefined, type: Type): boolean {
  if (type.kind === "array") return isList(value);
  if (type.kind === "record") return isRecord(value);
  if (type.kind === "enum") return typeof value === "string";
  return false;
}

function wrong(value: CwlValue | undefined, type: Type, path: readonly (string | number)[]): ValueFault {
  return { path, message: `expected ${printType(type)}, found ${describeValue(value)}` };
}

export function describeValue(value: CwlValue | undefined): string {
  if (value === undefined || value === null) return "null";
  if (isList(value)) return `an array of ${value.length}`;
  switch (typeof value) {
    case "string":
      return value.length > 40 ? "a text" : `the text ${JSON.stringify(value)}`;
    case "boolean":
      return `the boolean ${value}`;
    case "number":
    case "bigint":
      return `the number ${value}`;
    default:
      return isFile(value) ? "a File" : isDirectory(value) ? "a Directory" : "a record";
  }
}

function lastPart(symbol: string): string {
  return symbol.slice(Math.max(symbol.lastIndexOf("/"), symbol.lastIndexOf("#")) + 1);
}
