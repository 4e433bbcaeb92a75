/**
 * The lexer's other modes: strings, multi-line strings and commands. They embed expressions, so they are productions
 * that read characters themselves and hand over to the cursor's grammar inside placeholders.
 */
import type { CommandNode, Expression, PlaceholderOption, StringNode, StringPart } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { dedent } from "./dedent.ts";
import * as wrong from "./diagnostics.ts";
import { readEscape } from "./escapes.ts";

const backslash = 92;
const newline = 10;
const braceOpen = 123;

interface Mode {
  readonly what: string;
  readonly terminator: string;
  /** Whether `~{` / `${` open placeholders. */
  readonly tilde: boolean;
  readonly dollar: boolean;
  readonly multiline: boolean;
}

/** Collects parts and merges adjacent texts. */
class Parts {
  readonly list: StringPart[] = [];

  text(text: string): void {
    if (text === "") return;
    const last = this.list.at(-1);
    if (last?.kind === "text") this.list[this.list.length - 1] = { kind: "text", text: last.text + text };
    else this.list.push({ kind: "text", text });
  }
}

/**
 * `string = '"' (char | placeholder)* '"' | "'" … "'" | '<<<' … '>>>'`
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#strings
 */
export function parseString(c: Cursor): StringNode {
  return c.at("<<<") ? parseMultilineString(c) : parseQuoted(c, { tilde: c.has("1.0"), dollar: true });
}

/** A string in which nothing is a placeholder: import URIs and metadata. */
export function parsePlainString(c: Cursor): { readonly text: string; readonly node: StringNode } {
  const node = c.at("<<<") ? parseMultilineString(c) : parseQuoted(c, { tilde: false, dollar: false });
  return { text: node.parts.map((part) => (part.kind === "text" ? part.text : "")).join(""), node };
}

function parseQuoted(c: Cursor, sigils: { readonly tilde: boolean; readonly dollar: boolean }): StringNode {
  const { start } = c;
  const terminator = c.word;
  const mode: Mode = { what: "the string", terminator, ...sigils, multiline: false };
  const parts = new Parts();
  const height = scan(c, mode, parts, (at) => {
    const read = readEscape(c, at);
    parts.text(read.text);
    return read.end;
  });
  c.height = height;
  return {
    kind: "string",
    span: c.spanFrom(start),
    style: terminator === "'" ? "single" : "double",
    parts: parts.list,
  };
}

function parseMultilineString(c: Cursor): StringNode {
  const { start } = c;
  c.needs("1.2", "a multi-line string", c.span);
  const mode: Mode = { what: "the string", terminator: ">>>", tilde: true, dollar: true, multiline: true };
  const raw = new Parts();
  const height = scan(c, mode, raw, (at) => {
    raw.text(c.text.slice(at, at + 2));
    return at + 2;
  });
  c.height = height;
  const span = c.spanFrom(start);
  const joined = raw.list.map((part) =>
    part.kind === "text" ? { ...part, text: joinLines(part.text) } : part,
  );
  const { parts, mixedIndent } = dedent(joined);
  if (mixedIndent) c.report(wrong.mixedIndent(c.place({ start, end: start + 3 })));
  return {
    kind: "string",
    span,
    style: "multiline",
    parts: parts.map((part) => resolveEscapes(c, part, span)),
  };
}

/** Removes backslash-newline and the whitespace that follows it; `\\` before a line break is a backslash. */
function joinLines(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(/\\(?:\n[ \t]*|[^\n])/g, (found) => (found[1] === "\n" ? "" : found));
}

