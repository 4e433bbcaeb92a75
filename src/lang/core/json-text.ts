/**
 * JSON with positions, for diagnostics inside the user's inputs. Integers that a double cannot hold are bigint. Never
 * throws: what is wrong is a diagnostic.
 */
import { type Diagnostic, defined, type SourceText, type Span } from "../../kernel/index.ts";
import { objectOf } from "./ordered-members.ts";

export type JsonNode =
  | {
      readonly kind: "scalar";
      readonly span: Span;
      readonly value: null | boolean | number | bigint | string;
    }
  | { readonly kind: "array"; readonly span: Span; readonly items: readonly JsonNode[] }
  | { readonly kind: "object"; readonly span: Span; readonly members: readonly JsonMember[] };

export interface JsonMember {
  readonly name: string;
  readonly nameSpan: Span;
  readonly value: JsonNode;
}

export interface JsonText {
  /** Absent when there is an error. */
  readonly node?: JsonNode;
  readonly diagnostics: readonly Diagnostic[];
}

const deepest = 500;

export function parseJson(source: SourceText): JsonText {
  const reader = new JsonReader(source);
  try {
    const node = reader.document();
    return { node, diagnostics: reader.warnings };
  } catch (error) {
    if (error instanceof JsonProblem) return { diagnostics: [...reader.warnings, error.diagnostic] };
    throw error;
  }
}

/** The value as `JSON.parse` would answer it, with bigint where needed. Of a name given twice the last counts. */
export function jsonValue(node: JsonNode): unknown {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "array":
      return node.items.map(jsonValue);
    case "object":
      return objectOf(node.members.map((member) => [member.name, jsonValue(member.value)] as const));
  }
}

/**
 * Where something stands: `["wf.samples", 2, "id"]`. The span of the value; of the name when `of` is "name"; of the
 * nearest thing around it when the path leads nowhere.
 */
export function jsonSpan(
  node: JsonNode,
  path: readonly (string | number)[],
  of: "name" | "value" = "value",
): Span {
  let at = node;
  let span = node.span;
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    if (typeof step === "number") {
      const item = at.kind === "array" ? at.items[step] : undefined;
      if (item === undefined) return span;
      at = item;
      span = item.span;
    } else {
      const member = at.kind === "object" ? at.members.findLast((each) => each.name === step) : undefined;
      if (member === undefined) return span;
      at = member.value;
      span = last && of === "name" ? member.nameSpan : member.value.span;
    }
  }
  return span;
}

class JsonProblem extends Error {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class JsonReader {
  readonly warnings: Diagnostic[] = [];
  readonly #source: SourceText;
  readonly #text: string;
  #at = 0;

