/** Regular expressions of Java, as those of JavaScript. */

import { Thing, Unique, type Value } from "./thing.ts";
import { fail } from "./throwable.ts";

const compiled = new Map<string, RegExp>();
const mostCompiled = 500;

/** The expression with flags `g` and `u`, kept. */
export function regexOf(source: string, extra = ""): RegExp {
  const id = `${extra}/${source}`;
  const known = compiled.get(id);
  if (known !== undefined) return known;
  const { pattern, flags } = translate(source);
  let made: RegExp;
  try {
    made = new RegExp(pattern, `${flags}${extra}g`);
  } catch (error) {
    fail(
      "PatternSyntaxException",
      `${source}: ${error instanceof Error ? error.message : "not a regular expression"}`,
    );
  }
  if (compiled.size >= mostCompiled) compiled.clear();
  compiled.set(id, made);
  return made;
}

const posixClasses: Readonly<Record<string, string>> = {
  Alpha: "a-zA-Z",
  Digit: "0-9",
  Alnum: "a-zA-Z0-9",
  Upper: "A-Z",
  Lower: "a-z",
  Punct: "!-\\/:-@\\[-`{-~",
  Space: "\\s",
  Blank: " \\t",
  XDigit: "0-9a-fA-F",
  ASCII: "\\x00-\\x7f",
};

function translate(source: string): { readonly pattern: string; readonly flags: string } {
  let flags = "";
  let pattern = "";
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const rest = source.slice(at);
    const inline = /^\(\?([imsux]+)\)/.exec(rest);
    if (!inClass && inline?.[1] !== undefined) {
      for (const flag of inline[1]) if (!flags.includes(flag) && "ims".includes(flag)) flags += flag;
      at += inline[0].length - 1;
      continue;
    }
    const quoted = /^\\Q([\s\S]*?)(?:\\E|$)/.exec(rest);
    if (quoted !== null) {
      pattern += (quoted[1] ?? "").replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
      at += quoted[0].length - 1;
      continue;
    }
    const posix = /^\\p\{(\w+)\}/.exec(rest);
    const members = posix?.[1] === undefined ? undefined : posixClasses[posix[1]];
    if (posix !== null && members !== undefined) {
      pattern += inClass ? members : `[${members}]`;
      at += posix[0].length - 1;
      continue;
    }
    const code = source[at] ?? "";
    if (code === "\\") {
      const next = source[at + 1] ?? "";
      at++;
      if (next === "h") pattern += inClass ? " \\t" : "[ \\t]";
      else if (next === "A" || next === "G") pattern += "^";
      else if (next === "z") pattern += "$";
      else if (next === "Z") pattern += "(?=\\n?$)";
      else if (next === "R") pattern += "(?:\\r\\n|[\\n\\r])";
      else pattern += `\\${next}`;
      continue;
    }
    if (inClass) {
      if (code === "]") inClass = false;
      // A union of classes, `[a-z[0-9]]`, is written flat.
      else if (code === "[") {
        const end = source.indexOf("]", at);
        pattern += source.slice(at + 1, end);
        at = end;
        continue;
      }
      pattern += code;
      continue;
    }
    if (code === "[") {
      inClass = true;
      pattern += code;
      if (source[at + 1] === "^") {
        pattern += "^";
        at++;
      }
      continue;
    }
    // Possessive quantifiers and atomic groups keep only what they match the same way.
    if ((code === "+" && /[*+?}]$/.test(pattern) && !/\\[*+?}]$/.test(pattern)) || rest.startsWith("(?>")) {
      if (code === "(") {
        pattern += "(?:";
        at += 2;
      }
      continue;
    }
    pattern += code;
  }
  return { pattern, flags };
}

export class Pattern extends Thing {
  readonly type = "Pattern";
  readonly source: string;

  constructor(source: string) {
    super();
    this.source = source;
    regexOf(source);
  }

  override text(): string {
    return this.source;
  }

  override key(): string {
    return `\u0000pattern:${this.source}`;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    switch (name) {
      case "matcher":
        return new Matcher(this.source, String(given[0]));
      case "pattern":
      case "toString":
        return this.source;
      case "split":
        return String(given[0]).split(regexOf(this.source));
      default:
        return undefined;
    }
  }
}

export function matchesWhole(source: string, text: string): boolean {
  const whole = regexOf(`^(?:${source})$`);
  whole.lastIndex = 0;
  return whole.test(text);
}

export class Matcher extends Unique {
  readonly type = "Matcher";
  readonly source: string;
  readonly subject: string;
  #all: readonly RegExpExecArray[] | undefined;
  #at = -1;
  #whole: RegExpExecArray | null | undefined;

  constructor(source: string, subject: string) {
    super();
    this.source = source;
    this.subject = subject;
  }

  get all(): readonly RegExpExecArray[] {
    this.#all ??= Array.from(this.subject.matchAll(regexOf(this.source))) as RegExpExecArray[];
    return this.#all;
  }

  /** A match as scripts see it: the text, or with groups a list. */
  static shown(match: RegExpExecArray): Value {
    return match.length === 1 ? match[0] : Array.from(match, (each) => each ?? null);
  }

  override truth(): boolean {
    return this.all.length > 0;
  }

  override text(): string {
    return `java.util.regex.Matcher[pattern=${this.source}]`;
  }

  get #current(): RegExpExecArray | undefined {
    return this.#whole ?? this.all[Math.max(0, this.#at)];
  }

  override get(name: string): Value | undefined {
    return name === "count" ? this.all.length : undefined;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    switch (name) {
      case "matches": {
        const whole = regexOf(`^(?:${this.source})$`);
        whole.lastIndex = 0;
        this.#whole = whole.exec(this.subject);
        return this.#whole !== null;
      }
      case "find":
        this.#at++;
        return this.#at < this.all.length;
      case "lookingAt":
        return this.all[0]?.index === 0;
      case "group": {
        const match = this.#current ?? fail("IllegalStateException", "No match found");
        const [which = 0] = given;
        if (typeof which === "string") return match.groups?.[which] ?? null;
        return (
          match[Number(which)] ??
          (Number(which) < match.length
            ? null
            : fail("IndexOutOfBoundsException", `No group ${String(which)}`))
        );
      }
      case "groupCount":
        return (this.#current?.length ?? 1) - 1;
      case "hasGroup":
        return (this.#current?.length ?? 1) > 1;
      case "start":
        return this.#current?.index ?? fail("IllegalStateException", "No match found");
      case "end": {
        const match = this.#current ?? fail("IllegalStateException", "No match found");
        return match.index + match[0].length;
      }
      case "getCount":
      case "size":
        return this.all.length;
      case "reset":
        this.#at = -1;
        return this;
      case "replaceAll":
        return this.subject.replace(regexOf(this.source), javaReplacement(String(given[0])));
      case "replaceFirst": {
        const first = new RegExp(regexOf(this.source).source, regexOf(this.source).flags.replace("g", ""));
        return this.subject.replace(first, javaReplacement(String(given[0])));
      }
      default:
        return undefined;
    }
  }
}

/** `$1` and `\$` as JavaScript writes them. */
export function javaReplacement(text: string): string {
  return text.replace(
    /\\(.)|\$\{(\w+)\}|\$0|\$(?!\d)/gs,
    (whole, escaped: string | undefined, name: string | undefined) => {
      if (whole === "$0") return "$&";
      if (escaped !== undefined) return escaped === "$" ? "$$" : escaped;
      if (name !== undefined) return `$<${name}>`;
      return whole === "$" ? "$$" : whole;
    },
  );
}
