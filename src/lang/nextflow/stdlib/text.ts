/** Methods of strings. */
import { createHash, getHashes } from "node:crypto";
import { indexed } from "../eval/access-index.ts";
import { cast } from "../eval/cast.ts";
import { binary } from "../eval/operators.ts";
import { Closure } from "../values/closure.ts";
import { compare } from "../values/compare.ts";
import { Duration } from "../values/duration.ts";
import { MemoryUnit } from "../values/memory-unit.ts";
import { javaReplacement, Matcher, matchesWhole, Pattern, regexOf } from "../values/pattern.ts";
import { setOf } from "../values/sets.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { format } from "./format.ts";
import { listMethods } from "./list.ts";
import { closureAt, intAt, type Method, type Methods, textAt } from "./method.ts";

const whole = /^[+-]?\d+$/;
const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A method that sees the text itself. */
function of(run: (text: string, given: readonly Value[]) => Value): Method {
  return (self, given) => run(textOf(self), given);
}

export const textMethods: Methods = {
  asBoolean: of((text) => text.length > 0),
  any: onLetters("any"),
  bytes: of((text) => bytesOf(text)),
  codePointAt: of((text, given) => text.codePointAt(intAt(given, 0)) ?? null),
  collectReplacements: of((text, given) =>
    [...text].map((each) => textOf(closureAt(given, 0).call([each]) ?? each)).join(""),
  ),
  containsIgnoreCase: of((text, given) => text.toLowerCase().includes(textAt(given, 0).toLowerCase())),
  contentEquals: of((text, given) => text === textAt(given, 0)),
  capitalize: of((text) => text.slice(0, 1).toUpperCase() + text.slice(1)),
  center: of((text, given) => {
    const width = intAt(given, 0);
    const left = Math.floor((width - text.length) / 2);
    const pad = padding(given);
    return left < 0 ? text : fill(pad, left) + text + fill(pad, width - text.length - left);
  }),
  charAt: of((text, given) => indexed(text, [given[0] ?? 0])),
  chars: of((text) => [...text]),
  collect: of((text, given) => [...text].map((each) => closureAt(given, 0).call([each]))),
  compareTo: of((text, [other = null]) =>
    typeof other === "string" ? difference(text, other) : compare(text, other),
  ),
  concat: of((text, given) => text + textAt(given, 0)),
  contains: of((text, given) => text.includes(textAt(given, 0))),
  count: of((text, [part = ""]) => {
    if (part instanceof Pattern) return [...text.matchAll(regexOf(part.source))].length;
    const sought = textOf(part);
    return sought === "" ? 0 : text.split(sought).length - 1;
  }),
  decodeBase64: of((text) => [...new Int8Array(Buffer.from(text, "base64"))]),
  decodeHex: of((text) => [...new Int8Array(Buffer.from(text, "hex"))]),
  denormalize: of((text) => text),
  digest: of((text, given) => {
    const name = textAt(given, 0);
    const known = name.replace("-", "").toLowerCase();
    if (!getHashes().includes(known)) fail("NoSuchAlgorithmException", `${name} MessageDigest not available`);
    return createHash(known).update(text).digest("hex");
  }),
  drop: of((text, given) => text.slice(Math.max(0, intAt(given, 0)))),
  dropRight: of((text, given) => text.slice(0, Math.max(0, text.length - Math.max(0, intAt(given, 0))))),
  each: (self, given) => {
    for (const letter of textOf(self)) closureAt(given, 0).call([letter]);
    return self;
  },
  dropWhile: of((text, given) => onLetters("dropWhile")(text, given)),
  eachMatch: of((text, given) => {
    for (const each of new Matcher(source(given[0] ?? ""), text).all)
      closureAt(given, 1).call(spreadOf(Matcher.shown(each)));
    return text;
  }),
  eachWithIndex: (self, given) => {
    onLetters("eachWithIndex")(self, given);
    return self;
  },
  eachLine: of((text, given) => {
    const closure = closureAt(given, given.length - 1);
    let last: Value = null;
    for (const [index, line] of lines(text).entries())
      last = closure.call(closure.arity > 1 ? [line, index] : [line]);
    return last;
  }),
  endsWith: of((text, given) => text.endsWith(textAt(given, 0))),
  endsWithIgnoreCase: of((text, given) => text.toLowerCase().endsWith(textAt(given, 0).toLowerCase())),
  every: onLetters("every"),
  equalsIgnoreCase: of(
    (text, [other = null]) => typeof other === "string" && text.toLowerCase() === other.toLowerCase(),
  ),
  execute: of((text) =>
    fail("UnsupportedOperationException", `\`${text}\` is not executed: run programs in a process`),
  ),
  expand: of((text, given) => {
    const width = intAt(given, 0, 8);
    return text
      .split("\n")
      .map((line) => {
        let wide = "";
        for (const letter of line)
          wide += letter === "\t" ? " ".repeat(width - (wide.length % width)) : letter;
        return wide;
      })
      .join("\n");
  }),
  find: of((text, [pattern = "", closure]) => {
    if (pattern instanceof Closure) return [...text].find((each) => pattern.call([each]) === true) ?? null;
    const [found] = new Matcher(source(pattern), text).all;
    if (found === undefined) return null;
    return closure instanceof Closure ? closure.call(spreadOf(Matcher.shown(found))) : found[0];
  }),
  findIndexOf: onLetters("findIndexOf"),
  findIndexValues: onLetters("findIndexValues"),
  findResult: onLetters("findResult"),
  grep: onLetters("grep"),
  findAll: of((text, [pattern = "", closure]) => {
    if (pattern instanceof Closure) return [...text].filter((each) => pattern.call([each]) === true);
    const found = new Matcher(source(pattern), text).all;
    if (closure instanceof Closure) return found.map((each) => closure.call(spreadOf(Matcher.shown(each))));
    return found.map((each) => each[0]);
  }),
  format: of((text, given) => format(text, given)),
  formatted: of((text, given) => format(text, given)),
  getAt: of((text, given) => indexed(text, given)),
  getBytes: of((text) => bytesOf(text)),
  getChars: of((text) => [...text]),
  indexOf: of((text, given) => text.indexOf(textAt(given, 0), intAt(given, 1, 0))),
  isAllWhitespace: of((text) => text.trim() === ""),
  isBigDecimal: of((text) => number.test(text.trim())),
  isBigInteger: of((text) => whole.test(text.trim())),
  isBlank: of((text) => text.trim() === ""),
  isDouble: of((text) => number.test(text.trim())),
  isEmpty: of((text) => text === ""),
  isFloat: of((text) => number.test(text.trim())),
  isInteger: of((text) => whole.test(text.trim()) && Math.abs(Number(text)) <= 2147483648),
  isLong: of((text) => whole.test(text.trim())),
  isNumber: of((text) => number.test(text.trim())),
  indent: of((text, given) => {
    const count = intAt(given, 0);
    const changed = lines(text).map((line) =>
      count >= 0
        ? " ".repeat(count) + line
        : line.slice(Math.min(-count, line.length - line.trimStart().length)),
    );
    return text === "" ? "" : `${changed.join("\n")}\n`;
  }),
  inject: onLetters("inject"),
  intern: of((text) => text),
  iterator: onLetters("iterator"),
  join: of((text, given) => [...text].join(textAt(given, 0))),
  lastIndexOf: of((text, given) => {
    const from = intAt(given, 1, text.length);
    return from < 0 ? -1 : text.lastIndexOf(textAt(given, 0), from);
  }),
  leftShift: of((text, given) => text + textAt(given, 0)),
  length: of((text) => text.length),
  lines: of((text) => lines(text)),
  matches: of((text, given) => matchesWhole(source(given[0] ?? ""), text)),
  md5: of((text) => createHash("md5").update(text).digest("hex")),
  minus: (self, [other = null]) => binary("-", textOf(self), other),
  multiply: of((text, given) => text.repeat(intAt(given, 0))),
  next: of((text) =>
    text === ""
      ? "\u0000"
      : text.slice(0, -1) + String.fromCharCode((text.charCodeAt(text.length - 1) || 0) + 1),
  ),
  normalize: of((text) => text.replaceAll(/\r\n?/g, "\n")),
  padLeft: of((text, given) => fill(padding(given), intAt(given, 0) - text.length) + text),
  padRight: of((text, given) => text + fill(padding(given), intAt(given, 0) - text.length)),
  plus: of((text, given) => text + textAt(given, 0)),
  previous: of(
    (text) => text.slice(0, -1) + String.fromCharCode((text.charCodeAt(text.length - 1) || 1) - 1),
  ),
  readLines: of((text) => lines(text)),
  repeat: of((text, given) => text.repeat(intAt(given, 0))),
  replace: of((text, given) => text.replaceAll(textAt(given, 0), () => textAt(given, 1))),
  replaceAll: of((text, given) => replaced(text, given, "all")),
  replaceFirst: of((text, given) => replaced(text, given, "first")),
  reverse: of((text) => [...text].reverse().join("")),
  sha256: of((text) => createHash("sha256").update(text).digest("hex")),
  size: of((text) => text.length),
  split: of((text, given) => split(text, given)),
  splitEachLine: of((text, given) => {
    for (const line of lines(text)) closureAt(given, 1).call([split(line, given.slice(0, 1))]);
    return null;
  }),
  startsWithIgnoreCase: of((text, given) => text.toLowerCase().startsWith(textAt(given, 0).toLowerCase())),
  startsWith: of((text, given) => text.startsWith(textAt(given, 0), intAt(given, 1, 0))),
  strip: of((text) => text.trim()),
  stripIndent: of((text, given) => (given.length > 0 ? dropped(text, intAt(given, 0)) : stripIndent(text))),
  stripMargin: of((text, given) => {
    const margin = given[0] === undefined ? "|" : textAt(given, 0);
    return lines(text, "keep the last")
      .map((line) => (line.trimStart().startsWith(margin) ? line.trimStart().slice(margin.length) : line))
      .join("\n");
  }),
  stripTrailing: of((text) => text.trimEnd()),
  stripLeading: of((text) => text.trimStart()),
  substring: of((text, given) => {
    const [from, to] = [intAt(given, 0), intAt(given, 1, text.length)];
    if (from < 0 || to > text.length || from > to)
      fail("StringIndexOutOfBoundsException", `begin ${from}, end ${to}, length ${text.length}`);
    return text.slice(from, to);
  }),
  subSequence: of((text, given) => text.slice(intAt(given, 0), intAt(given, 1))),
  take: of((text, given) => text.slice(0, Math.max(0, intAt(given, 0)))),
  takeAfter: of((text, given) => after(text, text.indexOf(textAt(given, 0)), textAt(given, 0))),
  takeAfterLast: of((text, given) => after(text, text.lastIndexOf(textAt(given, 0)), textAt(given, 0))),
  takeBefore: of((text, given) => before(text, text.indexOf(textAt(given, 0)))),
  takeBeforeLast: of((text, given) => before(text, text.lastIndexOf(textAt(given, 0)))),
  takeBetween: of((text, given) => {
    const start = after(text, text.indexOf(textAt(given, 0)), textAt(given, 0));
    return before(start, start.indexOf(textAt(given, given.length > 1 ? 1 : 0)));
  }),
  takeRight: of((text, given) => (intAt(given, 0) <= 0 ? "" : text.slice(-intAt(given, 0)))),
  toBigDecimal: of((text) => cast(text, "BigDecimal")),
  toBigInteger: of((text) => cast(text, "BigInteger")),
  toBoolean: of((text) => ["true", "y", "1"].includes(text.trim().toLowerCase())),
  takeWhile: of((text, given) => onLetters("takeWhile")(text, given)),
  toCharacter: of((text) => text.slice(0, 1)),
  toCharArray: of((text) => [...text]),
  toDouble: of((text) => cast(text, "Double")),
  toDuration: of((text) => Duration.of(text)),
  toFloat: of((text) => cast(text, "Float")),
  toInteger: of((text) => cast(text, "Integer")),
  toList: of((text) => [...text]),
  toLong: of((text) => cast(text, "Long")),
  toLowerCase: of((text) => text.toLowerCase()),
  toMemory: of((text) => MemoryUnit.of(text)),
  toSet: of((text) => setOf([...text], "HashSet")),
  toString: of((text) => text),
  toUpperCase: of((text) => text.toUpperCase()),
  tokenize: of((text, given) => tokenize(text, given[0] === undefined ? " \t\n\r\f" : textAt(given, 0))),
  tr: of((text, given) => translated(text, textAt(given, 0), textAt(given, 1))),
  trim: of((text) => text.trim()),
  uncapitalize: of((text) => text.slice(0, 1).toLowerCase() + text.slice(1)),
  unexpand: of((text) => text),
};