  constructor(source: SourceText) {
    this.#source = source;
    this.#text = source.text;
    if (this.#text.charCodeAt(0) === 0xfeff) this.#at = 1;
  }

  document(): JsonNode {
    this.#space();
    if (this.#at >= this.#text.length) this.#fail("the document is empty", "write {} for no inputs at all");
    const node = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#fail("there is more text after the end of the JSON value");
    return node;
  }

  #value(depth: number): JsonNode {
    if (depth > deepest) this.#fail("the JSON is nested too deeply");
    const start = this.#at;
    const character = this.#text[start];
    switch (character) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return { kind: "scalar", value: this.#string(), span: { start, end: this.#at } };
      default:
    }
    if (character !== undefined && /[-0-9]/.test(character)) return this.#number();
    const word = /^[A-Za-z_]+/.exec(this.#text.slice(start, start + 40))?.[0];
    if (word === "true" || word === "false" || word === "null") {
      this.#at += word.length;
      const value = word === "null" ? null : word === "true";
      return { kind: "scalar", value, span: { start, end: this.#at } };
    }
    if (word !== undefined)
      this.#fail(`expected a value, found ${word}`, `strings are written in quotes: "${word}"`, word.length);
    if (character === "'")
      this.#fail("expected a value, found a single quote", 'JSON strings are written in double quotes: "…"');
    this.#unexpected("a value");
  }

  #object(depth: number): JsonNode {
    const start = this.#at;
    this.#at++;
    const members: JsonMember[] = [];
    const seen = new Map<string, Span>();
    this.#space();
    if (this.#take("}")) return { kind: "object", members, span: { start, end: this.#at } };
    for (;;) {
      this.#space();
      const nameStart = this.#at;
      if (this.#text[nameStart] === "}")
        this.#fail("a comma stands before the closing }", "remove the comma");
      if (this.#text[nameStart] !== '"') this.#unexpected("a name in double quotes");
      const name = this.#string();
      const nameSpan = { start: nameStart, end: this.#at };
      const first = seen.get(name);
      if (first !== undefined) this.#duplicate(name, nameSpan, first);
      seen.set(name, nameSpan);
      this.#space();
      if (!this.#take(":")) this.#unexpected('":" after the name');
      this.#space();
      members.push({ name, nameSpan, value: this.#value(depth + 1) });
      this.#space();
      if (this.#take("}")) return { kind: "object", members, span: { start, end: this.#at } };
      if (!this.#take(",")) this.#unexpected('"," or "}"');
    }
  }

  #array(depth: number): JsonNode {
    const start = this.#at;
    this.#at++;
    const items: JsonNode[] = [];
    this.#space();
    if (this.#take("]")) return { kind: "array", items, span: { start, end: this.#at } };
    for (;;) {
      this.#space();
      if (this.#text[this.#at] === "]") this.#fail("a comma stands before the closing ]", "remove the comma");
      items.push(this.#value(depth + 1));
      this.#space();
      if (this.#take("]")) return { kind: "array", items, span: { start, end: this.#at } };
      if (!this.#take(",")) this.#unexpected('"," or "]"');
    }
  }

  #string(): string {
    const start = this.#at;
    this.#at++;
    let text = "";
    for (;;) {
      let end = this.#at;
      while (
        end < this.#text.length &&
        this.#text.charCodeAt(end) >= 32 &&
        !/["\\]/.test(this.#text[end] ?? "")
      )
        end++;
      text += this.#text.slice(this.#at, end);
      this.#at = end;
      const character = this.#text[end];
      if (character === '"') {
        this.#at++;
        return text;
      }
      if (character !== "\\") {
        this.#at = start;
        this.#fail(
          "the text is not closed before the end of its line",
          'close it with "; write line breaks as \\n',
        );
      }
      text += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? "";
    if (letter === "u") {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail("\\u needs four hexadecimal digits");
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const plain = escapes[letter];
    if (plain === undefined) this.#fail(`unknown escape \\${letter}`, "write \\\\ for a backslash");
    this.#at += 2;
    return plain;
  }

  #number(): JsonNode {
    const start = this.#at;
    let end = start;
    while (end < this.#text.length && /[-+.0-9eE]/.test(this.#text[end] ?? "")) end++;
    const word = this.#text.slice(start, end);
    if (!/^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/.test(word))
      this.#fail(`${word.slice(0, 40)} is not a number`, undefined, word.length);
    const span = { start, end };
    const value = Number(word);
    // JSON has no infinite numbers, so this one would be another number than the one that is written.
    if (!Number.isFinite(value))
      this.#fail(`${word.slice(0, 40)} is too large for a number`, undefined, word.length);
    this.#at = end;
    if (/^-?[0-9]+$/.test(word) && !Number.isSafeInteger(value) && word.length < 400)
      return { kind: "scalar", value: BigInt(word), span };
    return { kind: "scalar", value, span };
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 32 || code === 9 || code === 10 || code === 13) this.#at++;
      else break;
    }
    const character = this.#text[this.#at];
    if (character === "#" || (character === "/" && /[/*]/.test(this.#text[this.#at + 1] ?? "")))
      this.#fail("JSON has no comments", "remove it, or name the file .yaml, where # begins a comment");
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #duplicate(name: string, span: Span, first: Span): void {
    this.warnings.push({
      code: "inputs-duplicate-name",
      severity: "warning",
      message: `${name} is given twice; the last one counts`,
      source: this.#source,
      span,
      labels: [{ source: this.#source, span: first, message: "first here" }],
    });
  }

  #unexpected(expected: string): never {
    const character = this.#text[this.#at];
    const found = character === undefined ? "the end of the document" : `"${character}"`;
    this.#fail(`expected ${expected}, found ${found}`);
  }

  #fail(message: string, help?: string, width = 1): never {
    const start = Math.min(this.#at, this.#text.length);
    throw new JsonProblem({
      code: "inputs-json",
      severity: "error",
      message,
      source: this.#source,
      span: { start, end: start + width },
      ...defined({ help }),
    });
  }
}
