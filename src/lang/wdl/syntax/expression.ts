/**
 * Expressions: precedence climbing over the operators, one function per production.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#expressions
 */
import type { BinaryOperator, Expression, MapEntry, Name } from "./ast.ts";
import { type Cursor, longestChain } from "./cursor.ts";
import * as wrong from "./diagnostics.ts";
import type { TokenKind } from "./lexer.ts";
import { skipToClose } from "./skip.ts";
import { parsePlainString, parseString } from "./text.ts";

/** Higher binds tighter; all are left-associative. */
const precedence: Partial<Record<TokenKind, number>> = {
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "%": 6,
  "**": 7,
};

const expected = "an expression";

function errorExpression(span: { readonly start: number; readonly end: number }): Expression {
  return { kind: "error", span };
}

/** `expression = conditional | binary` */
export function parseExpression(c: Cursor): Expression {
  return c.nested(() => parseBinary(c, 1), errorExpression);
}

/** `binary = unary (operator unary)*` */
function parseBinary(c: Cursor, least: number): Expression {
  const { start } = c;
  let left = parseUnary(c);
  let height = c.height;
  for (;;) {
    const binding = precedence[c.kind];
    if (binding === undefined || binding < least) break;
    const operator = c.kind as BinaryOperator;
    const operatorSpan = c.span;
    if (operator === "**") c.needs("1.2", "the operator **", operatorSpan);
    c.next();
    const right = parseBinary(c, binding + 1);
    height = Math.max(height, c.height) + 1;
    if (height > longestChain) return c.giveUp(errorExpression);
    left = { kind: "binary", span: c.spanFrom(start), operator, operatorSpan, left, right };
  }
  c.height = height;
  return left;
}

/** `unary = ('-' | '+' | '!') unary | postfix` */
function parseUnary(c: Cursor): Expression {
  const { start } = c;
  const operator = c.at("-") ? "-" : c.at("!") ? "!" : c.at("+") ? "+" : undefined;
  if (operator === undefined) return parsePostfix(c);
  c.next();
  const operand = c.nested(() => parseUnary(c), errorExpression);
  c.height++;
  return { kind: "unary", span: c.spanFrom(start), operator, operand };
}

/** `postfix = primary ('.' name | '[' expression ']')*` */
function parsePostfix(c: Cursor): Expression {
  const { start } = c;
  let object = parsePrimary(c);
  let height = c.height;
  for (;;) {
    if (c.at(".")) {
      c.next();
      object = { kind: "member", span: { start, end: c.end }, object, name: c.useName("a member name") };
      height++;
    } else if (c.at("[")) {
      const opened = c.span;
      c.next();
      const index = parseExpression(c);
      height = Math.max(height, c.height) + 1;
      if (!c.close("]", opened)) skipToClose(c, "]");
      object = { kind: "index", span: c.spanFrom(start), object, index };
    } else break;
    if (height > longestChain) return c.giveUp(errorExpression);
  }
  c.height = height;
  return object;
}

/** `primary = literal | name | application | '(' expression ')' | pair | array | map | object | struct` */
function parsePrimary(c: Cursor): Expression {
  c.height = 1;
  switch (c.kind) {
    case "quote":
    case "<<<": {
      const text = parseString(c);
      c.height++;
      return text;
    }
    case "int":
      return parseInt64(c);
    case "float":
      return parseFloat64(c);
    case "(":
      return parseParenthesised(c);
    case "[":
      return parseArray(c);
    case "{":
      return parseMap(c);
    case "name":
      return parseWord(c);
    default: {
      const span = { start: c.start, end: c.start };
      c.unexpected(expected);
      return errorExpression(span);
    }
  }
}

/** A literal without operators, as placeholder options take it. */
export function parseLiteral(c: Cursor): Expression {
  const { start } = c;
  if (!c.at("-")) return parsePrimary(c);
  c.next();
  const operand = parsePrimary(c);
  return { kind: "unary", span: c.spanFrom(start), operator: "-", operand };
}

/** `int = '0' | [1-9][0-9]* | '0'[0-7]+ | '0x'[0-9a-fA-F]+` */
export function parseInt64(c: Cursor): Extract<Expression, { kind: "int" }> {
  const { word, span } = c;
  c.next();
  const octal = /^0[0-9]/.test(word);
  if (!/^(?:0|[1-9][0-9]*|0[0-7]+|0[xX][0-9a-fA-F]+)$/.test(word)) {
    c.report(wrong.badNumber(c.place(span), word));
    return { kind: "int", span, value: 0n };
  }
  // 22 octal digits hold 64 bits; anything much longer is refused before it becomes a huge bigint.
  const value = word.length > 64 ? 1n << 64n : BigInt(octal ? `0o${word.slice(1)}` : word);
  if (value > 1n << 63n) c.report(wrong.intTooLarge(c.place(span)));
  return { kind: "int", span, value };
}

/** `float = [0-9]+ '.' [0-9]* exponent? | '.' [0-9]+ exponent? | [0-9]+ exponent` */
export function parseFloat64(c: Cursor): Extract<Expression, { kind: "float" }> {
  const { word, span } = c;
  c.next();
  const value = Number(word);
  if (!Number.isNaN(value)) return { kind: "float", span, value };
  c.report(wrong.badNumber(c.place(span), word));
  return { kind: "float", span, value: 0 };
}

