/** The body of a request: a JSON object whose members are checked before anything is done. */
import { isRecord } from "../store/predictions/index.ts";
import { invalid } from "./served.ts";

export type Body = Readonly<Record<string, unknown>>;

/** @throws RequestProblem for anything but an object with no other members than these. */
export function readBody(bytes: Uint8Array, known: readonly string[]): Body {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw invalid("the body is not JSON in UTF-8");
  }
  if (!isRecord(value)) throw invalid("the body is not a JSON object");
  const other = Object.keys(value).find((name) => !known.includes(name));
  if (other !== undefined)
    throw invalid(`there is no member ${JSON.stringify(other.slice(0, 64))}; known are ${known.join(", ")}`);
  return value;
}

export function textsOf(body: Body, name: string, most: number): readonly string[] {
  const value = body[name];
  if (!Array.isArray(value) || !value.every((text) => typeof text === "string"))
    throw invalid(`${name} must be a list of texts`);
  if (value.length > most) throw invalid(`${name} has ${value.length} texts; up to ${most} are accepted`);
  return value;
}

export function integerOf(body: Body, name: string, most: number): number {
  const value = body[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > most)
    throw invalid(`${name} must be an integer from 0 to ${most}`);
  return value as number;
}

export function textOf(body: Body, name: string, pattern: RegExp): string {
  const value = body[name];
  if (typeof value !== "string" || !pattern.test(value)) throw invalid(`${name} is missing or malformed`);
  return value;
}

/** A text or a whole number, as people write seeds; the same one where nothing is said. */
export function seedOf({ seed = "memoir" }: Body): string {
  const text = Number.isSafeInteger(seed) ? String(seed) : seed;
  if (typeof text !== "string" || text.length > 1_000)
    throw invalid("seed must be a text of up to 1000 characters, or a whole number");
  return text;
}
