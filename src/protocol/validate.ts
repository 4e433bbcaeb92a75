/**
 * Checks decoded values against shapes. All faults are collected and worded as the service words them, so that people
 * who know its messages recognise ours.
 */
import { unreachable } from "../kernel/index.ts";
import type { Member, Shape, StringShape, StructureShape } from "./shape.ts";

/** One broken constraint, in the service's words. */
export interface Fault {
  /** `tags.team`, `batchRunSettings.inlineSettings.3.name`. */
  readonly at: string;
  readonly message: string;
}

export function validateMembers(
  members: Readonly<Record<string, Member>>,
  values: Readonly<Record<string, unknown>>,
  at = "",
): readonly Fault[] {
  return Object.entries(members).flatMap(([name, member]) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    const place = at === "" ? name : `${at}.${name}`;
    if (value !== undefined && value !== null) return check(member.shape, value, place);
    return member.required ? fault(place, "Member must not be null") : [];
  });
}

/** Faults in a message: a long one helps nobody. */
const mostShown = 20;

/** `2 validation errors detected: Value at 'name' failed to satisfy constraint: …; …` */
export function faultsMessage(faults: readonly Fault[]): string {
  const count = faults.length === 1 ? "1 validation error" : `${faults.length} validation errors`;
  const shown = faults.slice(0, mostShown).map(({ message }) => message);
  return `${count} detected: ${shown.join("; ")}${faults.length > mostShown ? "; …" : ""}`;
}

function check(shape: Shape, value: unknown, at: string): readonly Fault[] {
  switch (shape.kind) {
    case "string":
      return checkString(shape, value, at);
    case "integer":
      return Number.isInteger(value)
        ? checkRange(shape, Number(value), at)
        : typeFault(at, "an integer", value);
    case "boolean":
      return typeof value === "boolean" ? [] : typeFault(at, "a boolean", value);
    case "blob":
      return checkBlob(shape.maxBytes, value, at);
    case "document":
      // Any JSON; its size is checked where the raw text is known.
      return [];
    case "list":
      if (!Array.isArray(value)) return typeFault(at, "a list", value);
      return [
        ...checkLength(shape, value.length, at),
        ...value.flatMap((item, index) => check(shape.of, item, `${at}.${index}`)),
      ];
    case "map":
      if (!isObject(value)) return typeFault(at, "a map", value);
      return [
        ...checkLength(shape, Object.keys(value).length, at),
        ...Object.entries(value).flatMap(([key, item]) => [
          ...checkString(shape.key, key, `${at}.key`),
          ...check(shape.value, item, `${at}.${key.slice(0, 128)}`),
        ]),
      ];
    case "structure":
      if (!isObject(value)) return typeFault(at, "a structure", value);
      return [...validateMembers(shape.members, value, at), ...checkUnion(shape, value, at)];
    default:
      return unreachable(shape);
  }
}

function checkString(shape: StringShape, value: unknown, at: string): readonly Fault[] {
  if (typeof value !== "string") return typeFault(at, "a string", value);
  if (shape.oneOf !== undefined && !shape.oneOf.includes(value))
    return fault(at, `Member must satisfy enum value set: [${shape.oneOf.join(", ")}]`);
  const length = checkLength(shape, [...value].length, at);
  if (length.length > 0) return length;
  if (shape.pattern !== undefined && !shape.pattern.test(value))
    return fault(at, `Member must satisfy regular expression pattern: ${shape.pattern.source}`);
  return [];
}

function checkBlob(maxBytes: number, value: unknown, at: string): readonly Fault[] {
  if (typeof value !== "string") return typeFault(at, "base64 text", value);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 !== 0)
    return typeFault(at, "base64 text", value);
  const padding = value.endsWith("==") ? 2 : value.endsWith("=") ? 1 : 0;
  return checkLength({ max: maxBytes }, (value.length / 4) * 3 - padding, at);
}

function checkRange(limits: Limits, value: number, at: string): readonly Fault[] {
  if (limits.min !== undefined && value < limits.min)
    return fault(at, `Member must have value greater than or equal to ${limits.min}`);
  if (limits.max !== undefined && value > limits.max)
    return fault(at, `Member must have value less than or equal to ${limits.max}`);
  return [];
}

function checkLength(limits: Limits, length: number, at: string): readonly Fault[] {
  if (limits.min !== undefined && length < limits.min)
    return fault(at, `Member must have length greater than or equal to ${limits.min}`);
  if (limits.max !== undefined && length > limits.max)
    return fault(at, `Member must have length less than or equal to ${limits.max}`);
  return [];
}

interface Limits {
  readonly min?: number;
  readonly max?: number;
}

function checkUnion(
  shape: StructureShape,
  value: Readonly<Record<string, unknown>>,
  at: string,
): readonly Fault[] {
  if (!shape.union) return [];
  const names = Object.keys(shape.members);
  const present = names.filter((name) => value[name] !== undefined && value[name] !== null);
  return present.length === 1 ? [] : fault(at, `Member must have exactly one of: ${names.join(", ")}`);
}

function typeFault(at: string, expected: string, value: unknown): readonly Fault[] {
  const got = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  return fault(at, `Member must be ${expected}, got ${got}`);
}

function fault(at: string, constraint: string): readonly Fault[] {
  return [{ at, message: `Value at '${at}' failed to satisfy constraint: ${constraint}` }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
