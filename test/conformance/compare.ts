/** Compares outputs with what a suite expects: numbers by value, files by their names. */
import type { Value } from "../../src/task/index.ts";

/** undefined = equal; otherwise where and how they differ. */
export function difference(expected: unknown, actual: Value | undefined, at: string): string | undefined {
  const shown = `${at}: expected ${show(expected)}, got ${show(plain(actual))}`;
  if (actual === undefined || actual === null)
    return expected === null || expected === undefined ? undefined : shown;
  if (typeof actual === "bigint" || typeof actual === "number") {
    if (typeof expected !== "number" && typeof expected !== "bigint") return shown;
    const close = Math.abs(Number(expected) - Number(actual)) <= 1e-9 * Math.max(1, Math.abs(Number(actual)));
    return close ? undefined : shown;
  }
  if (typeof actual === "boolean") return expected === actual ? undefined : shown;
  if (typeof actual === "string") {
    return expected === actual || expected === slashed(actual) ? undefined : shown;
  }
  if (isList(actual)) {
    if (!Array.isArray(expected))
      return asMap(expected, actual, at) ?? (isObject(expected) ? undefined : shown);
    if (expected.length !== actual.length) return shown;
    return first(actual.map((item, i) => difference(expected[i], item, `${at}[${i}]`)));
  }
  if (actual.kind === "record") {
    if (!isObject(expected)) return shown;
    const names = actual.entries.map(([name]) => name);
    const missing = Object.keys(expected).find((name) => !names.includes(name));
    if (missing !== undefined) return shown;
    return first(actual.entries.map(([name, item]) => difference(expected[name], item, `${at}.${name}`)));
  }
  if (typeof expected !== "string") return shown;
  return expected.replace(/\/+$/, "").split("/").at(-1) === actual.basename ? undefined : shown;
}

/** Fixtures that were recorded on several systems hold slashes for every backslash of their JSON. */
function slashed(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll("\\\\", "/").replaceAll("\\", "/");
}

/** A Map whose keys are files is told as pairs; suites write it as an object. */
function asMap(expected: unknown, actual: readonly Value[], at: string): string | undefined {
  if (!isObject(expected)) return undefined;
  const entries = Object.entries(expected);
  if (entries.length !== actual.length)
    return `${at}: expected ${entries.length} entries, got ${actual.length}`;
  return first(
    actual.map((item, i) => {
      const [key, value] = isList(item) ? item : [];
      return (
        difference(entries[i]?.[0], key, `${at} key`) ?? difference(entries[i]?.[1], value, `${at}[${i}]`)
      );
    }),
  );
}

function first(found: readonly (string | undefined)[]): string | undefined {
  return found.find((each) => each !== undefined);
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As JSON would have it, for messages. */
export function plain(value: Value | undefined): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object") return value;
  if (isList(value)) return value.map(plain);
  if (value.kind === "record")
    return Object.fromEntries(value.entries.map(([name, item]) => [name, plain(item)]));
  return value.location;
}

function show(value: unknown): string {
  const text =
    JSON.stringify(value, (_, item) => (typeof item === "bigint" ? Number(item) : item)) ?? "nothing";
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
