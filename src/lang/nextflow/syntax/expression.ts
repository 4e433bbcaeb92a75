/** Expressions, by precedence climbing over paths: https://docs.seqera.io/nextflow/reference/syntax */
import { defined } from "../../../kernel/index.ts";
import type {
  Argument,
  BinaryOperator,
  CallNode,
  ClosureNode,
  Expression,
  GStringNode,
  MapEntryNode,
  ParameterNode,
} from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import * as wrong from "./diagnostics.ts";
import type { Token } from "./token.ts";
import { isTypeText, parseDeclaredType, parseType, primitives, typeBeforeName } from "./types.ts";

/** Any expression, assignments included. */
export function expression(c: Cursor): Expression {
  return c.nested(() => {
    const target = conditional(c);
    const operator = assignment(c);
    if (operator === undefined) return target;
    if (target.kind !== "name" && target.kind !== "property" && target.kind !== "index")
      c.refuse(wrong.misplaced(c.place(target.span), "an assignment to this"));
    c.next();
    const value = expression(c);
    const span = { start: target.span.start, end: value.span.end };
    return { kind: "assign", span, operator: operator.applied, target, value };
  });
}

const assignments: Readonly<Record<string, BinaryOperator | "?:" | "">> = {
  "=": "",
  "+=": "+",
  "-=": "-",
  "*=": "*",
  "/=": "/",
  "%=": "%",
  "**=": "**",
  "&=": "&",
  "|=": "|",
  "^=": "^",
  "<<=": "<<",
  ">>=": ">>",
  ">>>=": ">>>",
  "?=": "?:",
};

function assignment(c: Cursor): { readonly applied: BinaryOperator | "?:" | undefined } | undefined {
  if (c.token.kind !== "op") return undefined;
  const found = Object.hasOwn(assignments, c.token.text) ? assignments[c.token.text] : undefined;
  if (found === undefined) return undefined;
  return { applied: found === "" ? undefined : found };
}

function conditional(c: Cursor): Expression {
  const condition = binary(c, 0);
  if (c.at("?")) {
    c.next();
    const yes = conditionalBranch(c);
    c.expect(":", '":" and what is meant otherwise');
    const no = conditionalBranch(c);
    return { kind: "ternary", span: span(condition, no), condition, yes, no };
  }
  if (c.at("?:")) {
    c.next();
    const right = conditionalBranch(c);
    return { kind: "elvis", span: span(condition, right), left: condition, right };
  }
  return condition;
}

function conditionalBranch(c: Cursor): Expression {
  return c.nested(() => conditional(c));
}

function span(first: Expression, last: Expression) {
  return { start: first.span.start, end: last.span.end };
}

/** Loosest first; `sameLine`: a line break before it ends the statement. */
const levels: readonly { readonly operators: readonly string[]; readonly sameLine?: true }[] = [
  { operators: ["||"] },
  { operators: ["&&"] },
  { operators: ["|"] },
  { operators: ["^"] },
  { operators: ["&"] },
  { operators: ["=~", "==~"] },
  { operators: ["==", "!=", "<=>", "===", "!=="] },
  { operators: ["<", "<=", ">", ">=", "in", "!in"] },
  { operators: ["instanceof", "!instanceof"] },
  { operators: ["as"] },
  { operators: ["<<", ">>", ">>>", "..", "..<"] },
  { operators: ["+", "-"], sameLine: true },
  { operators: ["*", "/", "%"] },
];
const levelOf = new Map<string, number>();
for (const [level, { operators }] of levels.entries())
  for (const operator of operators) levelOf.set(operator, level);

function binary(c: Cursor, lowest: number): Expression {
  let left = unary(c);
  for (;;) {
    const operator = binaryOperator(c);
    if (operator === undefined) return left;
    const level = levelOf.get(operator.text) ?? -1;
    if (level < lowest || (levels[level]?.sameLine && c.token.newline)) return left;
    for (let i = 0; i < operator.tokens; i++) c.next();
    left = applied(c, left, operator.text, level);
  }
}

