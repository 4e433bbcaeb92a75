/** Types as they are written. https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#types */
import type { TypeNode } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { skipToClose } from "./skip.ts";

const primitives = {
  Boolean: "boolean",
  Int: "int",
  Float: "float",
  String: "string",
  File: "file",
} as const;

function errorType(span: { readonly start: number; readonly end: number }): TypeNode {
  return { kind: "error", span, optional: false };
}

/** `type = (primitive | 'Array[' type ']' '+'? | 'Map[' type ',' type ']' | 'Pair[' type ',' type ']' | name) '?'?` */
export function parseType(c: Cursor): TypeNode {
  return c.nested(() => parseTypeHere(c), errorType);
}

function parseTypeHere(c: Cursor): TypeNode {
  const { start, word, span } = c;
  if (!c.at("name")) {
    c.unexpected("a type");
    return errorType({ start, end: start });
  }
  c.next();
  switch (word) {
    case "Boolean":
    case "Int":
    case "Float":
    case "String":
    case "File":
      return { kind: primitives[word], optional: c.accept("?"), span: c.spanFrom(start) };
    case "Directory":
      if (c.has("1.2")) return { kind: "directory", optional: c.accept("?"), span: c.spanFrom(start) };
      break;
    case "Object":
      return { kind: "object", optional: c.accept("?"), span: c.spanFrom(start) };
    case "Array": {
      const [item] = parseArguments(c, word, 1);
      const nonEmpty = c.accept("+");
      return {
        kind: "array",
        item: item ?? errorType(span),
        nonEmpty,
        optional: c.accept("?"),
        span: c.spanFrom(start),
      };
    }
    case "Map": {
      const [key, value] = parseArguments(c, word, 2);
      return {
        kind: "map",
        key: key ?? errorType(span),
        value: value ?? errorType(span),
        optional: c.accept("?"),
        span: c.spanFrom(start),
      };
    }
    case "Pair": {
      const [left, right] = parseArguments(c, word, 2);
      return {
        kind: "pair",
        left: left ?? errorType(span),
        right: right ?? errorType(span),
        optional: c.accept("?"),
        span: c.spanFrom(start),
      };
    }
    default:
  }
  return { kind: "named", name: word, optional: c.accept("?"), span: c.spanFrom(start) };
}

/** `'[' type (',' type)* ']'` */
function parseArguments(c: Cursor, name: string, count: 1 | 2): TypeNode[] {
  const opened = c.span;
  const example = count === 1 ? "[T]" : "[A, B]";
  if (!c.expect("[", `"[" after ${name}, as in ${name}${example}`)) return [];
  const types = [parseType(c)];
  while (types.length < count) {
    if (!c.expect(",", `"," and a second type, as in ${name}${example}`)) break;
    types.push(parseType(c));
  }
  if (!c.close("]", opened)) skipToClose(c, "]");
  return types;
}
