/** Compares outputs as JSON with what a suite expects: numbers by value, files by their names. */

/** undefined = equal; otherwise where and how they differ. */
export function difference(expected: unknown, actual: unknown, at: string): string | undefined {
  const shown = `${at}: expected ${show(expected)}, got ${show(actual)}`;
  if (actual === undefined || actual === null) {
    return expected === null || expected === undefined ? undefined : shown;
  }
  if (typeof actual === "bigint" || typeof actual === "number") {
    if (typeof expected !== "number" && typeof expected !== "bigint") return shown;
    const close = Math.abs(Number(expected) - Number(actual)) <= 1e-9 * Math.max(1, Math.abs(Number(actual)));
    return close ? undefined : shown;
  }
  if (typeof actual === "boolean") return expected === actual ? undefined : shown;
  if (typeof actual === "string") return sameText(expected, actual) ? undefined : shown;
  if (Array.isArray(actual)) {
    if (!Array.isArray(expected)) return isObject(expected) ? asMap(expected, actual, at) : shown;
    if (expected.length !== actual.length) return shown;
    return first(actual.map((item, i) => difference(expected[i], item, `${at}[${i}]`)));
  }
  if (!isObject(actual) || !isObject(expected)) return shown;
  const missing = Object.keys(expected).find((name) => !(name in actual));
  if (missing !== undefined) return shown;
  return first(
    Object.entries(actual).map(([name, item]) => difference(expected[name], item, `${at}.${name}`)),
  );
}

function sameText(expected: unknown, actual: string): boolean {
  if (typeof expected === "bigint") return expected.toString() === actual;
  if (typeof expected !== "string") return false;
  if (expected === actual || expected === slashed(actual)) return true;
  const named = expected.replace(/\/+$/, "").split("/").at(-1);
  return actual.startsWith("/") && named === actual.split("/").at(-1);
}

/** Fixtures that were recorded on several systems hold slashes for every backslash of their JSON. */
function slashed(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll("\\\\", "/").replaceAll("\\", "/");
}

/** A Map whose keys are files is written as pairs; suites write it as an object. */
function asMap(
  expected: Record<string, unknown>,
  actual: readonly unknown[],
  at: string,
): string | undefined {
  const entries = Object.entries(expected);
  if (entries.length !== actual.length)
    return `${at}: expected ${entries.length} entries, got ${actual.length}`;
  return first(
    actual.map((item, i) => {
      const [key, value] = Array.isArray(item) ? item : [];
      return (
        difference(entries[i]?.[0], key, `${at} key`) ?? difference(entries[i]?.[1], value, `${at}[${i}]`)
      );
    }),
  );
}

function first(found: readonly (string | undefined)[]): string | undefined {
  return found.find((each) => each !== undefined);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const text =
    JSON.stringify(value, (_, item) => (typeof item === "bigint" ? Number(item) : item)) ?? "nothing";
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
