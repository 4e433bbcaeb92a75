/** Type names: `List<Path>`, `java.nio.file.Path`, `String[]`, `Path?`. */
import type { TypeName } from "./ast.ts";
import type { Cursor } from "./cursor.ts";

export const primitives = new Set([
  "boolean",
  "byte",
  "char",
  "short",
  "int",
  "long",
  "float",
  "double",
  "void",
  "def",
  "var",
]);

export function parseType(c: Cursor): TypeName {
  const start = c.token.start;
  let name = c.name("a type").text;
  while (c.at(".") && c.peek().kind === "name") {
    c.next();
    name += `.${c.next().text}`;
  }
  const types: TypeName[] = [];
  if (c.at("<") && isTypeText(name)) {
    c.next();
    do {
      if (c.accept("?")) {
        if (c.acceptWord("extends") || c.acceptWord("super")) types.push(parseType(c));
        else types.push({ name: "?", arguments: [], optional: false, array: false, span: c.spanFrom(start) });
      } else types.push(parseType(c));
    } while (c.accept(","));
    c.expect(">");
  }
  let array = false;
  while (c.at("[") && c.peek().kind === "op" && c.peek().text === "]") {
    c.next();
    c.next();
    array = true;
  }
  return { name, arguments: types, optional: false, array, span: c.spanFrom(start) };
}

/** With the `?` of a type that may be null. */
export function parseDeclaredType(c: Cursor): TypeName {
  const type = parseType(c);
  if (!c.at("?") || c.token.space) return type;
  c.next();
  return { ...type, optional: true };
}

/** Whether a name looks like one of a type: the language distinguishes types from variables by their capital. */
export function isTypeText(name: string): boolean {
  return primitives.has(name) || /^(?:[a-z_][\w]*\.)*[A-Z]/.test(name);
}

/** A type before a name, as in `String x`: its own, or nothing where something else is meant. */
export function typeBeforeName(c: Cursor): TypeName | undefined {
  if (c.token.kind !== "name") return undefined;
  return c.attempt("type", () => {
    const type = parseType(c);
    if (!isTypeText(type.name) || c.token.kind !== "name" || c.token.newline) return undefined;
    if (c.atWord("in") || c.atWord("instanceof") || c.atWord("as") || c.atWord("from")) return undefined;
    return type;
  });
}
