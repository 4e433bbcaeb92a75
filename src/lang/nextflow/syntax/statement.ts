/** Statements of closures, functions, process and workflow bodies. */
import { defined } from "../../../kernel/index.ts";
import type { Argument, Expression, ParameterNode, Statement, TryNode, TypeName } from "./ast.ts";
import { classDefinition } from "./class.ts";
import type { Cursor } from "./cursor.ts";
import * as wrong from "./diagnostics.ts";
import { argument, expression, parameterList } from "./expression.ts";
import { parseDeclaredType, parseType, typeBeforeName } from "./types.ts";

/** Statements up to the `}` or the end of the text. */
export function statements(c: Cursor): readonly Statement[] {
  const found: Statement[] = [];
  for (;;) {
    while (c.accept(";"));
    if (c.ended || c.at("}")) return found;
    found.push(
      c.guarded(
        () => {
          const one = statement(c);
          if (!c.separated) c.fail("the end of the statement");
          return one;
        },
        (start) => broken(c, start),
      ),
    );
  }
}

function broken(c: Cursor, start: number): Statement {
  const from = c.token.start;
  if (c.position === start) c.next();
  c.skipStatement();
  const span = c.spanFrom(from);
  return { kind: "expression", span, expression: { kind: "broken", span } };
}

/** `{ … }` or one statement. */
export function block(c: Cursor): readonly Statement[] {
  if (!c.accept("{")) return [statement(c)];
  const found = statements(c);
  c.expect("}", 'a statement or "}"');
  return found;
}

export function statement(c: Cursor): Statement {
  return c.nested(() => {
    if (c.at("@")) annotation(c);
    if (c.token.kind === "name") {
      const next = c.peek();
      if (next.kind === "op" && next.text === ":" && !reserved.has(c.token.text)) return labeled(c);
      const special = keyword(c);
      if (special !== undefined) return special;
      const declared = declaration(c);
      if (declared !== undefined) return declared;
    }
    if (c.at("(")) {
      const destructured = assignSeveral(c);
      if (destructured !== undefined) return destructured;
    }
    return expressionStatement(c);
  });
}

const reserved = new Set(["default", "case", "else", "return"]);

function annotation(c: Cursor): void {
  while (c.accept("@")) {
    parseType(c);
    if (c.at("(") && !c.token.space) {
      let depth = 0;
      do {
        if (c.at("(")) depth++;
        if (c.at(")")) depth--;
        c.next();
      } while (depth > 0 && !c.ended);
    }
  }
}

function labeled(c: Cursor): Statement {
  const { start } = c.token;
  const label = c.name("a label");
  c.expect(":");
  const inner = statement(c);
  return { kind: "labeled", span: c.spanFrom(start), label, statement: inner };
}

function keyword(c: Cursor): Statement | undefined {
  const { start, text } = c.token;
  switch (text) {
    case "if":
      return c.peek().text === "(" ? ifStatement(c) : undefined;
    case "return": {
      c.next();
      const value = c.separated ? undefined : expression(c);
      return { kind: "return", span: c.spanFrom(start), value };
    }
    case "throw": {
      c.next();
      return { kind: "throw", value: expression(c), span: c.spanFrom(start) };
    }
    case "assert": {
      c.next();
      const condition = expression(c);
      const message = c.accept(":") || c.accept(",") ? expression(c) : undefined;
      return { kind: "assert", span: c.spanFrom(start), condition, message };
    }
    case "try":
      return c.peek().text === "{" ? tryStatement(c) : undefined;
    case "while": {
      c.next();
      c.expect("(");
      const condition = expression(c);
      c.expect(")");
      const body = block(c);
      return { kind: "while", span: c.spanFrom(start), condition, body, first: "condition" };
    }
    case "do": {
      if (c.peek().text !== "{") return undefined;
      c.next();
      const body = block(c);
      if (!c.acceptWord("while")) c.fail('"while"');
      c.expect("(");
      const condition = expression(c);
      c.expect(")");
      return { kind: "while", span: c.spanFrom(start), condition, body, first: "body" };
    }
    case "for":
      return c.peek().text === "(" ? forStatement(c) : undefined;
    case "switch":
      return c.peek().text === "(" ? switchStatement(c) : undefined;
    case "break":
    case "continue":
      if (c.peek().newline || c.peek().text === ";" || c.peek().text === "}") {
        c.next();
        return { kind: text, span: c.spanFrom(start) };
      }
      if (c.peek().kind === "name" && (c.peek(2).newline || /^[;}]$/.test(c.peek(2).text))) {
        c.next();
        const label = c.name("the label of a loop").text;
        return { kind: text, span: c.spanFrom(start), label };
      }
      return undefined;
    case "class":
    case "enum":
    case "record":
    case "interface":
    case "abstract":
      return classDefinition(c, { statements, method: functionDefinition });
    case "import":
      return c.refuse(wrong.misplaced(c.place(c.span), "an import", "imports come before everything else"));
    default:
      return undefined;
  }
}