function applied(c: Cursor, left: Expression, operator: string, level: number): Expression {
  if (operator === "as" || operator === "instanceof" || operator === "!instanceof") {
    const type = parseType(c);
    const whole = { start: left.span.start, end: type.span.end };
    if (operator === "as") return { kind: "as", span: whole, value: left, type };
    const test: Expression = { kind: "instanceof", span: whole, value: left, type };
    return operator === "instanceof" ? test : { kind: "unary", span: whole, operator: "!", value: test };
  }
  const right = c.nested(() => binary(c, level + 1));
  if (operator === "&&") return { kind: "and", span: span(left, right), left, right };
  if (operator === "||") return { kind: "or", span: span(left, right), left, right };
  return { kind: "binary", span: span(left, right), operator: operator as BinaryOperator, left, right };
}

/** The operator at the cursor and of how many tokens it is made: `>>` is two. */
function binaryOperator(c: Cursor): { readonly text: string; readonly tokens: number } | undefined {
  const { kind, text, end } = c.token;
  if (kind === "name")
    return text === "in" || text === "instanceof" || text === "as" ? { text, tokens: 1 } : undefined;
  if (kind !== "op") return undefined;
  if (text === ">") {
    const second = c.peek();
    if (second.kind === "op" && second.text === ">" && second.start === end) {
      const third = c.peek(2);
      return third.kind === "op" && third.text === ">" && third.start === second.end
        ? { text: ">>>", tokens: 3 }
        : { text: ">>", tokens: 2 };
    }
  }
  return levelOf.has(text) ? { text, tokens: 1 } : undefined;
}

function unary(c: Cursor): Expression {
  const start = c.token.start;
  if (c.at("-") || c.at("+")) {
    const operator = c.next().text as "-" | "+";
    const value = c.nested(() => unary(c));
    return { kind: "unary", span: c.spanFrom(start), operator, value };
  }
  return power(c);
}

function power(c: Cursor): Expression {
  let left = prefix(c);
  // From the left: `2 ** 3 ** 2` is 64.
  while (c.at("**")) {
    c.next();
    const right = c.nested(() => (c.at("-") || c.at("+") ? unary(c) : prefix(c)));
    left = { kind: "binary", span: span(left, right), operator: "**", left, right };
  }
  return left;
}

function prefix(c: Cursor): Expression {
  const start = c.token.start;
  if (c.at("!") || c.at("~")) {
    const operator = c.next().text as "!" | "~";
    const value = c.nested(() => prefix(c));
    return { kind: "unary", span: c.spanFrom(start), operator, value };
  }
  if (c.at("++") || c.at("--")) {
    const by = c.next().text === "++" ? 1 : -1;
    const target = c.nested(() => prefix(c));
    return { kind: "step", span: c.spanFrom(start), target, by, answers: "after" };
  }
  const value = path(c);
  if ((c.at("++") || c.at("--")) && !c.token.newline) {
    const by = c.next().text === "++" ? 1 : -1;
    return { kind: "step", span: c.spanFrom(start), target: value, by, answers: "before" };
  }
  return value;
}

// --- paths: a.b, a(b), a[b], a { b }

function path(c: Cursor): Expression {
  let value = primary(c);
  for (;;) {
    const start = value.span.start;
    if (c.at(".") || c.at("?.") || c.at("??.") || c.at("*.")) {
      const dot = c.next().text;
      const how = dot === "." ? "plain" : dot === "*." ? "spread" : "safe";
      const nameSpan = c.span;
      const name = memberName(c);
      value = { kind: "property", span: c.spanFrom(start), object: value, name, nameSpan, how };
    } else if (c.at(".&")) {
      c.next();
      const { text } = c.name("the name of a method");
      value = { kind: "method", span: c.spanFrom(start), object: value, name: text };
    } else if (c.at("(") && !c.token.newline) {
      const given = callArguments(c);
      value = { kind: "call", span: c.spanFrom(start), callee: value, arguments: given, command: false };
    } else if (c.at("{") && !c.token.newline && takesClosure(value)) {
      const closure = closureLiteral(c);
      value = withClosure(value, closure, c.spanFrom(start));
    } else if (c.at("[") && !c.token.newline) {
      if (value.kind === "name" && c.token.space && isCommandName(c, value.span.start)) return value;
      c.next();
      const index: Expression[] = [];
      while (!c.at("]")) {
        index.push(listItem(c));
        if (!c.accept(",")) break;
      }
      c.expect("]");
      value = { kind: "index", span: c.spanFrom(start), object: value, index };
    } else return value;
  }
}

