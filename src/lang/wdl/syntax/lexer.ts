/**
 * The lexer's main mode: everything but the insides of strings and commands, which `text.ts` reads because they embed
 * expressions. Tokens are made on demand, one at a time, so that the parser decides the mode.
 */
export type TokenKind =
  | "name"
  | "int"
  | "float"
  /** `"` or `'`: the token is the opening quote alone. */
  | "quote"
  /** The opening of a multi-line string or a heredoc command. */
  | "<<<"
  /** Their end, met where an expression is read: a placeholder was not closed. */
  | ">>>"
  | Punctuation
  | "bad"
  | "end";

export type Punctuation =
  | "{"
  | "}"
  | "("
  | ")"
  | "["
  | "]"
  | ","
  | ":"
  | "."
  | "="
  | "?"
  | "!"
  | "+"
  | "-"
  | "*"
  | "**"
  | "/"
  | "%"
  | "||"
  | "&&"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">=";

/** Mutable on purpose: one per document, filled again for every token. */
export interface Token {
  kind: TokenKind;
  start: number;
  end: number;
  /** Whether a line break stands between this token and the one before: where recovery may start again. */
  newlineBefore: boolean;
}

const tab = 9;
const newline = 10;
const carriageReturn = 13;
const space = 32;
const hash = 35;

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function isHexDigit(code: number): boolean {
  return isDigit(code) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70);
}

function isNameStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

function isNamePart(code: number): boolean {
  return isNameStart(code) || isDigit(code);
}

/** Reads the token at or after `from` into `token`. Never fails: what fits nothing is a `bad` token of one character. */
export function readToken(text: string, from: number, token: Token): void {
  let at = from;
  token.newlineBefore = false;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === space || code === tab || code === carriageReturn) at++;
    else if (code === newline) {
      token.newlineBefore = true;
      at++;
    } else if (code === hash) {
      const lineEnd = text.indexOf("\n", at);
      at = lineEnd < 0 ? text.length : lineEnd;
    } else if (code === 0xfeff && at === 0) at++;
    else break;
  }
  token.start = at;
  if (at >= text.length) {
    token.kind = "end";
    token.end = at;
    return;
  }
  const code = text.charCodeAt(at);
  if (isNameStart(code)) {
    let end = at + 1;
    while (isNamePart(text.charCodeAt(end))) end++;
    token.kind = "name";
    token.end = end;
  } else if (isDigit(code) || (code === 46 && isDigit(text.charCodeAt(at + 1)))) readNumber(text, token);
  else readPunctuation(text, code, token);
}

/** `0x1f`, `017`, `12`, `1.`, `.5`, `1.5e-3` */
function readNumber(text: string, token: Token): void {
  let end = token.start;
  token.kind = "int";
  if (
    text.charCodeAt(end) === 48 &&
    (text.charCodeAt(end + 1) | 32) === 120 &&
    isHexDigit(text.charCodeAt(end + 2))
  ) {
    end += 2;
    while (isHexDigit(text.charCodeAt(end))) end++;
    token.end = endOfWord(text, end);
    return;
  }
  while (isDigit(text.charCodeAt(end))) end++;
  if (text.charCodeAt(end) === 46) {
    token.kind = "float";
    end++;
    while (isDigit(text.charCodeAt(end))) end++;
  }
  if ((text.charCodeAt(end) | 32) === 101) {
    let exponent = end + 1;
    const sign = text.charCodeAt(exponent);
    if (sign === 43 || sign === 45) exponent++;
    if (isDigit(text.charCodeAt(exponent))) {
      token.kind = "float";
      end = exponent;
      while (isDigit(text.charCodeAt(end))) end++;
    }
  }
  token.end = endOfWord(text, end);
}

/** `12px` is one broken number and not a number next to a name. */
function endOfWord(text: string, from: number): number {
  let end = from;
  while (isNamePart(text.charCodeAt(end))) end++;
  return end;
}

function readPunctuation(text: string, code: number, token: Token): void {
  const at = token.start;
  token.kind = punctuation(text, at, code);
  if (token.kind === "quote") token.end = at + 1;
  // A whole code point, so that a message never shows half a character.
  else if (token.kind === "bad") token.end = at + (code >= 0xd800 && code <= 0xdbff ? 2 : 1);
  else token.end = at + token.kind.length;
}

function punctuation(text: string, at: number, code: number): TokenKind {
  const following = text.charCodeAt(at + 1);
  switch (code) {
    case 34:
    case 39:
      return "quote";
    case 123:
      return "{";
    case 125:
      return "}";
    case 40:
      return "(";
    case 41:
      return ")";
    case 91:
      return "[";
    case 93:
      return "]";
    case 44:
      return ",";
    case 58:
      return ":";
    case 46:
      return ".";
    case 63:
      return "?";
    case 43:
      return "+";
    case 45:
      return "-";
    case 47:
      return "/";
    case 37:
      return "%";
    case 42:
      return following === 42 ? "**" : "*";
    case 61:
      return following === 61 ? "==" : "=";
    case 33:
      return following === 61 ? "!=" : "!";
    case 62:
      if (following === 62 && text.charCodeAt(at + 2) === 62) return ">>>";
      return following === 61 ? ">=" : ">";
    case 60:
      if (following === 60 && text.charCodeAt(at + 2) === 60) return "<<<";
      return following === 61 ? "<=" : "<";
    case 124:
      return following === 124 ? "||" : "bad";
    case 38:
      return following === 38 ? "&&" : "bad";
    default:
      return "bad";
  }
}
