/**
 * Removes common leading whitespace from multi-line strings and commands, before anything is evaluated: what a
 * placeholder will print never counts.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#multi-line-strings
 */
import type { StringPart } from "./ast.ts";

export interface Dedented {
  readonly parts: readonly StringPart[];
  /** Whether the removed whitespace had both tabs and spaces. */
  readonly mixedIndent: boolean;
}

/** Texts are raw (escapes not yet resolved) with `\n` line breaks. */
export function dedent(raw: readonly StringPart[]): Dedented {
  const parts = trimEnds(raw);
  const lines = measure(parts);
  const common = lines.reduce((least, line) => Math.min(least, line.length), Number.POSITIVE_INFINITY);
  if (common === 0 || common === Number.POSITIVE_INFINITY) return { parts, mixedIndent: false };
  const removed = lines.map((line) => line.slice(0, common));
  return {
    parts: parts.map((part, index) =>
      part.kind === "text" ? { ...part, text: strip(part.text, common, index === 0) } : part,
    ),
    mixedIndent: removed.some((prefix) => prefix !== removed[0]) && new Set(removed.join("")).size > 1,
  };
}

/** The opening loses whitespace up to and with the first line break, the end from the last line break on. */
function trimEnds(raw: readonly StringPart[]): StringPart[] {
  const parts = [...raw];
  const first = parts[0];
  if (first?.kind === "text") parts[0] = { ...first, text: first.text.replace(/^[ \t]*\n?/, "") };
  const last = parts.at(-1);
  if (last?.kind === "text") {
    const at = trailing(last.text);
    parts[parts.length - 1] = { ...last, text: last.text.slice(0, at) };
  }
  return parts;
}

/** A loop and no regular expression: `\s*$` is quadratic in hostile text. */
function trailing(text: string): number {
  let at = text.length;
  while (at > 0 && (text[at - 1] === " " || text[at - 1] === "\t")) at--;
  return at > 0 && text[at - 1] === "\n" ? at - 1 : at;
}

/** The leading whitespace of every line that is not blank. */
function measure(parts: readonly StringPart[]): string[] {
  const found: string[] = [];
  let indent: string | undefined = "";
  for (const part of parts) {
    if (part.kind === "placeholder") {
      if (indent !== undefined) found.push(indent);
      indent = undefined;
      continue;
    }
    const lines = part.text.split("\n");
    for (const [index, line] of lines.entries()) {
      if (index > 0) indent = "";
      if (indent === undefined) continue;
      const width = leading(line);
      indent += line.slice(0, width);
      if (width < line.length) {
        found.push(indent);
        indent = undefined;
      }
    }
  }
  return found;
}

function leading(line: string): number {
  let at = 0;
  while (at < line.length && (line[at] === " " || line[at] === "\t")) at++;
  return at;
}

function strip(text: string, common: number, startsLine: boolean): string {
  return text
    .split("\n")
    .map((line, index) => (index === 0 && !startsLine ? line : line.slice(Math.min(common, leading(line)))))
    .join("\n");
}