/** `println [1, 2]`: of a word at the start of a statement that list is the argument. */
function isCommandName(c: Cursor, start: number): boolean {
  if (c.statementStart !== start) return false;
  // `input [0] = x` sets an item all the same.
  let depth = 0;
  for (let ahead = 0; ; ahead++) {
    const { kind, text } = c.peek(ahead);
    if (kind === "end") return true;
    if (kind !== "op") continue;
    if (text === "[") depth++;
    else if (text === "]" && --depth === 0) {
      const after = c.peek(ahead + 1);
      return !(after.kind === "op" && Object.hasOwn(assignments, after.text));
    }
  }
}

function takesClosure(value: Expression): boolean {
  return (
    value.kind === "name" || value.kind === "property" || value.kind === "call" || value.kind === "index"
  );
}

function withClosure(value: Expression, closure: ClosureNode, whole: CallNode["span"]): CallNode {
  if (value.kind === "call" && !value.command)
    return { ...value, span: whole, arguments: [...value.arguments, { value: closure }] };
  return { kind: "call", span: whole, callee: value, arguments: [{ value: closure }], command: false };
}

function memberName(c: Cursor): string | GStringNode {
  const { kind, text, value } = c.token;
  if (kind === "name") {
    c.next();
    return text;
  }
  if (kind === "string") {
    c.next();
    return value ?? "";
  }
  if (kind === "gstring") return gstring(c);
  if (c.at("@")) {
    c.next();
    return memberName(c);
  }
  return c.fail("the name of a property or method");
}

export function callArguments(c: Cursor): readonly Argument[] {
  c.expect("(");
  const given: Argument[] = [];
  while (!c.at(")")) {
    given.push(argument(c));
    if (!c.accept(",")) break;
  }
  c.expect(")", '"," or ")"');
  return given;
}

export function argument(c: Cursor): Argument {
  const { kind, start } = c.token;
  const colon = c.peek();
  if ((kind === "name" || kind === "string") && colon.kind === "op" && colon.text === ":") {
    const token = c.next();
    c.next();
    const text = token.kind === "string" ? (token.value ?? "") : token.text;
    return { name: { text, span: { start, end: token.end } }, value: typeArgument(c) ?? expression(c) };
  }
  if (kind === "name" && colon.kind === "op" && colon.text === "->") {
    const parameters = parameterList(c);
    c.expect("->");
    const body = c.at("{") ? closureLiteral(c).body : [statementOf(expression(c))];
    return { value: { kind: "closure", span: c.spanFrom(start), parameters, body } };
  }
  if (c.at("*") && !c.token.newline) {
    c.next();
    if (c.accept(":")) return { name: { text: "*", span: { start, end: start + 1 } }, value: expression(c) };
    const value = expression(c);
    return { value: { kind: "spread", span: c.spanFrom(start), value } };
  }
  return { value: expression(c) };
}

/** `samples: List<Path>` in a typed tuple: a name that is the type. */
function typeArgument(c: Cursor): Expression | undefined {
  const { kind, text, start } = c.token;
  if (kind !== "name" || !/^[A-Z]/.test(text) || c.peek().text !== "<") return undefined;
  return c.attempt("type argument", () => {
    parseDeclaredType(c);
    if (!c.at(",") && !c.at(")")) return undefined;
    const place = c.spanFrom(start);
    return { kind: "name", span: place, name: c.source.text.slice(place.start, place.end) };
  });
}

// --- primaries

function primary(c: Cursor): Expression {
  const token = c.token;
  const place = { start: token.start, end: token.end };
  switch (token.kind) {
    case "number":
      c.next();
      return { kind: "number", span: place, text: token.text };
    case "string":
      c.next();
      return { kind: "string", span: place, value: token.value ?? "" };
    case "gstring":
      return gstring(c);
    case "name":
      return word(c, token);
    case "op":
      if (token.text === "(") return parenthesized(c);
      if (token.text === "[") return listOrMap(c);
      if (token.text === "{") return closureLiteral(c);
      return c.fail("an expression");
    default:
      return c.fail("an expression");
  }
}

