/** Configuration files: settings, blocks, selectors, includes, and the statements that old ones have. */
import type { Diagnostic, SourceText } from "../../../kernel/index.ts";
import type { Argument, ConfigFile, ConfigItem, Name } from "./ast.ts";
import { Cursor } from "./cursor.ts";
import { argument, expression } from "./expression.ts";
import { tokenize } from "./lexer.ts";
import { statement, statements } from "./statement.ts";
import { parseType } from "./types.ts";

export interface ParsedConfig {
  readonly file: ConfigFile;
  readonly diagnostics: readonly Diagnostic[];
}

/** By name and text: a run reads the same files for the version, for its own settings and for those of the tasks. */
const kept = new Map<string, ParsedConfig>();
const mostKept = 300;
/** Longer ones are rare, and are not kept. */
const longestKept = 200_000;

export function parseConfig(source: SourceText): ParsedConfig {
  const { name, text } = source;
  if (text.length > longestKept) return parsed(source);
  const id = `${name}\n${text}`;
  const known = kept.get(id);
  if (known !== undefined) return known;
  const made = parsed(source);
  if (kept.size >= mostKept) kept.clear();
  kept.set(id, made);
  return made;
}

function parsed(source: SourceText): ParsedConfig {
  const { tokens, diagnostics } = tokenize(source);
  const c = new Cursor(source, tokens, { statements });
  const imports = new Map<string, string>();
  const found: ConfigItem[] = [];
  while (!c.ended) {
    found.push(...items(c, imports));
    if (c.at("}")) {
      c.guarded(
        () => c.fail("a setting"),
        () => undefined,
      );
      c.next();
    }
  }
  const all = [...diagnostics, ...c.diagnostics].sort((a, b) => a.span.start - b.span.start);
  return { file: { source, items: found, imports }, diagnostics: all };
}

/** Up to the closing `}` or the end. */
function items(c: Cursor, imports: Map<string, string>): readonly ConfigItem[] {
  const found: ConfigItem[] = [];
  for (;;) {
    while (c.accept(";"));
    if (c.ended || c.at("}")) return found;
    const one = c.guarded(
      () => {
        const read = item(c, imports);
        if (!c.separated) c.fail("the end of the setting");
        return read;
      },
      (start) => {
        if (c.position === start) c.next();
        c.skipStatement();
        return undefined;
      },
    );
    if (one !== undefined) found.push(one);
  }
}

const statementWords = new Set(["def", "final", "assert", "throw", "return", "for", "while", "switch"]);

function item(c: Cursor, imports: Map<string, string>): ConfigItem | undefined {
  return c.nested(() => {
    const { start, text, kind } = c.token;
    const next = c.peek();
    if (kind !== "name" && kind !== "string") return statementItem(c);
    if (kind === "name") {
      if (text === "import" && next.kind === "name") {
        c.next();
        const type = parseType(c);
        imports.set(type.name.split(".").at(-1) ?? type.name, type.name);
        return undefined;
      }
      if (text === "includeConfig" && next.text !== "=") {
        c.next();
        return { kind: "include", from: expression(c), span: c.spanFrom(start) };
      }
      if ((text === "withName" || text === "withLabel") && next.text === ":") return selector(c, text);
      if (text === "if" && next.text === "(") return conditional(c, imports);
      if (text === "try" && next.text === "{") return attempt(c, imports);
      if (statementWords.has(text)) return statementItem(c);
    }
    return setting(c, imports) ?? statementItem(c);
  });
}

function statementItem(c: Cursor): ConfigItem {
  const { start } = c.token;
  const read = statement(c);
  return { kind: "statement", span: c.spanFrom(start), statement: read };
}

function selector(c: Cursor, by: "withName" | "withLabel"): ConfigItem {
  const { start } = c.next();
  c.expect(":");
  const token = c.token;
  let pattern: string;
  if (token.kind === "string") {
    pattern = token.value ?? "";
    c.next();
  } else if (token.kind === "name") pattern = c.next().text;
  else return c.fail("a pattern of names or labels");
  c.expect("{");
  const body = items(c, new Map());
  c.expect("}", 'a setting or "}"');
  return { kind: "selector", span: c.spanFrom(start), by, pattern, body };
}

function braced(c: Cursor, imports: Map<string, string>): readonly ConfigItem[] {
  if (!c.accept("{")) {
    const one = item(c, imports);
    return one === undefined ? [] : [one];
  }
  const found = items(c, imports);
  c.expect("}", 'a setting or "}"');
  return found;
}

function conditional(c: Cursor, imports: Map<string, string>): ConfigItem {
  const { start } = c.next();
  c.expect("(");
  const condition = expression(c);
  c.expect(")");
  const yes = braced(c, imports);
  const no = c.acceptWord("else") ? braced(c, imports) : [];
  return { kind: "if", span: c.spanFrom(start), condition, yes, no };
}

function attempt(c: Cursor, imports: Map<string, string>): ConfigItem {
  const { start } = c.next();
  const body = braced(c, imports);
  const otherwise: ConfigItem[] = [];
  while (c.acceptWord("catch")) {
    c.expect("(");
    parseType(c);
    if (c.token.kind === "name") c.next();
    c.expect(")");
    otherwise.push(...braced(c, imports));
  }
  return { kind: "try", span: c.spanFrom(start), body, otherwise };
}

/** `a.b = x`, `a.b { … }`, `a x`; undefined: a statement. */
function setting(c: Cursor, imports: Map<string, string>): ConfigItem | undefined {
  const { start } = c.token;
  const at = c.position;
  const path: Name[] = [part(c)];
  while (c.at(".") && (c.peek().kind === "name" || c.peek().kind === "string")) {
    c.next();
    path.push(part(c));
  }
  if (c.at("=")) {
    c.next();
    const value = expression(c);
    return { kind: "assign", span: c.spanFrom(start), path, value };
  }
  if (c.at("{") && !c.token.newline) {
    c.next();
    const body = items(c, imports);
    c.expect("}", 'a setting or "}"');
    return { kind: "block", span: c.spanFrom(start), path, body };
  }
  const [name, ...more] = path;
  const { kind, text, space, newline } = c.token;
  const value =
    kind === "string" || kind === "gstring" || kind === "number" || kind === "name" || text === "[";
  if (name !== undefined && more.length === 0 && space && !newline && value && !isTyped(c)) {
    const given: Argument[] = [];
    do given.push(argument(c));
    while (c.accept(","));
    return { kind: "directive", span: c.spanFrom(start), name, arguments: given };
  }
  c.rewind(at);
  return undefined;
}

/** `String x = …` and `int f() { … }` of old configuration. */
function isTyped(c: Cursor): boolean {
  const after = c.peek();
  return c.token.kind === "name" && (after.text === "=" || after.text === "(");
}

function part(c: Cursor): Name {
  const token = c.next();
  return {
    text: token.kind === "string" ? (token.value ?? "") : token.text,
    span: { start: token.start, end: token.end },
  };
}