function ifStatement(c: Cursor): Statement {
  const { start } = c.next();
  c.expect("(");
  const condition = expression(c);
  c.expect(")");
  const yes = block(c);
  const here = c.position;
  while (c.accept(";"));
  if (!c.acceptWord("else")) {
    c.rewind(here);
    return { kind: "if", span: c.spanFrom(start), condition, yes, no: undefined };
  }
  const no = block(c);
  return { kind: "if", span: c.spanFrom(start), condition, yes, no };
}

function tryStatement(c: Cursor): TryNode {
  const { start } = c.next();
  const body = block(c);
  const catches: TryNode["catches"][number][] = [];
  while (c.acceptWord("catch")) {
    c.expect("(");
    while (c.acceptWord("final") || c.acceptWord("def"));
    const types: TypeName[] = [];
    let name: { text: string; span: { start: number; end: number } };
    if (c.peek().text === ":" || c.peek().text === ")") {
      name = c.name("the name of the exception");
      if (c.accept(":"))
        do types.push(parseType(c));
        while (c.accept("|"));
    } else {
      do types.push(parseType(c));
      while (c.accept("|"));
      name = c.name("the name of the exception");
    }
    c.expect(")");
    catches.push({ types, name, body: block(c) });
  }
  const last = c.acceptWord("finally") ? block(c) : undefined;
  return { kind: "try", span: c.spanFrom(start), body, catches, last };
}

function forStatement(c: Cursor): Statement {
  const { start } = c.next();
  c.expect("(");
  const each = c.attempt("for in", () => {
    while (c.acceptWord("final") || (c.atWord("def") && c.peek().kind === "name")) c.next();
    if (c.peek().text !== "in" && c.peek().text !== ":") typeBeforeName(c);
    const variable = c.name("the name of a variable");
    if (!c.acceptWord("in") && !c.accept(":")) return undefined;
    return variable;
  });
  if (each !== undefined) {
    const values = expression(c);
    c.expect(")");
    const body = block(c);
    return { kind: "for-in", span: c.spanFrom(start), variable: each, values, body };
  }
  const initial = c.at(";") ? [] : [statement(c)];
  c.expect(";");
  const condition = c.at(";") ? undefined : expression(c);
  c.expect(";");
  const update: Expression[] = [];
  while (!c.at(")")) {
    update.push(expression(c));
    if (!c.accept(",")) break;
  }
  c.expect(")");
  return { kind: "for", span: c.spanFrom(start), initial, condition, update, body: block(c) };
}

function switchStatement(c: Cursor): Statement {
  const { start } = c.next();
  c.expect("(");
  const value = expression(c);
  c.expect(")");
  c.expect("{");
  const cases: { readonly match: Expression | undefined; readonly body: readonly Statement[] }[] = [];
  while (!c.at("}") && !c.ended) {
    const match = c.acceptWord("default") ? undefined : caseLabel(c);
    if (!c.accept("->")) c.expect(":");
    const body: Statement[] = [];
    for (;;) {
      while (c.accept(";"));
      if (c.at("}") || c.atWord("case") || c.atWord("default") || c.ended) break;
      body.push(statement(c));
    }
    cases.push({ match, body });
  }
  c.expect("}");
  return { kind: "switch", span: c.spanFrom(start), value, cases };
}

function caseLabel(c: Cursor): Expression {
  if (!c.acceptWord("case")) c.fail('"case"');
  return expression(c);
}

// --- declarations

/** `def x = …`, `def (a, b) = …`, `String x`, `def f(x) { … }`; undefined: something else. */
function declaration(c: Cursor): Statement | undefined {
  const { start } = c.token;
  const at = c.position;
  let modifiers = 0;
  let isStatic = false;
  while (
    modifierWords.has(c.token.text) &&
    (c.peek().kind === "name" || c.peek().text === "(" || c.peek().kind === "string")
  ) {
    if (c.token.text === "static") isStatic = true;
    c.next();
    modifiers++;
  }
  const type = typeBeforeName(c);
  if (modifiers === 0 && type === undefined) {
    c.rewind(at);
    return undefined;
  }
  if (c.at("(")) return destructure(c, start);
  if (c.token.kind === "string" && c.peek().text === "(") return functionDefinition(c, start, isStatic);
  const after = c.peek();
  if (c.token.kind === "name" && after.text === "(" && !after.newline) {
    const method = functionDefinition(c, start, isStatic);
    return method;
  }
  if (modifiers === 0 && !endsDeclared(after)) {
    c.rewind(at);
    return undefined;
  }
  return variables(c, start, type);
}

const modifierWords = new Set([
  "def",
  "var",
  "final",
  "static",
  "private",
  "public",
  "protected",
  "transient",
]);

function endsDeclared(after: {
  readonly kind: string;
  readonly text: string;
  readonly newline: boolean;
}): boolean {
  return (
    after.newline ||
    after.kind === "end" ||
    after.text === "=" ||
    after.text === ";" ||
    after.text === "}" ||
    after.text === ","
  );
}

