/**
 * A JSON reader that keeps what `JSON.parse` loses: whether a number was written as an integer (bigint) or with a
 * fraction or exponent (number), and integers beyond 2^53.
 */
import { objectOf } from "../../core/index.ts";

export type JsonValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export type JsonRead =
  | { readonly kind: "read"; readonly value: JsonValue }
  | { readonly kind: "malformed"; readonly message: string; readonly offset: number };

class Malformed extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const deepest = 1000;

export function readJsonText(text: string): JsonRead {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;

  const fail = (message: string): never => {
    throw new Malformed(message, at);
  };
  const skip = () => {
    for (;;) {
      const code = text.charCodeAt(at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      at++;
    }
  };

  const readString = (): string => {
    const start = at;
    let end = at + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
    if (end >= text.length) return fail("a string is not closed");
    at = end + 1;
    try {
      return JSON.parse(text.slice(start, at)) as string;
    } catch {
      at = start;
      return fail("a string holds a character that must be escaped");
    }
  };

  const readNumber = (): bigint | number => {
    const match = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/.exec(text.slice(at, at + 400));
    if (match === null) return fail(`expected a value, got ${JSON.stringify(text.charAt(at))}`);
    const whole = match[2] === undefined && match[3] === undefined;
    if (!Number.isFinite(Number(match[0]))) return fail(`${match[0].slice(0, 40)} is too large for a Float`);
    at += match[0].length;
    return whole ? BigInt(match[0]) : Number(match[0]);
  };

  const readWord = (word: string, value: null | boolean): null | boolean => {
    if (!text.startsWith(word, at)) return fail("expected a value");
    at += word.length;
    return value;
  };

  const readArray = (depth: number): JsonValue => {
    at++;
    const items: JsonValue[] = [];
    skip();
    if (text[at] === "]") {
      at++;
      return items;
    }
    for (;;) {
      items.push(readValue(depth));
      skip();
      if (text[at] === "]") break;
      if (text[at] !== ",") return fail("expected `,` or `]`");
      at++;
    }
    at++;
    return items;
  };

  const readObject = (depth: number): JsonValue => {
    at++;
    const members: [string, JsonValue][] = [];
    skip();
    if (text[at] === "}") {
      at++;
      return {};
    }
    for (;;) {
      skip();
      if (text[at] !== '"') return fail("expected a member name in double quotes");
      const name = readString();
      skip();
      if (text[at] !== ":") return fail("expected `:`");
      at++;
      members.push([name, readValue(depth)]);
      skip();
      if (text[at] === "}") break;
      if (text[at] !== ",") return fail("expected `,` or `}`");
      at++;
    }
    at++;
    return objectOf(members);
  };

  const readValue = (depth: number): JsonValue => {
    if (depth > deepest) return fail(`values are nested more than ${deepest} deep`);
    skip();
    switch (text[at]) {
      case '"':
        return readString();
      case "{":
        return readObject(depth + 1);
      case "[":
        return readArray(depth + 1);
      case "t":
        return readWord("true", true);
      case "f":
        return readWord("false", false);
      case "n":
        return readWord("null", null);
      case undefined:
        return fail("expected a value, got the end of the text");
      default:
        return readNumber();
    }
  };

  try {
    const value = readValue(0);
    skip();
    if (at < text.length) fail("expected the end of the text");
    return { kind: "read", value };
  } catch (error) {
    if (error instanceof Malformed)
      return { kind: "malformed", message: error.message, offset: error.offset };
    throw error;
  }
}
