/** Error recovery: where to continue reading after something could not be read. */
import type { Cursor } from "./cursor.ts";
import * as wrong from "./diagnostics.ts";

/** Words that, at the start of a line, begin something new whatever brackets are still open. */
const strong: ReadonlySet<string> = new Set([
  "Array",
  "Boolean",
  "Directory",
  "File",
  "Float",
  "Int",
  "Map",
  "Object",
  "Pair",
  "String",
  "call",
  "command",
  "enum",
  "hints",
  "import",
  "meta",
  "output",
  "parameter_meta",
  "requirements",
  "runtime",
  "scatter",
  "struct",
  "task",
  "workflow",
]);

function atStrongStart(c: Cursor): boolean {
  return c.newlineBefore && c.at("name") && strong.has(c.word);
}

/** Skips one token, the whole of it when it opens a string or a heredoc. */
function skipToken(c: Cursor): void {
  if (c.at("quote")) c.seek(endOfString(c));
  else if (c.at("<<<")) {
    const end = c.text.indexOf(">>>", c.end);
    c.seek(end < 0 ? c.text.length : end + 3);
  } else c.next();
}

function endOfString(c: Cursor): number {
  const quote = c.word;
  for (let at = c.end; at < c.text.length; at++) {
    const character = c.text[at];
    if (character === "\\") at++;
    else if (character === "\n") return at;
    else if (character === quote) return at + 1;
  }
  return c.text.length;
}

/** Skips to the `kind` that closes the bracket we are in, and takes it; stops before what belongs to someone else. */
export function skipToClose(c: Cursor, kind: "}" | ")" | "]"): void {
  let depth = 0;
  while (!c.at("end")) {
    if (depth === 0 && c.at(kind)) {
      c.next();
      return;
    }
    if (kind !== "}" && atStrongStart(c)) return;
    if (c.at("{") || c.at("(") || c.at("[")) depth++;
    else if (c.at("}") || c.at(")") || c.at("]")) {
      if (depth === 0) return;
      depth--;
    }
    skipToken(c);
  }
}

/** Skips `{ … }`, both braces included. */
export function skipBlock(c: Cursor): void {
  c.next();
  skipToClose(c, "}");
}

/**
 * Skips to the next thing of a braced section: a `}` that closes it, or a word at the start of a line. `before` is
 * where the broken thing began; when nothing was read since, one token is skipped so that there is always progress.
 */
export function skipToNext(c: Cursor, before: number): void {
  if (c.start === before && !c.at("}") && !c.at("end")) skipToken(c);
  let depth = 0;
  while (!c.at("end")) {
    if (atStrongStart(c)) return;
    if (depth === 0 && (c.at("}") || (c.newlineBefore && c.at("name")))) return;
    if (c.at("{")) depth++;
    else if (c.at("}")) depth--;
    skipToken(c);
  }
}

/** Whether the current token is what other languages put between things: `;` or `,`. */
export function atSeparator(c: Cursor): boolean {
  return c.at(",") || (c.at("bad") && c.word === ";");
}

/** Takes separators. The first of a block is reported: who writes one writes one after everything. */
export function skipSeparators(c: Cursor, seen: "none" | "some", what: string): "none" | "some" {
  if (!atSeparator(c)) return seen;
  if (seen === "none") c.report(wrong.separator(c.place(c.span), c.word, what));
  while (atSeparator(c)) c.next();
  return "some";
}

/** At the top of a document: skips to the next word that begins an element. */
export function skipToElement(c: Cursor): void {
  do skipToken(c);
  while (
    !c.at("end") &&
    !(
      c.newlineBefore &&
      ["import", "task", "workflow", "struct", "enum", "version"].some((word) => c.atWord(word))
    )
  );
}
