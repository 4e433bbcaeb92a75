/**
 * POSIX extended regular expressions on JavaScript's engine.
 *
 * What is translated: bracket expressions with their classes (`[[:alpha:]]`), equivalents and leading `]`; a literal
 * `{` where no interval follows; GNU's `\<` and `\>`. What other WDL engines accept beyond POSIX and workflows use is kept:
 * `\d \w \s \b`, lazy quantifiers, `(?:…)`, look-around and `(?i)`.
 *
 * POSIX wants the longest of the leftmost matches, JavaScript takes the first alternative that works. The two differ
 * only where the pattern has alternatives or optional parts before them, so patterns with `|` are matched again for the
 * longest end. As in every WDL engine, `.` does not match a line break and `^`, `$` stand for the ends of the text.
 */
import { createContext, Script } from "node:vm";
import { systemErrorCode } from "../../../kernel/index.ts";
import { ValueFailure } from "../values/failure.ts";

export interface EreMatch {
  readonly start: number;
  readonly end: number;
  /** Groups 1 to n. */
  readonly groups: readonly (string | undefined)[];
}

export interface Ere {
  /** The leftmost-longest match that starts at or after `from`. */
  find(text: string, from: number): EreMatch | undefined;
}

/** Beyond this, the search for the longest alternative would cost too much; the first alternative is taken. */
const longestText = 4096;
const longestPattern = 10_000;

export function compileEre(pattern: string): Ere {
  if (pattern.length > longestPattern) {
    throw new ValueFailure(
      `the regular expression has ${pattern.length} characters, the limit is ${longestPattern}`,
    );
  }
  const { source, flags, alternatives, looksAhead } = translateEre(pattern);
  const execute = isRisky(source) ? guarded(pattern) : plainly;
  const first = regExp(pattern, source, `g${flags}`);
  if (!alternatives) return { find: (text, from) => firstMatch(first, text, from, execute) };
  const toEnd = regExp(pattern, `(?:${source})$`, `y${flags}`);
  return {
    find: (text, from) => {
      const match = firstMatch(first, text, from, execute);
      if (match === undefined || text.length > longestText) return match;
      return longest({ toEnd, text, match, looksAhead, execute }) ?? match;
    },
  };
}

type Execute = (regex: RegExp, text: string) => RegExpExecArray | null;

const plainly: Execute = (regex, text) => regex.exec(text);

/** A repeated group can make the engine try exponentially many ways. */
function isRisky(source: string): boolean {
  return /\)[*+{]|\\[1-9]/.test(source);
}

const longestMs = 2000;

/** Workflows are other people's code: a match that does not end is ended. */
function guarded(pattern: string): Execute {
  const globals: { regex?: RegExp; text?: string } = {};
  const context = createContext(globals);
  const script = new Script("regex.exec(text)");
  return (regex, text) => {
    globals.regex = regex;
    globals.text = text;
    try {
      return script.runInContext(context, { timeout: longestMs }) as RegExpExecArray | null;
    } catch (error) {
      if (systemErrorCode(error) !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      throw new ValueFailure(
        `matching "${pattern}" was not done within ${longestMs} ms`,
        "a repeated group whose parts match the same text in many ways is the usual cause",
      );
    }
  };
}

function regExp(pattern: string, source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^.*: /, "") : "";
    throw new ValueFailure(
      `"${pattern}" is not a regular expression${why === "" ? "" : `: ${why.toLowerCase()}`}`,
      "patterns are POSIX extended regular expressions; in a WDL string every backslash is written twice",
    );
  }
}

function firstMatch(regex: RegExp, text: string, from: number, execute: Execute): EreMatch | undefined {
  regex.lastIndex = from;
  const match = execute(regex, text);
  if (match === null) return undefined;
  return { start: match.index, end: match.index + match[0].length, groups: match.slice(1) };
}

interface LongestSearch {
  /** The pattern, with the end of the text behind it. */
  readonly toEnd: RegExp;
  readonly text: string;
  readonly match: EreMatch;
  readonly looksAhead: boolean;
  readonly execute: Execute;
}

