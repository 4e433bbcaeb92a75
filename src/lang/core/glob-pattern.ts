/**
 * Patterns of files that programs look for outside their tasks, with the meaning that they have in Java and so in
 * Nextflow: `*` and `?` stay within a name, `**` crosses folders, `[a-c]` and `[!a-c]` choose a character, `{a,b}` a
 * text, and a backslash takes the next character as it is.
 */

export interface GlobPattern {
  /** Parts at its beginning without anything special: the folder to begin in. */
  readonly fixed: readonly string[];
  /** Whether a name that begins with a dot is asked for. */
  readonly namesHidden: boolean;
  /** Whether it crosses folders by `**`; otherwise its number of parts is the depth of what it matches. */
  readonly depth: number | undefined;
  /** Whether a path relative to the folder matches. */
  matches(path: string): boolean;
}

/** Of the braces of a pattern. */
const mostChoices = 1_024;

/** A pattern that is malformed (an open brace, a brace in another one) matches its own text. */
export function globPattern(pattern: string): GlobPattern {
  const parts = pattern.split("/");
  const plain = parts.findIndex((part) => /[*?[\]{}\\]/.test(part));
  const choices = choicesOf(pattern);
  return {
    // The last part is what is looked for, special or not.
    fixed: parts.slice(0, plain < 0 ? parts.length - 1 : plain),
    namesHidden: parts.some((part) => part.startsWith(".")),
    depth: /\*\*|[{]/.test(pattern) ? undefined : parts.length,
    matches: (path) =>
      choices === undefined ? path === pattern : choices.some((tokens) => matchesTokens(tokens, path)),
  };
}

type Token =
  | { readonly kind: "one"; readonly fits: (char: string) => boolean }
  /** `*`: any number of characters of a name; `**`: of a path. */
  | { readonly kind: "many"; readonly crosses: boolean };

/** One list of tokens for each choice of the braces; undefined for what is not a pattern. */
function choicesOf(pattern: string): readonly (readonly Token[])[] | undefined {
  let done: Token[][] = [[]];
  /** While a brace is open: what comes before it, and the choices so far. */
  let before: Token[][] | undefined;
  let chosen: Token[][] = [];
  const add = (token: Token) => {
    for (const tokens of done) tokens.push(token);
  };
  const chars = [...pattern];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (char === "\\") {
      const next = chars[++at];
      if (next === undefined) return undefined;
      add(literal(next));
    } else if (char === "*") {
      const crosses = chars[at + 1] === "*";
      while (chars[at + 1] === "*") at++;
      add({ kind: "many", crosses });
    } else if (char === "?") add({ kind: "one", fits: (each) => each !== "/" });
    else if (char === "[") {
      const end = chars.indexOf("]", at + 2);
      if (end < 0) return undefined;
      add(choice(chars.slice(at + 1, end)));
      at = end;
    } else if (char === "{") {
      // They do not nest.
      if (before !== undefined) return undefined;
      before = done;
      chosen = [];
      done = [[]];
    } else if (before !== undefined && (char === "}" || char === ",")) {
      chosen.push(...done);
      done = [[]];
      if (char === ",") continue;
      if (before.length * chosen.length > mostChoices) return undefined;
      done = before.flatMap((start) => chosen.map((end) => [...start, ...end]));
      before = undefined;
    } else add(literal(char));
  }
  return before === undefined ? done : undefined;
}

function literal(char: string): Token {
  return { kind: "one", fits: (each) => each === char };
}

/** `a-c` between brackets, `!` or `^` before it for all others; never a slash. */
function choice(chars: readonly string[]): Token {
  const negated = chars[0] === "!" || chars[0] === "^";
  const list = negated ? chars.slice(1) : chars;
  const ranges: (readonly [string, string])[] = [];
  for (let at = 0; at < list.length; at++) {
    const from = list[at] ?? "";
    const to = list[at + 1] === "-" ? list[at + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) at += 2;
  }
  const point = (char: string) => char.codePointAt(0) ?? 0;
  const within = (char: string) =>
    ranges.some(([from, to]) => point(from) <= point(char) && point(char) <= point(to));
  return { kind: "one", fits: (char) => char !== "/" && within(char) !== negated };
}

/** All places of the pattern that a beginning of the path can lead to at once: no pattern takes long. */
function matchesTokens(tokens: readonly Token[], path: string): boolean {
  let places = passed(tokens, new Set([0]));
  for (const char of path) {
    const next = new Set<number>();
    for (const place of places) {
      const token = tokens[place];
      if (token === undefined) continue;
      if (token.kind === "one") {
        if (token.fits(char)) next.add(place + 1);
      } else if (token.crosses || char !== "/") next.add(place);
    }
    if (next.size === 0) return false;
    places = passed(tokens, next);
  }
  return places.has(tokens.length);
}

/** With the places that lie behind stars, which may stand for nothing. */
function passed(tokens: readonly Token[], places: Set<number>): Set<number> {
  for (const place of places) if (tokens[place]?.kind === "many") places.add(place + 1);
  return places;
}
