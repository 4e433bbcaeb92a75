/**
 * The lexer of scripts and configuration. Line breaks end statements, but not inside parentheses and brackets; a slash
 * starts a string where no operand stands before it; strings hold expressions, whose tokens are read with them.
 */
import type { Diagnostic, SourceText } from "../../../kernel/index.ts";
import * as wrong from "./diagnostics.ts";
import type { Quote, StringPart, Token, TokenKind } from "./token.ts";

export interface Lexed {
  /** Ends with an `end` token. */
  readonly tokens: readonly Token[];
  readonly diagnostics: readonly Diagnostic[];
}

export function tokenize(source: SourceText): Lexed {
  const lexer = new Lexer(source);
  const tokens = lexer.read(undefined);
  return { tokens, diagnostics: lexer.diagnostics };
}

/** Strings in expressions in strings. */
const deepestStrings = 40;

/** Longest first. `>>` is two tokens, since it closes type arguments, too. */
const operators = [
  ">>>=",
  "==~",
  "===",
  "!==",
  "<=>",
  "**=",
  "<<=",
  ">>=",
  "..<",
  "...",
  "??.",
  "?.",
  "*.",
  ".&",
  ".@",
  "..",
  "?:",
  "?=",
  "->",
  "==",
  "!=",
  "=~",
  "<=",
  ">=",
  "&&",
  "||",
  "++",
  "--",
  "+=",
  "-=",
  "*=",
  "/=",
  "%=",
  "&=",
  "|=",
  "^=",
  "**",
  "<<",
  ..."+-*/%<>=!~?:.,;(){}[]&|^@",
];
const byFirst = new Map<string, readonly string[]>();
for (const operator of operators) {
  const first = operator[0] ?? "";
  byFirst.set(first, [...(byFirst.get(first) ?? []), operator]);
}

/** Words that an operand follows: a slash after them starts a string. */
const beforeOperand = new Set(["return", "in", "assert", "throw", "case", "else", "instanceof", "as", "new"]);