function longest({ toEnd, text, match, looksAhead, execute }: LongestSearch): EreMatch | undefined {
  // What looks at the text behind the match must see the whole text, not one cut at a possible end.
  const least = looksAhead ? text.length : match.end + 1;
  for (let end = text.length; end >= least && end > match.end; end--) {
    toEnd.lastIndex = match.start;
    const found = execute(toEnd, text.slice(0, end));
    if (found !== null) return { start: match.start, end, groups: found.slice(1) };
  }
  return undefined;
}

interface Translated {
  readonly source: string;
  readonly flags: string;
  /** Has `|`. */
  readonly alternatives: boolean;
  /** Has `$`, a word boundary or a look-ahead. */
  readonly looksAhead: boolean;
}

export function translateEre(pattern: string): Translated {
  const inline = /^\(\?([ims]+)\)/.exec(pattern);
  const flags = inline?.[1] === undefined ? "" : [...new Set(inline[1])].join("");
  let at = inline?.[0].length ?? 0;
  let source = "";
  let alternatives = false;
  let looksAhead = false;
  while (at < pattern.length) {
    const char = pattern.charAt(at);
    const unbracketedClass = /^\[:([a-z]+):\]/.exec(pattern.slice(at));
    if (unbracketedClass !== null) {
      // `[:alpha:]` without the outer brackets: POSIX leaves it open, grep refuses it, the specification means the class.
      source += `[${namedElement(pattern, ":", unbracketedClass[1] ?? "")}]`;
      at += unbracketedClass[0].length;
    } else if (char === "[") {
      const bracket = translateBracket(pattern, at);
      source += bracket.source;
      at = bracket.end;
    } else if (char === "\\") {
      const next = pattern.charAt(at + 1);
      if (/[<>bB]/.test(next)) looksAhead = true;
      source += next === "<" ? "\\b(?=\\w)" : next === ">" ? "\\b(?<=\\w)" : `\\${next === "" ? "\\" : next}`;
      at += 2;
    } else if (char === "{" && !/^\{[0-9]+(,[0-9]*)?\}/.test(pattern.slice(at))) {
      source += /^\{,[0-9]+\}/.test(pattern.slice(at)) ? "{0" : "\\{";
      at++;
    } else if (char === "}" && !/\{[0-9]*(,[0-9]*)?$/.test(source)) {
      source += "\\}";
      at++;
    } else {
      if (char === "|") alternatives = true;
      if (char === "$" || (char === "?" && source.endsWith("("))) looksAhead = true;
      source += char;
      at++;
    }
  }
  return { source, flags, alternatives, looksAhead };
}

const classes: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  blank: " \\t",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "\\x21-\\x7e",
  lower: "a-z",
  print: "\\x20-\\x7e",
  punct: "!-\\/:-@\\[-`{-~",
  space: " \\t\\n\\v\\f\\r",
  upper: "A-Z",
  word: "\\w",
  xdigit: "0-9A-Fa-f",
};

function translateBracket(pattern: string, start: number): { readonly source: string; readonly end: number } {
  let at = start + 1;
  let source = "[";
  if (pattern[at] === "^") {
    source += "^";
    at++;
  }
  let first = true;
  for (;;) {
    const char = pattern[at];
    if (char === undefined)
      throw new ValueFailure(`"${pattern}" has a bracket expression that is not closed`);
    if (char === "]" && !first) return { source: `${source}]`, end: at + 1 };
    const named = /^\[([:.=])(.+?)\1\]/.exec(pattern.slice(at));
    if (named !== null) {
      source += namedElement(pattern, named[1] ?? "", named[2] ?? "");
      at += named[0].length;
    } else if (char === "\\" && /[\\\]\-^[./dDwWsStnrfv]/.test(pattern.charAt(at + 1))) {
      // POSIX takes the backslash literally here; every WDL engine takes it as an escape, and workflows rely on it.
      source += `\\${pattern.charAt(at + 1)}`;
      at += 2;
    } else {
      source += /[\\[\]^]/.test(char) ? `\\${char}` : char;
      at++;
    }
    first = false;
  }
}

function namedElement(pattern: string, kind: string, name: string): string {
  if (kind !== ":") return name.length === 1 ? name.replace(/[\\[\]^-]/, "\\$&") : invalid(pattern, name);
  return classes[name] ?? invalid(pattern, name);
}

function invalid(pattern: string, name: string): never {
  throw new ValueFailure(
    `"${pattern}" names the character class "${name}", which does not exist`,
    `classes are ${Object.keys(classes).join(", ")}`,
  );
}
