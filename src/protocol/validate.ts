/**
 * Checks decoded values against shapes. All faults are collected and worded as the service words them, so that people
 * who know its messages recognise ours. Lengths are looked at before what they are lengths of: a value costs no more to
 * refuse than the longest good one costs to accept.
 */
import { unreachable } from "../kernel/index.ts";
import { Blob64 } from "./blob.ts";
import type { Member, Shape, StringShape, StructureShape } from "./shape.ts";

/** One broken constraint, in the service's words. */
export interface Fault {
  /** `tags.team`, `batchRunSettings.inlineSettings.3.name`. */
  readonly at: string;
  readonly message: string;
}

/** Further faults are not looked for: each costs memory, and nobody reads them. */
const mostFaults = 100;
/** Faults in a message: a long one helps nobody. */
const mostShown = 20;

export function validateMembers(
  members: Readonly<Record<string, Member>>,
  values: Readonly<Record<string, unknown>>,
): readonly Fault[] {
  const faults = new Faults();
  checkMembers(members, values, "", faults);
  return faults.list;
}

/** `2 validation errors detected: Value at 'name' failed to satisfy constraint: …; …` */
export function faultsMessage(faults: readonly Fault[]): string {
  const count =
    faults.length === 1
      ? "1 validation error"
      : faults.length < mostFaults
        ? `${faults.length} validation errors`
        : `${mostFaults} or more validation errors`;
  const shown = faults.slice(0, mostShown).map(({ message }) => message);
  return `${count} detected: ${shown.join("; ")}${faults.length > mostShown ? "; …" : ""}`;
}

/** `Value at 'name' failed to satisfy constraint: …` */
export function faultMessage(at: string, constraint: string): string {
  return `Value at '${at}' failed to satisfy constraint: ${constraint}`;
}

class Faults {
  readonly list: Fault[] = [];

  get full(): boolean {
    return this.list.length >= mostFaults;
  }

  add(at: string, constraint: string): void {
    if (!this.full) this.list.push({ at, message: faultMessage(at, constraint) });
  }
}

type Values = Readonly<Record<string, unknown>>;

function checkMembers(
  members: Readonly<Record<string, Member>>,
  values: Values,
  at: string,
  faults: Faults,
): void {
  for (const [name, member] of Object.entries(members)) {
    if (faults.full) return;
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    const place = at === "" ? name : `${at}.${name}`;
    if (value !== undefined && value !== null) check(member.shape, value, place, faults);
    else if (member.required) faults.add(place, "Member must not be null");
  }
}

function check(shape: Shape, value: unknown, at: string, faults: Faults): void {
  switch (shape.kind) {
    case "string":
      checkString(shape, value, at, faults);
      return;
    case "integer":
      if (Number.isInteger(value)) checkRange(shape, Number(value), at, faults);
      else wrongType("an integer", value, at, faults);
      return;
    case "boolean":
      if (typeof value !== "boolean") wrongType("a boolean", value, at, faults);
      return;
    case "blob":
      checkBlob(shape.maxBytes, value, at, faults);
      return;
    case "document":
      // Any JSON; its size is checked where the raw text is known.
      return;
    case "list":
      if (!Array.isArray(value)) {
        wrongType("a list", value, at, faults);
        return;
      }
      if (checkLength(shape, value.length, at, faults) === "broken") return;
      for (let index = 0; index < value.length && !faults.full; index++)
        check(shape.of, value[index], `${at}.${index}`, faults);
      return;
    case "map":
      checkMap(shape, value, at, faults);
      return;
    case "structure":
      if (!isObject(value)) {
        wrongType("a structure", value, at, faults);
        return;
      }
      checkMembers(shape.members, value, at, faults);
      checkUnion(shape, value, at, faults);
      return;
    default:
      unreachable(shape);
  }
}

function checkMap(shape: Extract<Shape, { kind: "map" }>, value: unknown, at: string, faults: Faults): void {
  if (!isObject(value)) {
    wrongType("a map", value, at, faults);
    return;
  }
  const names = Object.keys(value);
  if (checkLength(shape, names.length, at, faults) === "broken") return;
  for (const name of names) {
    if (faults.full) return;
    checkString(shape.key, name, `${at}.key`, faults);
    check(shape.value, value[name], `${at}.${name.slice(0, 128)}`, faults);
  }
}

function checkString(shape: StringShape, value: unknown, at: string, faults: Faults): void {
  if (typeof value !== "string") {
    wrongType("a string", value, at, faults);
    return;
  }
  if (shape.oneOf !== undefined && !shape.oneOf.includes(value)) {
    faults.add(at, `Member must satisfy enum value set: [${shape.oneOf.join(", ")}]`);
    return;
  }
  if (checkLength(shape, charactersOf(value, shape.max), at, faults) === "broken") return;
  if (shape.pattern !== undefined && !shape.pattern.test(value))
    faults.add(at, `Member must satisfy regular expression pattern: ${shape.pattern.source}`);
}

/** Unicode characters, as the service counts them. Of a text that is too long however it is counted, its code units. */
function charactersOf(text: string, most = 0): number {
  if (text.length > 2 * most) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function checkBlob(maxBytes: number, value: unknown, at: string, faults: Faults): void {
  if (!(value instanceof Blob64)) {
    wrongType("base64 text", value, at, faults);
    return;
  }
  if (value.mostBytes > maxBytes) faults.add(at, `Member must have length less than or equal to ${maxBytes}`);
}

function checkRange(limits: Limits, value: number, at: string, faults: Faults): void {
  if (limits.min !== undefined && value < limits.min)
    faults.add(at, `Member must have value greater than or equal to ${limits.min}`);
  if (limits.max !== undefined && value > limits.max)
    faults.add(at, `Member must have value less than or equal to ${limits.max}`);
}

function checkLength(limits: Limits, length: number, at: string, faults: Faults): "kept" | "broken" {
  if (limits.min !== undefined && length < limits.min)
    faults.add(at, `Member must have length greater than or equal to ${limits.min}`);
  else if (limits.max !== undefined && length > limits.max)
    faults.add(at, `Member must have length less than or equal to ${limits.max}`);
  else return "kept";
  return "broken";
}

interface Limits {
  readonly min?: number;
  readonly max?: number;
}

function checkUnion(shape: StructureShape, value: Values, at: string, faults: Faults): void {
  if (!shape.union) return;
  const names = Object.keys(shape.members);
  const present = names.filter((name) => value[name] !== undefined && value[name] !== null);
  if (present.length !== 1) faults.add(at, `Member must have exactly one of: ${names.join(", ")}`);
}

function wrongType(expected: string, value: unknown, at: string, faults: Faults): void {
  const got = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  faults.add(at, `Member must be ${expected}, got ${got}`);
}

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Blob64);
}