class Lexer {
  readonly diagnostics: Diagnostic[] = [];
  readonly #source: SourceText;
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(source: SourceText) {
    this.#source = source;
    this.#text = source.text;
    if (this.#text.charCodeAt(0) === 0xfeff) this.#at = 1;
    if (this.#text.startsWith("#!", this.#at)) this.#skipLine();
  }

  /** Reads to the end of the text, or to the `}` that closes an expression in a string. */
  read(inString: "in a string" | undefined): readonly Token[] {
    const tokens: Token[] = [];
    const open: string[] = [];
    let previous: Token | undefined;
    for (;;) {
      const before = this.#at;
      const newline = this.#skipBlank();
      const top = open.at(-1);
      const common = { newline: newline && top !== "(" && top !== "[", space: this.#at > before };
      if (this.#at >= this.#text.length) {
        tokens.push({ kind: "end", text: "", start: this.#at, end: this.#at, ...common });
        return tokens;
      }
      const code = this.#text[this.#at] ?? "";
      if (code === "}" && open.length === 0 && inString !== undefined) {
        tokens.push({ kind: "end", text: "}", start: this.#at, end: this.#at + 1, ...common });
        this.#at++;
        return tokens;
      }
      const token = this.#token(code, previous, common);
      if (token.kind === "op") {
        if (token.text === "(" || token.text === "[" || token.text === "{") open.push(token.text);
        else if (token.text === ")" || token.text === "]" || token.text === "}") open.pop();
      }
      tokens.push(token);
      previous = token;
    }
  }

  #token(code: string, previous: Token | undefined, common: Common): Token {
    const start = this.#at;
    if (isNameStart(code) || (code === "$" && isNameStart(this.#text[start + 1]))) {
      const end = this.#endOfName(start + 1);
      this.#at = end;
      const text = this.#text.slice(start, end);
      return { kind: "name", text, start, end, ...common };
    }
    if (isDigit(code) || (code === "." && isDigit(this.#text[start + 1]) && !endsOperand(previous)))
      return this.#number(common);
    if (code === "'" || code === '"') {
      const triple = code === "'" ? "'''" : '"""';
      return this.#string(this.#text.startsWith(triple, start) ? triple : code, common);
    }
    if (code === "/" && (common.newline || !endsOperand(previous))) return this.#string("/", common);
    if (code === "$" && this.#text[start + 1] === "/" && !endsOperand(previous))
      return this.#string("$/", common);
    if (code === "!") {
      const word = /^!(instanceof|in)\b/.exec(this.#text.slice(start, start + 12));
      if (word !== null) return this.#made("op", word[0], common);
    }
    const operator = (byFirst.get(code) ?? []).find((each) => this.#text.startsWith(each, start));
    if (operator === undefined)
      return this.#made("bad", String.fromCodePoint(this.#text.codePointAt(start) ?? 0), common);
    return this.#made("op", operator, common);
  }

  #made(kind: TokenKind, text: string, common: Common): Token {
    const start = this.#at;
    this.#at += text.length;
    return { kind, text, start, end: this.#at, ...common };
  }

  /** `0x1f`, `1_000`, `12L`, `1.5e-3d`; `1.GB` and `1..3` are a 1 and what follows. */
  #number(common: Common): Token {
    const rest = this.#text.slice(this.#at, this.#at + 400);
    const found =
      /^0[xX][0-9a-fA-F_]+[lLgGiI]?/.exec(rest) ??
      /^0[bB][01_]+[lLgGiI]?/.exec(rest) ??
      /^(?:[0-9][0-9_]*)?\.[0-9][0-9_]*(?:[eE][+-]?[0-9]+)?[fFdDgG]?/.exec(rest) ??
      /^[0-9][0-9_]*[eE][+-]?[0-9]+[fFdDgG]?/.exec(rest) ??
      /^[0-9][0-9_]*(?:[lLgGiI]|[fFdD])?/.exec(rest);
    const text = found?.[0] ?? rest.slice(0, 1);
    if (!isNamePart(this.#text[this.#at + text.length])) return this.#made("number", text, common);
    // `12px`: one bad word.
    const end = this.#endOfName(this.#at + text.length);
    return this.#made("bad", this.#text.slice(this.#at, end), common);
  }

  #endOfName(from: number): number {
    nameParts.lastIndex = from;
    return nameParts.test(this.#text) ? nameParts.lastIndex : from;
  }

  #string(quote: Quote, common: Common): Token {
    const start = this.#at;
    this.#at += quote.length;
    const closing = quote === "$/" ? "/$" : quote;
    const parts: StringPart[] = [];
    let text = "";
    const flush = () => {
      if (text !== "") parts.push({ kind: "text", text });
      text = "";
    };
    const embeds = quote !== "'" && quote !== "'''";
    for (;;) {
      if (
        this.#at >= this.#text.length ||
        (this.#text[this.#at] === "\n" && quote.length === 1 && quote !== "/")
      ) {
        this.#report(wrong.unclosedString, start, start + quote.length);
        break;
      }
      if (this.#text.startsWith(closing, this.#at)) {
        this.#at += closing.length;
        break;
      }
      const code = this.#text[this.#at] ?? "";
      if (code === "\\" && quote !== "$/") {
        text += this.#escape(quote);
        continue;
      }
      if (code === "$" && quote === "$/" && /^\$[$/]/.test(this.#text.slice(this.#at, this.#at + 2))) {
        text += this.#text[this.#at + 1] ?? "";
        this.#at += 2;
        continue;
      }
      if (code === "$" && embeds) {
        const part = this.#embedded();
        if (part !== undefined) {
          flush();
          parts.push(part);
          continue;
        }
      }
      // All up to what may mean something, at once: this may be a dollar that is one.
      plainText.lastIndex = this.#at + 1;
      const end = plainText.test(this.#text) ? plainText.lastIndex : this.#at + 1;
      text += this.#text.slice(this.#at, end);
      this.#at = end;
    }
    const place = { text: quote, start, end: this.#at, quote, ...common };
    if (parts.length === 0) return { kind: "string", value: text, ...place };
    flush();
    return { kind: "gstring", parts, ...place };
  }

  /** `${…}` or `$a.b`; undefined: the dollar is a dollar. */
  #embedded(): StringPart | undefined {
    const start = this.#at;
    if (this.#text[start + 1] === "{") {
      if (this.#depth >= deepestStrings) {
        this.#report(wrong.tooDeep, start, start + 2);
        this.#at = this.#text.length;
        return undefined;
      }
      this.#at += 2;
      this.#depth++;
      const tokens = this.read("in a string");
      this.#depth--;
      return { kind: "code", tokens, start, end: this.#at };
    }
    const found =
      /^\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*(?:\.[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)*)/.exec(
        this.#text.slice(start, start + 400),
      );
    if (found?.[1] === undefined) return undefined;
    this.#at += found[0].length;
    return { kind: "path", names: found[1].split("."), start, end: this.#at };
  }

  #escape(quote: Quote): string {
    const start = this.#at;
    const next = this.#text[start + 1] ?? "";
    if (next === "") {
      // The text ends: that the string is not closed is said elsewhere.
      this.#at++;
      return "\\";
    }
    this.#at += 2;
    if (quote === "/") {
      if (next === "/") return "/";
      if (next === "\n") return "\\\n";
      this.#at--;
      return "\\";
    }
    const simple = simpleEscapes[next];
    if (simple !== undefined) return simple;
    if (next === "\n") return "";
    if (next === "\r" && this.#text[this.#at] === "\n") {
      this.#at++;
      return "";
    }
    if (next === "u") {
      const hex = /^u+([0-9a-fA-F]{4})/.exec(this.#text.slice(start + 1, start + 20));
      if (hex?.[1] !== undefined) {
        this.#at = start + 1 + hex[0].length;
        return String.fromCharCode(Number.parseInt(hex[1], 16));
      }
    }
    const octal = /^[0-3]?[0-7]{1,2}/.exec(this.#text.slice(start + 1, start + 4));
    if (octal !== null) {
      this.#at = start + 1 + octal[0].length;
      return String.fromCharCode(Number.parseInt(octal[0], 8));
    }
    this.diagnostics.push(
      wrong.badEscape({ source: this.#source, span: { start, end: start + 2 } }, `\\${next}`),
    );
    return next;
  }

  /** White space and comments; answers whether there was a line break. */
  #skipBlank(): boolean {
    let newline = false;
    for (;;) {
      blanks.lastIndex = this.#at;
      if (blanks.test(this.#text)) this.#at = blanks.lastIndex;
      const code = this.#text[this.#at];
      if (code === "\n") {
        newline = true;
        this.#at++;
      } else if (code === "\\" && /^\\\r?\n/.test(this.#text.slice(this.#at, this.#at + 3))) {
        this.#at = this.#text.indexOf("\n", this.#at) + 1;
      } else if (code === "/" && this.#text[this.#at + 1] === "/") this.#skipLine();
      else if (code === "/" && this.#text[this.#at + 1] === "*") {
        const end = this.#text.indexOf("*/", this.#at + 2);
        if (end < 0) this.#report(wrong.unclosedComment, this.#at, this.#at + 2);
        const to = end < 0 ? this.#text.length : end + 2;
        if (this.#text.slice(this.#at, to).includes("\n")) newline = true;
        this.#at = to;
      } else return newline;
    }
  }

  #skipLine(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #report(make: (place: wrong.Place) => Diagnostic, start: number, end: number): void {
    this.diagnostics.push(make({ source: this.#source, span: { start, end } }));
  }
}

interface Common {
  readonly newline: boolean;
  readonly space: boolean;
}

const simpleEscapes: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  s: " ",
  '"': '"',
  "'": "'",
  "\\": "\\",
  $: "$",
};

/** Whether a slash after this token divides. */
function endsOperand(token: Token | undefined): boolean {
  if (token === undefined) return false;
  switch (token.kind) {
    case "name":
      return !beforeOperand.has(token.text);
    case "number":
    case "string":
    case "gstring":
      return true;
    case "op":
      return (
        token.text === ")" ||
        token.text === "]" ||
        token.text === "}" ||
        token.text === "++" ||
        token.text === "--"
      );
    default:
      return false;
  }
}

// Sticky: they look at the place that is set, and no further.
const nameParts = /[\w$\u0080-\uffff]+/y;
const blanks = /[ \t\r\f\u00a0]+/y;
const plainText = /[^'"/\\\n$]+/y;

function isNameStart(code: string | undefined): boolean {
  return code !== undefined && /[A-Za-z_\u0080-\uffff]/.test(code) && code !== "\u00a0";
}

function isNamePart(code: string | undefined): boolean {
  return code !== undefined && /[\w$\u0080-\uffff]/.test(code);
}

function isDigit(code: string | undefined): boolean {
  return code !== undefined && code >= "0" && code <= "9";
}