function variables(c: Cursor, start: number, written: TypeName | undefined): Statement {
  const name = c.name("the name of a variable");
  let type = written;
  if (c.at(":") && c.peek().kind === "name") {
    c.next();
    type = parseDeclaredType(c);
  }
  const value = c.accept("=") ? expression(c) : undefined;
  const first: Statement = {
    kind: "declare",
    span: c.spanFrom(start),
    name,
    ...defined({ type }),
    value,
  };
  if (!c.at(",")) return first;
  // `def a = 1, b = 2`: a block that declares in its surroundings.
  const all: Statement[] = [first];
  while (c.accept(",")) all.push(variables(c, c.token.start, written));
  return {
    kind: "labeled",
    span: c.spanFrom(start),
    label: { text: "", span: first.span },
    statement: several(all),
  };
}

/** Declarations of one statement: `if (true) …` would have its own scope, so they are nested labels. */
function several(all: readonly Statement[]): Statement {
  const [first, ...rest] = all;
  if (first === undefined) throw new Error("declarations are at least one");
  if (rest.length === 0) return first;
  return {
    kind: "for",
    span: first.span,
    initial: all,
    condition: { kind: "boolean", span: first.span, value: false },
    update: [],
    body: [],
  };
}

function destructure(c: Cursor, start: number): Statement {
  c.expect("(");
  const names = [];
  do {
    typeBeforeName(c);
    names.push(c.name("the name of a variable"));
    if (c.accept(":")) parseDeclaredType(c);
  } while (c.accept(","));
  c.expect(")");
  c.expect("=");
  const value = expression(c);
  return { kind: "destructure", span: c.spanFrom(start), names, value, declares: true };
}

/** `(a, b) = …` */
function assignSeveral(c: Cursor): Statement | undefined {
  const { start } = c.token;
  const names = c.attempt("several", () => {
    c.expect("(");
    const found = [];
    do found.push(c.name("the name of a variable"));
    while (c.accept(","));
    c.expect(")");
    if (!c.at("=") || found.length < 2) return undefined;
    c.next();
    return found;
  });
  if (names === undefined) return undefined;
  const value = expression(c);
  return { kind: "destructure", span: c.spanFrom(start), names, value, declares: false };
}

export function functionDefinition(
  c: Cursor,
  start: number,
  isStatic: boolean,
): Statement & { kind: "function" } {
  const token = c.token;
  if (token.kind !== "name" && token.kind !== "string") c.fail("the name of a function");
  c.next();
  const name = {
    text: token.kind === "string" ? (token.value ?? "") : token.text,
    span: { start: token.start, end: token.end },
  };
  c.expect("(");
  const parameters: readonly ParameterNode[] = parameterList(c);
  c.expect(")");
  if (c.accept("->")) parseDeclaredType(c);
  if (c.acceptWord("throws"))
    do parseType(c);
    while (c.accept(","));
  if (!c.at("{")) c.fail('"{" and the body of the function');
  const body = block(c);
  return { kind: "function", span: c.spanFrom(start), name, parameters, body, isStatic };
}

// --- expressions as statements, and calls without parentheses

function expressionStatement(c: Cursor): Statement {
  const { start } = c.token;
  const outer = c.statementStart;
  c.statementStart = start;
  const value = expression(c);
  c.statementStart = outer;
  if (value.kind === "call" && c.at(",") && c.peek().kind === "name" && c.peek(2).text === ":") {
    // `path("x"), emit: y`: a declaration with parentheses around its first word.
    const more: Argument[] = [];
    while (c.accept(",")) more.push(argument(c));
    const call: Expression = { ...value, span: c.spanFrom(start), arguments: [...value.arguments, ...more] };
    return { kind: "expression", span: c.spanFrom(start), expression: call };
  }
  if (!isCommand(value) || !startsArgument(c))
    return { kind: "expression", span: c.spanFrom(start), expression: value };
  const given: Argument[] = [];
  do given.push(argument(c));
  while (c.accept(","));
  let call: Expression = {
    kind: "call",
    span: c.spanFrom(start),
    callee: value,
    arguments: given,
    command: true,
  };
  // `a b c d` is `a(b).c(d)`.
  while (c.token.kind === "name" && !c.separated && !operatorWords.has(c.token.text)) {
    const word = c.name("a word");
    const object: Expression = {
      kind: "property",
      span: c.spanFrom(start),
      object: call,
      name: word.text,
      nameSpan: word.span,
      how: "plain",
    };
    if (c.separated) {
      call = object;
      break;
    }
    call = { kind: "call", span: c.spanFrom(start), callee: object, arguments: [argument(c)], command: true };
  }
  return { kind: "expression", span: c.spanFrom(start), expression: call };
}

function isCommand(value: Expression): boolean {
  return value.kind === "name" || (value.kind === "property" && value.how === "plain");
}

const operatorWords = new Set(["in", "as", "instanceof"]);

function startsArgument(c: Cursor): boolean {
  const { kind, text, space, newline, end } = c.token;
  if (newline || !space) return false;
  switch (kind) {
    case "name":
      return !operatorWords.has(text);
    case "number":
    case "string":
    case "gstring":
      return true;
    case "op":
      if (text === "[" || text === "{" || text === "~") return true;
      // `foo !x`, `foo -x`: an operator of what follows where only that touches it.
      return (text === "!" || text === "*") && c.peek().start === end;
    default:
      return false;
  }
}
