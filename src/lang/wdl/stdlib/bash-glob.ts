/**
 * Bash's brace and pathname expansion over an abstract tree. Names come in the order of the C locale, braces in the
 * order they are written, exactly as `echo <pattern>` shows them in a container.
 */
import { bytesOfText } from "../../../kernel/index.ts";
import { andThen, type MaybePromise, mapInOrder } from "../values/maybe-promise.ts";

/** Names directly below a folder (relative to the root of the search; "" is the root itself); undefined = no folder. */
export type ListFolder = (
  folder: string,
) => MaybePromise<readonly { readonly name: string; readonly kind: "file" | "directory" }[] | undefined>;

export interface GlobSearch {
  readonly list: ListFolder;
  /** Whether a path without wildcards is there, and what it is. */
  readonly stat: (path: string) => MaybePromise<"file" | "directory" | undefined>;
}

/** Paths of files that match, as Bash would write them. Folders are left out. */
export function expandGlob(pattern: string, search: GlobSearch): MaybePromise<string[]> {
  const found = mapInOrder(expandBraces(pattern), (word) => expandWord(word, search));
  return andThen(found, (lists) => lists.flat());
}

/** `a{b,c}d{1..3}`: all combinations in order. A brace without comma or range stays as it is. */
export function expandBraces(pattern: string): string[] {
  for (let open = 0; open < pattern.length; open++) {
    if (pattern[open] === "\\") {
      open++;
      continue;
    }
    if (pattern[open] !== "{") continue;
    const parts = braceParts(pattern, open);
    if (parts === undefined) continue;
    const before = pattern.slice(0, open);
    const tails = expandBraces(pattern.slice(parts.end));
    return parts.choices
      .flatMap((choice) => expandBraces(choice))
      .flatMap((choice) => tails.map((tail) => before + choice + tail));
  }
  return [pattern];
}

function braceParts(
  pattern: string,
  open: number,
): { readonly choices: readonly string[]; readonly end: number } | undefined {
  const choices: string[] = [];
  let depth = 0;
  let from = open + 1;
  for (let at = open; at < pattern.length; at++) {
    const char = pattern[at];
    if (char === "\\") at++;
    else if (char === "{") depth++;
    else if (char === "," && depth === 1) {
      choices.push(pattern.slice(from, at));
      from = at + 1;
    } else if (char === "}" && --depth === 0) {
      if (choices.length > 0) return { choices: [...choices, pattern.slice(from, at)], end: at + 1 };
      const range = rangeOf(pattern.slice(from, at));
      return range && { choices: range, end: at + 1 };
    }
  }
  return undefined;
}

const longestRange = 100_000;

function rangeOf(text: string): string[] | undefined {
  const numbers = /^(-?[0-9]+)\.\.(-?[0-9]+)(?:\.\.(-?[0-9]+))?$/.exec(text);
  if (numbers !== null) {
    const [from, to] = [Number(numbers[1]), Number(numbers[2])];
    const step = Math.max(1, Math.abs(Number(numbers[3] ?? 1)));
    if (Math.abs(to - from) / step > longestRange) return undefined;
    const padded = /^-?0[0-9]/.test(numbers[1] ?? "") || /^-?0[0-9]/.test(numbers[2] ?? "");
    const width = padded ? Math.max(numbers[1]?.length ?? 0, numbers[2]?.length ?? 0) : 0;
    return steps(from, to, step).map((n) =>
      n < 0 ? `-${String(-n).padStart(width - 1, "0")}` : String(n).padStart(width, "0"),
    );
  }
  const letters = /^([A-Za-z])\.\.([A-Za-z])(?:\.\.(-?[0-9]+))?$/.exec(text);
  if (letters === null) return undefined;
  const step = Math.max(1, Math.abs(Number(letters[3] ?? 1)));
  return steps(letters[1]?.charCodeAt(0) ?? 0, letters[2]?.charCodeAt(0) ?? 0, step).map((code) =>
    String.fromCharCode(code),
  );
}

