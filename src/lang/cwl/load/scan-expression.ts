/**
 * Takes a text apart into literals, parameter references and JavaScript. The scanner knows enough of JavaScript to find
 * the closing bracket: nested brackets, quotes, template literals, comments and regular expressions.
 */
import type { Expr, ExprPart, RefPart, RefSegment } from "../model/expression.ts";
import type { Place } from "../model/place.ts";
import { atLeast, type CwlVersion } from "../model/version.ts";

export type Scanned =
  | { readonly kind: "expr"; readonly expr: Expr }
  /** `at` is an offset into the text. */
  | { readonly kind: "open"; readonly at: number; readonly expr: Expr };

/** Never throws. `open`: an expression begins at `at` and does not end; it stays literal text. */
export function scanExpression(text: string, version: CwlVersion, place: Place): Scanned {
  const plain = !text.includes("$(") && !text.includes("${");
  if (plain) {
    // Without any expression a backslash is a backslash.
    const parts: ExprPart[] = text === "" ? [] : [{ kind: "literal", text }];
    return { kind: "expr", expr: { text, parts, sole: false, place } };
  }
  const parts: ExprPart[] = [];
  let literal = "";
  let at = 0;
  let open: number | undefined;
  while (at < text.length) {
    const character = text[at] ?? "";
    const next = text[at + 1];
    if (character === "\\") {
      const [kept, width] = escaped(text, at, version);
      literal += kept;
      at += width;
    } else if (character === "$" && (next === "(" || next === "{")) {
      const end = closingBracket(text, at + 1);
      if (end === undefined) {
        open ??= at;
        literal += character;
        at++;
        continue;
      }
      if (literal !== "") parts.push({ kind: "literal", text: literal });
      literal = "";
      const code = text.slice(at + 2, end);
      parts.push(next === "(" ? (parseReference(code) ?? js("expression", code)) : js("body", code));
      at = end + 1;
    } else {
      literal += character;
      at++;
    }
  }
  if (literal !== "") parts.push({ kind: "literal", text: literal });
  const active = parts.filter((part) => part.kind !== "literal");
  const sole =
    active.length === 1 && parts.every((part) => part.kind !== "literal" || part.text.trim() === "");
  const expr: Expr = { text, parts, sole, place };
  return open === undefined ? { kind: "expr", expr } : { kind: "open", at: open, expr };
}

function js(form: "expression" | "body", code: string): ExprPart {
  return { kind: "js", form, code };
}

/** v1.0 and v1.1: a backslash protects whatever follows. v1.2: `\$(`, `\${` and `\\` only. */
function escaped(text: string, at: number, version: CwlVersion): readonly [string, number] {
  const next = text[at + 1];
  if (next === undefined) return ["\\", 1];
  if (!atLeast(version, "v1.2")) return [next, 2];
  if (next === "\\") return ["\\", 2];
  if (next === "$" && /[({]/.test(text[at + 2] ?? "")) return [`$${text[at + 2]}`, 3];
  return ["\\", 1];
}

const closers: Readonly<Record<string, string>> = { "(": ")", "{": "}", "[": "]" };

/** The offset of the bracket that closes the one at `start`; undefined = there is none. */
export function closingBracket(text: string, start: number): number | undefined {
  const stack: string[] = [];
  /** Whether a `/` here would divide (after a value) or begin a regular expression. */
  let afterValue = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? "";
    switch (character) {
      case "(":
      case "{":
      case "[":
        stack.push(closers[character] ?? "");
        afterValue = false;
        continue;
      case ")":
      case "}":
      case "]": {
        if (stack.pop() !== character) return undefined;
        if (stack.length === 0) return at;
        afterValue = character !== "}";
        continue;
      }
      case '"':
      case "'":
      case "`": {
        const end = closingQuote(text, at, character);
        if (end === undefined) return undefined;
        at = end;
        afterValue = true;
        continue;
      }
      case "/": {
        const end = slash(text, at, afterValue);
        if (end === undefined) return undefined;
        if (end.kind === "regex") afterValue = true;
        else if (end.kind === "operator") afterValue = false;
        at = end.at;
        continue;
      }
      default:
    }
    if (/\s/.test(character)) continue;
    const word = /^[\p{ID_Continue}$]+/u.exec(text.slice(at, at + 64))?.[0];
    if (word === undefined) {
      afterValue = false;
      continue;
    }
    at += word.length - 1;
    afterValue = !/^(?:return|typeof|case|in|of|delete|void|throw|new|else|do|instanceof)$/.test(word);
  }
  return undefined;
}

/** A comment, a regular expression or a division; `at` is its last character. undefined = it does not end. */
function slash(
  text: string,
  at: number,
  afterValue: boolean,
): { readonly kind: "comment" | "regex" | "operator"; readonly at: number } | undefined {
  const next = text[at + 1];
  if (next === "/") {
    const end = text.indexOf("\n", at);
    return { kind: "comment", at: end < 0 ? text.length - 1 : end };
  }
  if (next === "*") {
    const end = text.indexOf("*/", at + 2);
    return end < 0 ? undefined : { kind: "comment", at: end + 1 };
  }
  if (afterValue) return { kind: "operator", at };
  let inClass = false;
  for (let each = at + 1; each < text.length; each++) {
    const character = text[each];
    if (character === "\\") each++;
    else if (character === "\n") return { kind: "operator", at };
    else if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    else if (character === "/" && !inClass) return { kind: "regex", at: each };
  }
  return { kind: "operator", at };
}

function closingQuote(text: string, start: number, quote: string): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at];
    if (character === "\\") at++;
    else if (character === quote) return at;
    else if (quote === "`" && character === "$" && text[at + 1] === "{") {
      const end = closingBracket(text, at + 1);
      if (end === undefined) return undefined;
      at = end;
    }
  }
  return undefined;
}

/** `inputs.reads[0].basename`, `self["a b"]`, `runtime.cores`; undefined = it is not a parameter reference. */
export function parseReference(code: string): RefPart | undefined {
  const text = code.trim();
  const root = /^[\p{L}\p{N}_]+/u.exec(text)?.[0];
  if (root === undefined || /^\p{N}/u.test(root)) return undefined;
  const path: RefSegment[] = [];
  let at = root.length;
  while (at < text.length) {
    const rest = text.slice(at);
    const found =
      /^\.([\p{L}\p{N}_]+)/u.exec(rest) ??
      /^\['((?:[^'\\]|\\.)*)'\]/.exec(rest) ??
      /^\["((?:[^"\\]|\\.)*)"\]/.exec(rest);
    const index = /^\[([0-9]+)\]/.exec(rest);
    if (index?.[1] !== undefined) {
      path.push({ kind: "index", index: Number(index[1]) });
      at += index[0].length;
    } else if (found?.[1] !== undefined) {
      const name = rest.startsWith(".") ? found[1] : found[1].replace(/\\(.)/g, "$1");
      path.push({ kind: "name", name });
      at += found[0].length;
    } else return undefined;
  }
  return { kind: "ref", text, root, path };
}
