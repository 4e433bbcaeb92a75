/** What tasks, workflows and structs have in common: declarations, attribute sections, metadata. */

import { atOnce, didYouMean, type Steps } from "../../../kernel/index.ts";
import type { Attribute, AttributeSection, Declaration, MetaEntry, MetaSection, MetaValue } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import * as wrong from "./diagnostics.ts";
import { parseExpression, parseFloat64, parseInt64 } from "./expression.ts";
import { atSeparator, skipBlock, skipSeparators, skipToClose, skipToNext } from "./skip.ts";
import { parsePlainString } from "./text.ts";
import { parseType } from "./type-syntax.ts";

/** `'{' item* '}'`. An item answers false when it could not be read; then the next line that looks like one is sought. */
export function parseBlock(c: Cursor, what: string, item: () => boolean): void {
  atOnce(blockInSteps(c, what, item));
}

/** As `parseBlock`, and pauses after each item: blocks may be as long as the document. */
export function* blockInSteps(
  c: Cursor,
  what: string,
  item: () => boolean | Steps<boolean>,
): Steps<undefined> {
  const opened = c.span;
  if (!c.expect("{", `"{" to open ${what}`)) return;
  let separators: "none" | "some" = "none";
  while (!c.at("}") && !c.at("end")) {
    const { start } = c;
    const read = item();
    if (!(typeof read === "boolean" ? read : yield* read)) skipToNext(c, start);
    separators = skipSeparators(c, separators, "declarations");
    yield;
  }
  c.close("}", opened);
}

const sectionNames = [
  "input",
  "output",
  "command",
  "runtime",
  "requirements",
  "hints",
  "meta",
  "parameter_meta",
  "scatter",
];

/** `declaration = 'env'? type name ('=' expression)?`; undefined when there is nothing like one. */
export function parseDeclaration(c: Cursor): Declaration | undefined {
  const { start } = c;
  let env = false;
  if (c.atWord("env") && c.has("1.2") && c.peek() === "name") {
    env = true;
    c.next();
  }
  const type = parseType(c);
  if (type.kind === "error" && c.start === start) return undefined;
  if (type.kind === "named" && c.at("{")) {
    // A section whose name is misspelt looks like a declaration until its brace.
    const near = didYouMean(type.name, sectionNames);
    c.unexpected("a name for the declaration", near === undefined ? undefined : `did you mean ${near}?`);
    skipBlock(c);
    return undefined;
  }
  const name = c.declareName("a name for the declaration");
  if (name.text === "") return undefined;
  if (!c.accept("=")) return { kind: "declaration", span: c.spanFrom(start), type, name, env };
  const expression = parseExpression(c);
  return { kind: "declaration", span: c.spanFrom(start), type, name, env, expression };
}

/** After a declaration: what cannot continue it, on the same line, is reported here instead of as a strange type. */
export function endOfItem(c: Cursor, what: "declaration" | "value" | "call" = "declaration"): boolean {
  const started =
    c.at("name") && !c.atWord("then") && !c.atWord("else") && !(c.atWord("if") && c.peek() !== "(");
  if (c.newlineBefore || c.at("}") || c.at("end") || started || atSeparator(c)) return true;
  const help = c.atWord("if") ? "a choice is written if … then … else …" : undefined;
  c.unexpected(`the end of the ${what}`, help);
  return false;
}

/** `input = 'input' '{' declaration* '}'`, `output = 'output' '{' bound declaration* '}'` */
export function parseDeclarations(c: Cursor, what: "an input" | "an output"): Declaration[] {
  return atOnce(declarationsInSteps(c, what));
}

export function* declarationsInSteps(c: Cursor, what: "an input" | "an output"): Steps<Declaration[]> {
  const declarations: Declaration[] = [];
  yield* blockInSteps(c, what === "an input" ? "the input section" : "the output section", () => {
    const declaration = parseDeclaration(c);
    if (declaration === undefined) return false;
    declarations.push(declaration);
    if (what === "an output" && declaration.expression === undefined)
      c.report(wrong.unboundDeclaration(c.place(declaration.span), declaration.name.text, "the output"));
    return endOfItem(c);
  });
  return declarations;
}

/** `runtime = 'runtime' '{' (name ':' expression)* '}'`, likewise `requirements` and `hints`. */
export function parseAttributes(c: Cursor, section: string): AttributeSection {
  const start = c.previousEnd - section.length;
  const attributes: Attribute[] = [];
  parseBlock(c, `the ${section} section`, () => {
    const attribute = parseAttribute(c);
    if (attribute === undefined) return false;
    attributes.push(attribute);
    return endOfItem(c, "value");
  });
  return { span: c.spanFrom(start), attributes };
}