function steps(from: number, to: number, step: number): number[] {
  const found: number[] = [];
  if (from <= to) for (let n = from; n <= to; n += step) found.push(n);
  else for (let n = from; n >= to; n -= step) found.push(n);
  return found;
}

function expandWord(word: string, search: GlobSearch): MaybePromise<string[]> {
  // With a slash at its end a pattern names folders only.
  if (word.endsWith("/")) return [];
  const absolute = word.startsWith("/");
  const segments = word.split("/").filter((segment) => segment !== "");
  if (segments.length === 0) return [];
  return andThen(walk(absolute ? "/" : "", segments, search), (paths) => paths);
}

function walk(prefix: string, segments: readonly string[], search: GlobSearch): MaybePromise<string[]> {
  const [segment, ...rest] = segments;
  if (segment === undefined) return [];
  const last = rest.length === 0;
  if (!/[*?[]/.test(segment.replace(/\\./g, ""))) {
    const path = prefix + segment.replace(/\\(.)/g, "$1");
    if (!last) return walk(`${path}/`, rest, search);
    return andThen(search.stat(path), (kind) => (kind === "file" ? [path] : []));
  }
  const matches = segmentMatcher(segment);
  const folder = prefix === "/" ? "/" : prefix.replace(/\/$/, "");
  return andThen(search.list(folder), (listed) => {
    const names = (listed ?? []).filter(
      (entry) =>
        matches(entry.name) && (!last || entry.kind === "file") && (last || entry.kind === "directory"),
    );
    names.sort((a, b) => Buffer.compare(bytesOfText(a.name), bytesOfText(b.name)));
    if (last) return names.map((entry) => prefix + entry.name);
    return andThen(
      mapInOrder(names, (entry) => walk(`${prefix}${entry.name}/`, rest, search)),
      (lists) => lists.flat(),
    );
  });
}

/** One path segment: `*`, `?`, `[…]`, backslash. Names with a leading dot match only a pattern with one. */
export function segmentMatcher(segment: string): (name: string) => boolean {
  let source = "";
  for (let at = 0; at < segment.length; at++) {
    const char = segment.charAt(at);
    const bracket = char === "[" ? /^\[([!^]?)(\]?(?:\[:[a-z]+:\]|[^\]])*)\]/.exec(segment.slice(at)) : null;
    if (char === "\\" && at + 1 < segment.length) source += literal(segment.charAt(++at));
    else if (char === "*") source += "[^]*";
    else if (char === "?") source += "[^]";
    else if (bracket !== null) {
      source += `[${bracket[1] === "" ? "" : "^"}${bracketBody(bracket[2] ?? "")}]`;
      at += bracket[0].length - 1;
    } else source += literal(char);
  }
  const regex = safeRegExp(`^${source}$`);
  const dotted = segment.startsWith(".") || segment.startsWith("\\.");
  return (name) => (dotted || !name.startsWith(".")) && regex !== undefined && regex.test(name);
}

function safeRegExp(source: string): RegExp | undefined {
  try {
    return new RegExp(source, "u");
  } catch {
    // A range such as [z-a]: Bash matches nothing with it.
    return undefined;
  }
}

const bracketClasses: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  blank: " \\t",
  digit: "0-9",
  lower: "a-z",
  punct: "!-\\/:-@\\[-`\\{-~",
  space: " \\t\\n\\v\\f\\r",
  upper: "A-Z",
  xdigit: "0-9A-Fa-f",
};

function bracketBody(body: string): string {
  return body
    .split(/(\[:[a-z]+:\])/)
    .map((piece) =>
      piece.startsWith("[:")
        ? (bracketClasses[piece.slice(2, -2)] ?? "")
        : piece.replace(/[\\[\]^]/g, "\\$&"),
    )
    .join("");
}

function literal(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}