const notOperands = new Set([
  "if",
  "else",
  "while",
  "for",
  "return",
  "throw",
  "import",
  "case",
  "default",
  "catch",
  "try",
  "finally",
  "switch",
  "assert",
  "def",
  "as",
  "instanceof",
]);

function word(c: Cursor, token: Token): Expression {
  const place = { start: token.start, end: token.end };
  switch (token.text) {
    case "null":
      c.next();
      return { kind: "null", span: place };
    case "true":
    case "false":
      c.next();
      return { kind: "boolean", span: place, value: token.text === "true" };
    case "new":
      if (c.peek().kind === "name") return creation(c);
  }
  if (notOperands.has(token.text)) c.fail("an expression");
  c.next();
  return { kind: "name", span: place, name: token.text };
}

function creation(c: Cursor): Expression {
  const start = c.next().start;
  const type = parseType(c);
  if (c.at("[")) {
    c.next();
    const size = expression(c);
    c.expect("]");
    return {
      kind: "new",
      span: c.spanFrom(start),
      type: { ...type, array: true },
      arguments: [{ value: size }],
    };
  }
  return { kind: "new", span: c.spanFrom(start), type, arguments: c.at("(") ? callArguments(c) : [] };
}

function parenthesized(c: Cursor): Expression {
  const cast = typeCast(c) ?? lambda(c);
  if (cast !== undefined) return cast;
  c.expect("(");
  const value = expression(c);
  c.expect(")");
  // Its own node of the same kind: `(a)` is not a name that takes arguments, but nothing depends on that.
  return value;
}

/** `(String) x` of old scripts. */
function typeCast(c: Cursor): Expression | undefined {
  const start = c.token.start;
  const second = c.peek();
  if (second.kind !== "name" || !isTypeText(second.text.length > 0 ? second.text : "x")) return undefined;
  return c.attempt("cast", () => {
    c.expect("(");
    const type = parseType(c);
    c.expect(")");
    const { kind, text, newline } = c.token;
    const operand = kind === "string" || kind === "gstring" || kind === "number" || kind === "name";
    if (newline || !(operand || text === "(" || text === "[")) return undefined;
    if (kind === "name" && (text === "in" || text === "as" || text === "instanceof")) return undefined;
    if (!primitives.has(type.name) && (text === "(" || text === "[") && !/^[A-Z]/.test(type.name))
      return undefined;
    const value = c.nested(() => unary(c));
    return { kind: "as", span: c.spanFrom(start), value, type };
  });
}

/** `(a, b) -> …` and `(it -> …)` of old scripts. */
function lambda(c: Cursor): Expression | undefined {
  const start = c.token.start;
  const second = c.peek();
  if (second.kind !== "name" && second.text !== ")") return undefined;
  return c.attempt("lambda", () => {
    c.expect("(");
    const parameters = parameterList(c);
    const outside = c.accept(")");
    if (!c.accept("->")) return undefined;
    const body = c.at("{") ? closureLiteral(c).body : [statementOf(expression(c))];
    if (!outside) c.expect(")");
    return { kind: "closure", span: c.spanFrom(start), parameters, body };
  });
}

function statementOf(value: Expression) {
  return { kind: "expression", span: value.span, expression: value } as const;
}

function listOrMap(c: Cursor): Expression {
  const start = c.expect("[").start;
  if (c.at(":") && c.peek().text === "]") {
    c.next();
    c.next();
    return { kind: "map", span: c.spanFrom(start), entries: [] };
  }
  const items: Expression[] = [];
  const entries: MapEntryNode[] = [];
  while (!c.at("]")) {
    const entry = mapEntry(c);
    if (entry === undefined) items.push(listItem(c));
    else entries.push(entry);
    if (!c.accept(",")) break;
  }
  c.expect("]", '"," or "]"');
  if (entries.length > 0 && items.length > 0)
    c.refuse(wrong.misplaced(c.place(c.spanFrom(start)), "an item without a key among those of a map"));
  return entries.length > 0
    ? { kind: "map", span: c.spanFrom(start), entries }
    : { kind: "list", span: c.spanFrom(start), items };
}