/** `parenthesised = '(' expression ')'`, `pair = '(' expression ',' expression ')'` */
function parseParenthesised(c: Cursor): Expression {
  const opened = c.span;
  c.next();
  const left = parseExpression(c);
  let height = c.height;
  if (!c.accept(",")) {
    if (!c.close(")", opened)) skipToClose(c, ")");
    return left;
  }
  const right = parseExpression(c);
  height = Math.max(height, c.height);
  if (!c.close(")", opened)) skipToClose(c, ")");
  c.height = height + 1;
  return { kind: "pair", span: c.spanFrom(opened.start), left, right };
}

/** `array = '[' (expression (',' expression)* ','?)? ']'` */
function parseArray(c: Cursor): Expression {
  const opened = c.span;
  c.next();
  const items = parseList(c, "]", opened, () => parseExpression(c));
  return { kind: "array", span: c.spanFrom(opened.start), items };
}

/** `map = '{' (expression ':' expression (',' …)* ','?)? '}'` */
function parseMap(c: Cursor): Expression {
  const opened = c.span;
  c.next();
  const entries = parseList(c, "}", opened, (): MapEntry => {
    const key = parseExpression(c);
    const height = c.height;
    if (!c.expect(":", '":" after the key')) return { key, value: errorExpression(c.span) };
    const value = parseExpression(c);
    c.height = Math.max(height, c.height);
    return { key, value };
  });
  return { kind: "map", span: c.spanFrom(opened.start), entries };
}

/** What starts with a word: literals, `if`, `object`, applications, struct literals, names. */
function parseWord(c: Cursor): Expression {
  const { span, word } = c;
  switch (word) {
    case "true":
    case "false":
      c.next();
      return { kind: "boolean", span, value: word === "true" };
    case "None":
      c.next();
      c.needs("1.1", "None", span);
      return { kind: "none", span };
    case "if":
      return parseConditional(c);
    case "object":
      if (c.peek() === "{") {
        c.next();
        return { kind: "object", members: parseMembers(c), span: c.spanFrom(span.start) };
      }
      break;
    case "hints":
    case "input":
    case "output":
      if (c.peek() === "{") {
        c.next();
        c.needs("1.2", `${word} {…}`, span);
        return { kind: "hints", form: word, members: parseMembers(c), span: c.spanFrom(span.start) };
      }
      break;
    case "then":
    case "else":
      c.unexpected(expected);
      return errorExpression({ start: span.start, end: span.start });
    default:
  }
  c.next();
  if (c.at("(")) return parseApplication(c, { text: word, span });
  if (c.at("{")) {
    c.needs("1.1", "a struct literal", span);
    return {
      kind: "object",
      type: { text: word, span },
      members: parseMembers(c),
      span: c.spanFrom(span.start),
    };
  }
  return { kind: "name", span, name: word };
}

/** `conditional = 'if' expression 'then' expression 'else' expression` */
function parseConditional(c: Cursor): Expression {
  const { start } = c;
  c.next();
  const condition = parseExpression(c);
  let height = c.height;
  if (!c.acceptWord("then")) {
    c.unexpected('"then"');
    return errorExpression(c.spanFrom(start));
  }
  const then = parseExpression(c);
  height = Math.max(height, c.height);
  if (!c.acceptWord("else")) {
    c.unexpected('"else"', "an if expression needs both then and else");
    return errorExpression(c.spanFrom(start));
  }
  const otherwise = parseExpression(c);
  c.height = Math.max(height, c.height) + 1;
  return { kind: "conditional", span: c.spanFrom(start), condition, then, else: otherwise };
}

/** `application = name '(' (expression (',' expression)*)? ')'` */
function parseApplication(c: Cursor, name: Name): Expression {
  const opened = c.span;
  c.next();
  const list = parseList(c, ")", opened, () => parseExpression(c));
  return { kind: "apply", span: c.spanFrom(name.span.start), function: name, arguments: list };
}

/** `members = '{' (name ':' expression (',' …)* ','?)? '}'`; names may be dotted in hints. */
function parseMembers(c: Cursor): { name: Name; value: Expression }[] {
  const opened = c.span;
  c.next();
  return parseList(c, "}", opened, () => {
    let name = c.at("quote") ? parseQuotedMember(c) : c.useName("a member name");
    while (c.accept(".")) {
      const part = c.useName("a member name");
      name = { text: `${name.text}.${part.text}`, span: { start: name.span.start, end: part.span.end } };
    }
    if (!c.expect(":", '":" after the member name')) return { name, value: errorExpression(c.span) };
    return { name, value: parseExpression(c) };
  });
}

/** The names of members stand without quotes; with them it is a map. Reported, and read as what was meant. */
function parseQuotedMember(c: Cursor): Name {
  c.unexpected("a member name", "member names stand without quotes");
  const { text, node } = parsePlainString(c);
  return { text, span: node.span };
}

/** Items between brackets, with an optional trailing comma. The opening bracket is already taken. */
function parseList<T>(
  c: Cursor,
  close: "]" | ")" | "}",
  opened: { readonly start: number; readonly end: number },
  item: () => T,
): T[] {
  const items: T[] = [];
  let height = 0;
  while (!c.at(close) && !c.at("end")) {
    const { start } = c;
    items.push(item());
    height = Math.max(height, c.height);
    if (c.accept(",")) continue;
    if (c.at(close)) break;
    c.close(close, opened);
    if (c.start === start) c.next();
    skipToClose(c, close);
    c.height = height + 1;
    return items;
  }
  c.close(close, opened);
  c.height = height + 1;
  return items;
}
