/** Classes of old scripts and of `lib/`, enumerations and records: fields, methods and static helpers. */
import { defined } from "../../../kernel/index.ts";
import type { ClassNode, FunctionNode, Name, Statement } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { expression } from "./expression.ts";
import { parseDeclaredType, parseType, typeBeforeName } from "./types.ts";

interface Productions {
  readonly statements: (c: Cursor) => readonly Statement[];
  readonly method: (c: Cursor, start: number, isStatic: boolean) => FunctionNode;
}

/** undefined: the word is a name here. */
export function classDefinition(c: Cursor, productions: Productions): ClassNode | undefined {
  const { start } = c.token;
  const at = c.position;
  while (c.atWord("abstract")) c.next();
  const word = c.token.text;
  const second = c.peek();
  if (c.token.kind !== "name" || second.kind !== "name" || second.newline || !/^[A-Z_]/.test(second.text)) {
    c.rewind(at);
    return undefined;
  }
  c.next();
  const name = c.name("the name of a class");
  const parent = c.acceptWord("extends") ? parseType(c) : undefined;
  if (c.acceptWord("implements"))
    do parseType(c);
    while (c.accept(","));
  if (!c.at("{")) {
    c.rewind(at);
    return undefined;
  }
  c.next();
  const what = word === "enum" ? "enum" : word === "record" ? "record" : "class";
  const fields: ClassNode["fields"][number][] = [];
  const methods: FunctionNode[] = [];
  const nested: ClassNode[] = [];
  const constants: Name[] = what === "enum" ? enumNames(c) : [];
  for (;;) {
    while (c.accept(";"));
    if (c.at("}") || c.ended) break;
    if (what === "record") fields.push(recordField(c));
    else member(c, productions, name.text, { fields, methods, nested });
  }
  c.expect("}");
  return { kind: "class", span: c.spanFrom(start), name, what, parent, fields, methods, constants, nested };
}

function enumNames(c: Cursor): Name[] {
  const names: Name[] = [];
  while (c.token.kind === "name") {
    names.push(c.name("a name"));
    if (!c.accept(",")) break;
  }
  return names;
}

function recordField(c: Cursor): ClassNode["fields"][number] {
  const name = c.name("the name of a field");
  c.expect(":");
  const type = parseDeclaredType(c);
  c.accept(",");
  return { name, type, value: undefined, isStatic: false };
}

const modifiers = new Set([
  "static",
  "final",
  "private",
  "public",
  "protected",
  "def",
  "abstract",
  "transient",
  "synchronized",
]);

const classWords = new Set(["class", "enum", "interface", "record"]);

function member(
  c: Cursor,
  productions: Productions,
  className: string,
  into: { fields: ClassNode["fields"][number][]; methods: FunctionNode[]; nested: ClassNode[] },
): void {
  while (c.accept("@")) {
    parseType(c);
    if (c.at("(")) while (!c.accept(")")) c.next();
  }
  const { start } = c.token;
  let isStatic = false;
  while (modifiers.has(c.token.text) && c.peek().text !== "(" && c.peek().text !== "=") {
    if (c.token.text === "static") isStatic = true;
    c.next();
  }
  if (classWords.has(c.token.text)) {
    const inner = classDefinition(c, productions);
    if (inner !== undefined) {
      into.nested.push(inner);
      return;
    }
  }
  const isConstructor = c.token.text === className && c.peek().text === "(";
  const type = isConstructor ? undefined : typeBeforeName(c);
  if (c.peek().text === "(") {
    into.methods.push(productions.method(c, start, isStatic));
    return;
  }
  const name = c.name("a field or method");
  const value = c.accept("=") ? expression(c) : undefined;
  if (!c.separated) c.fail("the end of the field");
  into.fields.push({ name, ...defined({ type }), value, isStatic });
}
