/**
 * Filter patterns of CloudWatch Logs, the part that people use on these streams: words and "phrases" that must all
 * occur, `?word` of which one must, `-word` that must not, and comparisons of JSON members `{ $.logMessage = "*HIT*" }`
 * joined by && or ||.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */

/** undefined for a pattern that is not understood. */
export function parsePattern(given: string): ((message: string) => boolean) | undefined {
  const text = given.trim();
  if (text === "") return () => true;
  if (text.startsWith("{")) return parseJsonPattern(text);
  // Patterns of space-separated fields, and regular expressions.
  if (text.startsWith("[") || text.startsWith("%")) return undefined;
  const terms = [...text.matchAll(/([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map(
    ([, sign = "", phrase, word = ""]) => ({ sign, text: phrase?.replace(/\\(.)/g, "$1") ?? word }),
  );
  const of = (sign: string) => terms.filter((term) => term.sign === sign).map((term) => term.text);
  const [all, any, none] = [of(""), of("?"), of("-")];
  return (message) =>
    all.every((term) => message.includes(term)) &&
    (any.length === 0 || all.length > 0 || any.some((term) => message.includes(term))) &&
    !none.some((term) => message.includes(term));
}

type Test = (value: unknown) => boolean;

function parseJsonPattern(text: string): ((message: string) => boolean) | undefined {
  const inner = /^\{(.*)\}$/s.exec(text)?.[1];
  // Parentheses and both joints in one pattern would need precedence; nobody has asked for it.
  if (inner === undefined || (/&&/.test(inner) && /\|\|/.test(inner))) return undefined;
  const joint = inner.includes("||") ? "||" : "&&";
  const tests = inner.split(joint).map(parseComparison);
  if (tests.includes(undefined)) return undefined;
  const known = tests as readonly Test[];
  return (message) => {
    const value = parseJson(message);
    if (value === undefined) return false;
    return joint === "||" ? known.some((test) => test(value)) : known.every((test) => test(value));
  };
}

function parseComparison(text: string): Test | undefined {
  const parts = /^\s*\$((?:\.[A-Za-z0-9_-]+)+)\s*(!=|<=|>=|=|<|>)\s*(?:"([^"]*)"|([^\s"]+))\s*$/.exec(text);
  if (parts === null) return undefined;
  const [, path = "", operator = "", quoted, unquoted = ""] = parts;
  const names = path.slice(1).split(".");
  const expected = quoted ?? unquoted;
  return (value) => compare(memberOf(value, names), operator, expected);
}

function compare(found: unknown, operator: string, expected: string): boolean {
  if (operator === "=") return found !== undefined && matches(found, expected);
  if (operator === "!=") return found !== undefined && !matches(found, expected);
  const number = Number(expected);
  if (typeof found !== "number" || Number.isNaN(number)) return false;
  if (operator === "<") return found < number;
  if (operator === ">") return found > number;
  return operator === "<=" ? found <= number : found >= number;
}

/** `*` stands for any text. */
function matches(found: unknown, expected: string): boolean {
  if (typeof found === "number") return found === Number(expected);
  if (typeof found !== "string") return String(found) === expected;
  const [first = "", ...rest] = expected.split("*");
  const last = rest.pop();
  if (last === undefined) return found === expected;
  if (!found.startsWith(first) || !found.endsWith(last) || found.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const part of rest) {
    const next = found.indexOf(part, at);
    if (next < 0) return false;
    at = next + part.length;
  }
  return at <= found.length - last.length;
}

function memberOf(value: unknown, names: readonly string[]): unknown {
  let found = value;
  for (const name of names) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}

function parseJson(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}