function listItem(c: Cursor): Expression {
  const { start } = c.token;
  if (!c.at("*")) return expression(c);
  c.next();
  const value = expression(c);
  return { kind: "spread", span: c.spanFrom(start), value };
}

function mapEntry(c: Cursor): MapEntryNode | undefined {
  const { kind, start, end, text } = c.token;
  const next = c.peek();
  if (next.kind === "op" && next.text === ":") {
    if (kind === "name") {
      c.next();
      c.next();
      return { key: { kind: "string", span: { start, end }, value: text }, value: expression(c) };
    }
    if (kind === "op" && text === "*") {
      c.next();
      c.next();
      return { key: undefined, value: expression(c) };
    }
  }
  if (
    kind !== "string" &&
    kind !== "gstring" &&
    kind !== "number" &&
    text !== "(" &&
    text !== "-" &&
    text !== "["
  )
    return undefined;
  return c.attempt("map entry", () => {
    const key = c.nested(() => (text === "-" ? unary(c) : primary(c)));
    if (!c.accept(":")) return undefined;
    return { key, value: expression(c) };
  });
}

function gstring(c: Cursor): GStringNode {
  const token = c.next();
  const parts = (token.parts ?? []).map((part): string | Expression => {
    if (part.kind === "text") return part.text;
    if (part.kind === "path") return pathOf(part.names, { start: part.start, end: part.end });
    return c.inside(part.tokens, () => c.nested(() => embedded(c)));
  });
  return { kind: "gstring", span: { start: token.start, end: token.end }, parts };
}

function embedded(c: Cursor): Expression {
  const { start } = c.token;
  if (c.ended) return { kind: "string", span: c.span, value: "" };
  if (c.at("->")) {
    // `${-> x}` is evaluated when the text is needed, which is at once here.
    c.next();
  }
  const value = expression(c);
  if (c.ended) return value;
  if (!c.separated) c.fail('"}"');
  // Statements in a string: a closure that is called at once.
  const rest = c.grammar.statements(c);
  const body = [statementOf(value), ...rest];
  const closure: Expression = { kind: "closure", span: c.spanFrom(start), parameters: [], body };
  return { kind: "call", span: closure.span, callee: closure, arguments: [], command: false };
}

function pathOf(names: readonly string[], place: GStringNode["span"]): Expression {
  const [first = "", ...rest] = names;
  let value: Expression = { kind: "name", span: place, name: first };
  if (first === "null") value = { kind: "null", span: place };
  for (const name of rest)
    value = { kind: "property", span: place, object: value, name, nameSpan: place, how: "plain" };
  return value;
}

// --- closures

export function closureLiteral(c: Cursor): ClosureNode {
  return c.nested(() => {
    const start = c.expect("{").start;
    const parameters = c.attempt("closure parameters", () => {
      const found = parameterList(c);
      return c.accept("->") ? found : undefined;
    });
    const body = c.grammar.statements(c);
    c.expect("}", 'a statement or "}"');
    return { kind: "closure", span: c.spanFrom(start), parameters, body };
  });
}

/** Up to what closes it, which stays. */
export function parameterList(c: Cursor): readonly ParameterNode[] {
  const parameters: ParameterNode[] = [];
  if (c.at("->") || c.at(")")) return parameters;
  // `{ (a, b) -> }` of old scripts.
  const wrapped = c.at("(");
  if (wrapped) c.next();
  do {
    if (wrapped && c.at(")")) break;
    parameters.push(parameter(c));
  } while (c.accept(","));
  if (wrapped) c.expect(")");
  return parameters;
}

function parameter(c: Cursor): ParameterNode {
  while (c.atWord("final") || (c.atWord("def") && c.peek().kind === "name")) c.next();
  let type = typeBeforeName(c);
  const variadic = type === undefined ? false : c.accept("...");
  if (type === undefined && c.peek().text === "..." && c.token.kind === "name") {
    type = parseType(c);
    c.next();
    return { name: c.name("the name of a parameter"), type, variadic: true };
  }
  const name = c.name("the name of a parameter");
  if (c.at(":")) {
    c.next();
    type = parseDeclaredType(c);
  }
  const initial = c.accept("=") ? expression(c) : undefined;
  return {
    name,
    ...defined({ type, initial }),
    variadic,
  };
}
