/** Escape sequences of string literals. https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#strings */
import type { Cursor } from "./cursor.ts";
import * as wrong from "./diagnostics.ts";
import { isHexDigit } from "./lexer.ts";

const simple: Readonly<Record<string, string>> = {
  "\\": "\\",
  n: "\n",
  r: "\r",
  t: "\t",
  "'": "'",
  '"': '"',
  "~": "~",
  $: "$",
  // In multi-line strings, where three of them end the text.
  ">": ">",
};

/** Reads the escape whose backslash is at `at`; answers its text and where it ends. */
export function readEscape(c: Cursor, at: number): { readonly text: string; readonly end: number } {
  const letter = c.text[at + 1] ?? "";
  const plain = simple[letter];
  if (plain !== undefined) return { text: plain, end: at + 2 };
  switch (letter) {
    case "x":
      return readHex(c, at, 2);
    case "u":
      return readHex(c, at, 4);
    case "U":
      return readHex(c, at, 8);
    default: {
      const octal = /^[0-7]{3}$/.test(c.text.slice(at + 1, at + 4));
      if (octal)
        return { text: String.fromCodePoint(Number.parseInt(c.text.slice(at + 1, at + 4), 8)), end: at + 4 };
      return bad(c, at, letter === "" || letter === "\n" ? at + 1 : at + 2);
    }
  }
}

function readHex(c: Cursor, at: number, digits: number): { text: string; end: number } {
  let end = at + 2;
  while (end < at + 2 + digits && isHexDigit(c.text.charCodeAt(end))) end++;
  const value = Number.parseInt(c.text.slice(at + 2, end), 16);
  if (end !== at + 2 + digits || value > 0x10ffff) return bad(c, at, end);
  return { text: String.fromCodePoint(value), end };
}

/** Reported, and kept as it is written: that is what the regular expressions of older documents mean by `\.`. */
function bad(c: Cursor, at: number, end: number): { text: string; end: number } {
  const written = c.text.slice(at, end);
  c.report(wrong.badEscape(c.place({ start: at, end }), written));
  return { text: written, end };
}
