/** Whether actual outputs are what a CWL conformance test expects, by the rules of the common test runner. */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";

type Json = unknown;

/** undefined = they agree; else where they do not. */
export async function difference(expected: Json, actual: Json, at = "outputs"): Promise<string | undefined> {
  if (expected === "Any") return undefined;
  if (expected === null || expected === undefined)
    return actual === null || actual === undefined ? undefined : wrong(at, expected, actual);
  if (Array.isArray(expected)) return listDifference(expected, actual, at);
  if (isObject(expected)) {
    if (!isObject(actual)) return wrong(at, expected, actual);
    if (expected["class"] === "File") return fileDifference(expected, actual, at);
    if (expected["class"] === "Directory") return directoryDifference(expected, actual, at);
    return objectDifference(expected, actual, at);
  }
  return sameScalar(expected, actual) ? undefined : wrong(at, expected, actual);
}

async function listDifference(
  expected: readonly Json[],
  actual: Json,
  at: string,
): Promise<string | undefined> {
  if (!Array.isArray(actual) || actual.length !== expected.length) return wrong(at, expected, actual);
  for (const [i, item] of expected.entries()) {
    const found = await difference(item, actual[i], `${at}[${i}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function objectDifference(
  expected: Readonly<Record<string, Json>>,
  actual: Readonly<Record<string, Json>>,
  at: string,
): Promise<string | undefined> {
  for (const [name, value] of Object.entries(expected)) {
    const found = await difference(value, actual[name], `${at}.${name}`);
    if (found !== undefined) return found;
  }
  const extra = Object.keys(actual).find(
    (name) => !(name in expected) && actual[name] !== null && actual[name] !== undefined,
  );
  return extra === undefined ? undefined : `${at}.${extra}: not expected`;
}

/** What the file says of itself must be true, whether the test asks or not. */
async function fileDifference(
  expected: Readonly<Record<string, Json>>,
  actual: Readonly<Record<string, Json>>,
  at: string,
): Promise<string | undefined> {
  if (actual["class"] !== "File") return wrong(at, expected, actual);
  const path = pathOf(actual);
  const place = placeDifference(expected, path, at);
  if (place !== undefined) return place;
  const bytes = await readFile(path);
  const facts: Readonly<Record<string, Json>> = {
    checksum: `sha1$${createHash("sha1").update(bytes).digest("hex")}`,
    size: bytes.length,
    contents: bytes.toString("utf8"),
  };
  for (const name of ["checksum", "size"])
    if (actual[name] !== undefined && actual[name] !== facts[name])
      return wrong(`${at}.${name} as it says`, facts[name], actual[name]);
  for (const [name, value] of Object.entries(expected)) {
    if (name === "class" || name === "location" || name === "path") continue;
    const found = await difference(value, facts[name] ?? actual[name], `${at}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function directoryDifference(
  expected: Readonly<Record<string, Json>>,
  actual: Readonly<Record<string, Json>>,
  at: string,
): Promise<string | undefined> {
  const listing = actual["listing"];
  if (actual["class"] !== "Directory" || !Array.isArray(listing)) return wrong(at, expected, actual);
  const path = pathOf(actual);
  const place = placeDifference(expected, path, at);
  if (place !== undefined) return place;
  if (!(await stat(path)).isDirectory()) return `${at}: ${path} is not a directory`;
  for (const [name, value] of Object.entries(expected)) {
    if (name === "class" || name === "location" || name === "path") continue;
    if (name !== "listing") {
      const found = await difference(value, actual[name], `${at}.${name}`);
      if (found !== undefined) return found;
      continue;
    }
    for (const wanted of value as readonly Json[]) {
      const differences = await Promise.all(listing.map((each) => difference(wanted, each, at)));
      if (!differences.includes(undefined)) return `${at}.listing: nothing is like ${JSON.stringify(wanted)}`;
    }
  }
  return undefined;
}

function placeDifference(
  expected: Readonly<Record<string, Json>>,
  path: string,
  at: string,
): string | undefined {
  const wanted = expected["location"] ?? expected["path"];
  if (wanted === undefined || wanted === "Any") return undefined;
  return path.endsWith(`/${decodeURIComponent(String(wanted))}`) || path.endsWith(`/${String(wanted)}`)
    ? undefined
    : wrong(`${at}.location`, wanted, path);
}

function pathOf(value: Readonly<Record<string, Json>>): string {
  const location = String(value["location"] ?? value["path"] ?? "");
  return location.startsWith("file:") ? fileURLToPath(location) : location;
}

/** Numbers by value, as the common runner's language has them: true is 1. */
function sameScalar(a: Json, b: Json): boolean {
  const plain = (value: Json) =>
    typeof value === "boolean" || typeof value === "bigint" ? Number(value) : value;
  return plain(a) === plain(b);
}

function isObject(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(at: string, expected: Json, actual: Json): string {
  return `${at}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`;
}