function parseAttribute(c: Cursor): Attribute | undefined {
  const { start } = c;
  const name = c.useName("an attribute name");
  if (name.text === "" || !c.expect(":", `":" after ${name.text}`)) return undefined;
  const expression = parseExpression(c);
  return { span: c.spanFrom(start), name, expression };
}

/** `meta = 'meta' '{' (name ':' metaValue)* '}'`, likewise `parameter_meta`. */
export function parseMeta(c: Cursor, section: string): MetaSection {
  const start = c.previousEnd - section.length;
  const entries: MetaEntry[] = [];
  parseBlock(c, `the ${section} section`, () => {
    const entry = parseMetaEntry(c);
    if (entry === undefined) return false;
    entries.push(entry);
    // Not in the grammar, yet written by many and taken by the other engines.
    c.accept(",");
    return endOfItem(c, "value");
  });
  return { span: c.spanFrom(start), entries };
}

function parseMetaEntry(c: Cursor): MetaEntry | undefined {
  const name = c.at("quote") ? quotedName(c) : c.useName("a key");
  if (name.text === "" || !c.expect(":", `":" after ${name.text}`)) return undefined;
  return { name, value: parseMetaValue(c) };
}

function quotedName(c: Cursor): { text: string; span: { start: number; end: number } } {
  const { text, node } = parsePlainString(c);
  return { text, span: node.span };
}

/** `metaValue = 'null' | boolean | number | string | '[' metaValue, … ']' | '{' name ':' metaValue, … '}'` */
function parseMetaValue(c: Cursor): MetaValue {
  return c.nested<MetaValue>(
    () => parseMetaHere(c),
    (span) => ({ kind: "null", span }),
  );
}

function parseMetaHere(c: Cursor): MetaValue {
  const { start, span } = c;
  switch (c.kind) {
    case "quote":
    case "<<<": {
      const { text } = parsePlainString(c);
      return { kind: "string", span: c.spanFrom(start), value: text };
    }
    case "-":
    case "+":
    case "int":
    case "float":
      return parseMetaNumber(c);
    case "[":
      return parseMetaArray(c);
    case "{":
      return parseMetaObject(c);
    case "name": {
      const { word } = c;
      if (word === "true" || word === "false") {
        c.next();
        return { kind: "boolean", span, value: word === "true" };
      }
      if (word === "null" || word === "None") {
        c.next();
        return { kind: "null", span };
      }
      if (word === "object" && c.peek() === "{") {
        c.next();
        return parseMetaObject(c);
      }
      break;
    }
    default:
  }
  c.unexpected(
    "a value",
    "metadata holds plain values: strings, numbers, true, false, null, arrays and objects",
  );
  return { kind: "null", span: { start, end: start } };
}

function parseMetaNumber(c: Cursor): MetaValue {
  const { start } = c;
  const negative = c.accept("-");
  if (!negative) c.accept("+");
  if (c.at("float")) {
    const { value } = parseFloat64(c);
    return { kind: "float", span: c.spanFrom(start), value: negative ? -value : value };
  }
  if (!c.at("int")) {
    c.unexpected("a number");
    return { kind: "null", span: c.spanFrom(start) };
  }
  const { value } = parseInt64(c);
  return { kind: "int", span: c.spanFrom(start), value: negative ? -value : value };
}

function parseMetaArray(c: Cursor): MetaValue {
  const opened = c.span;
  c.next();
  const items: MetaValue[] = [];
  while (!c.at("]") && !c.at("end")) {
    items.push(parseMetaValue(c));
    if (!c.accept(",")) break;
  }
  if (!c.close("]", opened)) skipToClose(c, "]");
  return { kind: "array", span: c.spanFrom(opened.start), items };
}

function parseMetaObject(c: Cursor): MetaValue {
  const opened = c.span;
  c.next();
  const entries: MetaEntry[] = [];
  while (!c.at("}") && !c.at("end")) {
    const entry = parseMetaEntry(c);
    if (entry === undefined) break;
    entries.push(entry);
    if (!c.accept(",") && !(c.at("name") && c.newlineBefore)) break;
  }
  if (!c.close("}", opened)) skipToClose(c, "}");
  return { kind: "object", span: c.spanFrom(opened.start), entries };
}