/** Dedenting has moved the text, so an unknown escape is reported at the string as a whole. */
function resolveEscapes(c: Cursor, part: StringPart, span: { readonly start: number }): StringPart {
  if (part.kind === "placeholder") return part;
  const text = part.text.replace(
    /\\(?:[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[\s\S])/g,
    (found) => {
      const code = /^\\([0-7]{3})$/.exec(found) ? Number.parseInt(found.slice(1), 8) : undefined;
      if (code !== undefined) return String.fromCodePoint(code);
      if (found.length > 2) {
        const value = Number.parseInt(found.slice(2), 16);
        if (value <= 0x10ffff) return String.fromCodePoint(value);
      }
      const plain = plainEscape(found);
      if (plain !== undefined) return plain;
      c.report(wrong.badEscape(c.place({ start: span.start, end: span.start + 3 }), found));
      return found;
    },
  );
  return { kind: "text", text };
}

function plainEscape(found: string): string | undefined {
  switch (found) {
    case "\\n":
      return "\n";
    case "\\r":
      return "\r";
    case "\\t":
      return "\t";
    case "\\\\":
    case "\\'":
    case '\\"':
    case "\\~":
    case "\\$":
    case "\\>":
      return found.slice(1);
    default:
      return undefined;
  }
}

/**
 * `command = 'command' ('<<<' … '>>>' | '{' … '}')`. Backslashes are the script's own, except those that keep `>>>`,
 * `}` or a placeholder's opening from having their meaning here.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#command-section
 */
export function parseCommand(c: Cursor, start: number): CommandNode | undefined {
  const heredoc = c.at("<<<");
  if (!heredoc && !c.at("{")) {
    c.unexpected('"<<<" or "{" after command');
    return undefined;
  }
  const opened = c.span;
  const mode: Mode = {
    what: "the command",
    terminator: heredoc ? ">>>" : "}",
    tilde: c.has("1.0"),
    dollar: !heredoc || !c.has("1.0"),
    multiline: true,
  };
  const raw = new Parts();
  scan(c, mode, raw, (at) => {
    const end = Math.min(c.text.length, at + 2);
    raw.text(c.text.slice(at, end));
    return end;
  });
  const lines = raw.list.map((part) =>
    part.kind === "text" ? { ...part, text: part.text.replaceAll("\r\n", "\n") } : part,
  );
  const { parts, mixedIndent } = dedent(lines);
  if (mixedIndent) c.report(wrong.mixedIndent(c.place(opened)));
  return {
    span: c.spanFrom(start),
    style: heredoc ? "heredoc" : "braces",
    parts: parts.map((part) =>
      part.kind === "text" ? { ...part, text: unescapeCommand(part.text, mode) } : part,
    ),
    mixedIndent,
  };
}

function unescapeCommand(text: string, mode: Mode): string {
  if (!text.includes("\\")) return text;
  const heredoc = mode.terminator === ">>>";
  return text
    .replace(heredoc ? /(?:\\?>){3}/g : /\\(?=\})/g, heredoc ? ">>>" : "")
    .replace(/(?<!\\)((?:\\\\)*)\\([~$])(?=\{)/g, (found, pairs: string, sigil: string) =>
      (sigil === "~" ? mode.tilde : mode.dollar) ? pairs + sigil : found,
    );
}

/**
 * Reads from the opening token to the terminator and moves the cursor behind it. `onBackslash` keeps what the
 * backslash at an offset stands for and answers where to continue. Answers the height of the tallest placeholder.
 */
function scan(c: Cursor, mode: Mode, parts: Parts, onBackslash: (at: number) => number): number {
  const { text } = c;
  const opened = c.span;
  const first = mode.terminator.charCodeAt(0);
  let at = opened.end;
  let from = at;
  let height = 0;
  for (;;) {
    if (at >= text.length) {
      c.report(wrong.unclosedText(c.place(opened), mode.what, mode.terminator));
      break;
    }
    const code = text.charCodeAt(at);
    if (code === first && (mode.terminator.length === 1 || text.startsWith(mode.terminator, at))) break;
    if (code === newline && !mode.multiline) {
      c.report(wrong.newlineInString(c.place({ start: opened.start, end: at }), c.version));
      parts.text(text.slice(from, at));
      c.seek(at);
      return height;
    }
    if (code === backslash) {
      parts.text(text.slice(from, at));
      at = from = onBackslash(at);
      continue;
    }
    const sigil = (code === 126 && mode.tilde) || (code === 36 && mode.dollar);
    if (sigil && text.charCodeAt(at + 1) === braceOpen) {
      parts.text(text.slice(from, at));
      c.height = 0;
      const part = c.nested<StringPart | undefined>(
        () => parsePlaceholder(c, at),
        () => undefined,
      );
      if (part !== undefined) parts.list.push(part);
      height = Math.max(height, c.height + 1);
      // The cursor is on what follows the expression: `}`, or where recovery stopped.
      at = from = c.at("}") ? c.end : afterBrokenPlaceholder(c, mode);
      continue;
    }
    at++;
  }
  parts.text(text.slice(from, at));
  c.seek(Math.min(text.length, at + mode.terminator.length));
  return height;
}

/** At the text's end when that is what was met; else behind the next `}` of the line, else at the line's end. */
function afterBrokenPlaceholder(c: Cursor, mode: Mode): number {
  if (c.at(">>>") || c.at("quote")) {
    const met = c.word;
    if (met === mode.terminator) return c.start;
  }
  for (let at = Math.max(c.start, c.previousEnd); at < c.text.length; at++) {
    const character = c.text[at];
    if (character === "}") return at + 1;
    if (character === "\n") return at;
  }
  return c.text.length;
}

/**
 * `placeholder = ('~{' | '${') option* expression '}'`. Leaves the cursor on the `}`.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#expression-placeholders-and-string-interpolation
 */
function parsePlaceholder(c: Cursor, start: number): StringPart {
  const opened = { start, end: start + 2 };
  c.seek(start + 2);
  const options: PlaceholderOption[] = [];
  let option = parseOption(c);
  while (option !== undefined) {
    options.push(option);
    option = parseOption(c);
  }
  checkOptions(c, options);
  if (c.at("}")) {
    c.report(wrong.emptyPlaceholder(c.place({ start, end: c.end })));
    const expression: Expression = { kind: "error", span: { start: c.start, end: c.start } };
    return { kind: "placeholder", span: { start, end: c.end }, options, expression };
  }
  const expression = c.grammar.expression(c);
  if (!c.at("}")) c.report(wrong.unclosed(c.place(c.span), c.describe(), '"}"', opened));
  return {
    kind: "placeholder",
    span: { start, end: c.at("}") ? c.end : c.previousEnd },
    options,
    expression,
  };
}

/**
 * `option = ('sep' | 'default' | 'true' | 'false') '=' literal`
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#-expression-placeholder-options
 */
function parseOption(c: Cursor): PlaceholderOption | undefined {
  const { start } = c;
  for (const kind of ["sep", "default", "true", "false"] as const) {
    if (!c.atWord(kind) || c.peek() !== "=") continue;
    c.next();
    c.next();
    const value = c.grammar.literal(c);
    return { kind, span: c.spanFrom(start), value };
  }
  return undefined;
}

function checkOptions(c: Cursor, options: readonly PlaceholderOption[]): void {
  const [first] = options;
  if (first === undefined) return;
  const kinds = new Set(options.map((option) => option.kind));
  const place = c.place({ start: first.span.start, end: options.at(-1)?.span.end ?? first.span.end });
  const repeated = options.find((option, at) =>
    options.some((other, i) => i < at && other.kind === option.kind),
  );
  if (repeated !== undefined) c.report(wrong.repeatedOption(c.place(repeated.span), repeated.kind));
  else if (kinds.has("true") !== kinds.has("false"))
    c.report(wrong.missingBooleanOption(place, kinds.has("true") ? "false" : "true"));
  else if (kinds.has("sep") && kinds.has("true")) c.report(wrong.severalOptions(place));
  else if (kinds.has("default") && kinds.size > 1 && c.has("1.1")) c.report(wrong.combinedOptions(place));
}