/** A method of lists over the letters; what is a list of them is text again. */
function onLetters(name: string): Method {
  return (self, given) => {
    const answer = listMethods[name]?.([...textOf(self)], given) ?? null;
    return name.endsWith("While") && isList(answer) ? answer.map((each) => textOf(each)).join("") : answer;
  };
}

function bytesOf(text: string): number[] {
  return [...new Int8Array(Buffer.from(text))];
}

/** As Java's `compareTo`: of the first letters that differ, or of the lengths. */
function difference(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = a.charCodeAt(i) - b.charCodeAt(i);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function source(pattern: Value): string {
  return pattern instanceof Pattern ? pattern.source : textOf(pattern);
}

function spreadOf(match: Value): Value[] {
  return Array.isArray(match) ? match : [match];
}

function padding(given: readonly Value[]): string {
  return given[1] === undefined ? " " : textAt(given, 1);
}

function fill(pad: string, width: number): string {
  return width <= 0 ? "" : pad.repeat(Math.ceil(width / Math.max(1, pad.length))).slice(0, width);
}

function after(text: string, at: number, part: string): string {
  return at < 0 ? "" : text.slice(at + part.length);
}

function before(text: string, at: number): string {
  return at < 0 ? "" : text.slice(0, at);
}

/** Lines without their breaks; a break at the end makes no empty line. */
export function lines(text: string, last: "keep the last" | "as read" = "as read"): string[] {
  const found = text.split(/\r\n|\n|\r/);
  if (last === "as read" && found.at(-1) === "") found.pop();
  return found;
}

/** Delimiters are single characters; empty parts are dropped. */
export function tokenize(text: string, delimiters: string): string[] {
  const set = new Set(delimiters);
  const found: string[] = [];
  let current = "";
  for (const letter of text) {
    if (!set.has(letter)) {
      current += letter;
      continue;
    }
    if (current !== "") found.push(current);
    current = "";
  }
  if (current !== "") found.push(current);
  return found;
}

/** By a regular expression; empty parts at the end are dropped. Without one by white space. */
function split(text: string, given: readonly Value[]): Value {
  if (given[0] === undefined || given[0] instanceof Closure) {
    if (given[0] instanceof Closure) {
      const closure = given[0];
      const yes = [...text].filter((each) => closure.call([each]) === true);
      return [yes, [...text].filter((each) => closure.call([each]) !== true)];
    }
    return tokenize(text, " \t\n\r\f");
  }
  const limit = intAt(given, 1, 0);
  const regex = regexOf(source(given[0]));
  const parts: string[] = [];
  let from = 0;
  for (const match of text.matchAll(regex)) {
    if (limit > 0 && parts.length === limit - 1) break;
    if (match[0] === "" && (match.index === 0 || match.index >= text.length)) continue;
    // A match of no width at the start makes no empty part.
    parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
  }
  parts.push(text.slice(from));
  if (limit === 0) while (parts.length > 1 && parts.at(-1) === "") parts.pop();
  return parts;
}

function replaced(text: string, given: readonly Value[], which: "all" | "first"): string {
  const [pattern = "", replacement = ""] = given;
  const all = regexOf(source(pattern));
  const regex = which === "all" ? all : new RegExp(all.source, all.flags.replace("g", ""));
  if (!(replacement instanceof Closure)) return text.replace(regex, javaReplacement(textOf(replacement)));
  return text.replace(regex, (...found: unknown[]) => {
    const count = found.findIndex((each) => typeof each === "number");
    const groups = found.slice(0, count).map((each) => (typeof each === "string" ? each : null));
    const [whole_ = ""] = groups;
    return textOf(replacement.call(replacement.arity > 1 ? groups : [groups.length > 1 ? groups : whole_]));
  });
}

function translated(text: string, from: string, to: string): string {
  const [source_, target] = [expanded(from), expanded(to)];
  return [...text]
    .map((letter) => {
      const at = source_.lastIndexOf(letter);
      return at < 0 ? letter : (target[Math.min(at, target.length - 1)] ?? "");
    })
    .join("");
}

function expanded(set: string): string {
  return set.replace(/(.)-(.)/gs, (_, first: string, last: string) => {
    let found = "";
    for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code++)
      found += String.fromCharCode(code);
    return found;
  });
}

function dropped(text: string, count: number): string {
  return lines(text, "keep the last")
    .map((line) => line.slice(Math.min(count, line.length)))
    .join("\n");
}

/** The common indent is removed; lines of white space do not count, but the last one does. */
function stripIndent(text: string): string {
  const all = lines(text, "keep the last");
  const counted = all.filter((line, index) => line.trim() !== "" || index === all.length - 1);
  const indent = counted.reduce(
    (least, line) => Math.min(least, line.length - line.trimStart().length),
    Number.POSITIVE_INFINITY,
  );
  return all.map((line) => (line.trim() === "" ? "" : line.slice(indent).trimEnd())).join("\n");
}
