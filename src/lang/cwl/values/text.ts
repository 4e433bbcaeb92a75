/** Values as text: on command lines, inside texts, and as JSON with sorted keys. */
import { type CwlValue, isFileOrDirectory } from "./value.ts";

/** A plain decimal without exponent; integral numbers have no point. */
export function numberText(value: number | bigint): string {
  const text = String(value);
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text === "-0" ? "0" : text;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + "0".repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** What stands for the value inside a text: texts as they are, everything else as JSON. */
export function textInside(value: CwlValue): string {
  return typeof value === "string" ? value : jsonText(value);
}

/** JSON with keys in code-unit order, `, ` and `: ` between, numbers without exponents. */
export function jsonText(value: CwlValue): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? numberText(value) : "null";
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(", ")}]`;
  const members = Object.entries(value as Readonly<Record<string, CwlValue | undefined>>)
    .filter((entry): entry is [string, CwlValue] => entry[1] !== undefined && !isHeld(entry[0], value))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => `${JSON.stringify(name)}: ${jsonText(each)}`);
  return `{${members.join(", ")}}`;
}

/** Compact JSON for programs: numbers as JavaScript writes them, without what only the engine may see. */
export function plainJson(value: CwlValue): string {
  return JSON.stringify(value, function (this: unknown, name: string, each: unknown) {
    if (typeof each === "bigint") return Number(each);
    return isHeld(name, this) ? undefined : each;
  });
}

/**
 * Text that is equal for values that no expression can distinguish, and different for all others: integers of any size,
 * the sign of zero, and the order of members, which JSON.stringify shows. Members of files are in the engine's order,
 * which makes no difference.
 */
export function exactText(value: CwlValue): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.map(exactText).join()}]`;
  const members = Object.entries(value as Readonly<Record<string, CwlValue | undefined>>).filter(
    (entry): entry is [string, CwlValue] => entry[1] !== undefined && !isHeld(entry[0], value),
  );
  if (isFileOrDirectory(value)) members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${exactText(each)}`).join()}}`;
}

/**
 * A value out of JSON that a program wrote. What only the engine may say of a file (`held`) is left out: a forged digest
 * would stand for other bytes.
 * @throws SyntaxError
 */
export function parseValue(json: string): CwlValue {
  // An escape may spell the name, too.
  if (!/"held"|\\u/.test(json)) return JSON.parse(json);
  return JSON.parse(json, function (this: unknown, name: string, each: unknown) {
    return isHeld(name, this) ? undefined : each;
  });
}

function isHeld(name: string, owner: unknown): boolean {
  if (name !== "held" || typeof owner !== "object" || owner === null || !("class" in owner)) return false;
  return owner.class === "File" || owner.class === "Directory";
}
