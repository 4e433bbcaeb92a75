/** The labelled sections of a process or workflow body. */
import type { Name, Statement, TypeName } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { expression } from "./expression.ts";
import { statement } from "./statement.ts";
import { isTypeText, parseDeclaredType } from "./types.ts";

/** Statements by section, up to the closing `}`; those before any label under "". */
export function sections(c: Cursor, labels: readonly string[]): ReadonlyMap<string, readonly Statement[]> {
  const found = new Map<string, Statement[]>();
  let current: Statement[] = [];
  found.set("", current);
  while (!c.ended && !c.at("}")) {
    if (c.accept(";")) continue;
    const label = sectionLabel(c, labels);
    if (label !== undefined) {
      c.next();
      c.next();
      current = found.get(label) ?? [];
      found.set(label, current);
      continue;
    }
    current.push(
      c.guarded(
        () => {
          const one = sectionStatement(c);
          if (!c.separated && sectionLabel(c, labels) === undefined) c.fail("the end of the statement");
          return one;
        },
        (start) => {
          const from = c.token.start;
          if (c.position === start) c.next();
          c.skipStatement();
          const span = c.spanFrom(from);
          return { kind: "expression", span, expression: { kind: "broken", span } };
        },
      ),
    );
  }
  return found;
}

function sectionLabel(c: Cursor, labels: readonly string[]): string | undefined {
  const { kind, text } = c.token;
  const next = c.peek();
  if (kind !== "name" || next.kind !== "op" || next.text !== ":" || !labels.includes(text)) return undefined;
  // `shell: String` among typed inputs is an input that has the name of a section.
  const after = c.peek(2);
  return after.kind === "name" && !after.newline && /^[A-Z][a-z]/.test(after.text) ? undefined : text;
}

/** A statement, or `name: Type` and `name: Type = value` of typed sections. */
function sectionStatement(c: Cursor): Statement {
  const { start } = c.token;
  const typed = c.attempt("typed", () => {
    const name = c.name("a name");
    if (!c.accept(":") || c.token.kind !== "name" || !isTypeText(c.token.text)) return undefined;
    const type = parseDeclaredType(c);
    if (!c.at("=") && !c.separated) return undefined;
    const value = c.accept("=") ? expression(c) : undefined;
    const declared: Statement = { kind: "declare", span: c.spanFrom(start), name, type, value };
    return declared;
  });
  return typed ?? typedMembers(c) ?? statement(c);
}

/** `tuple(id: String, reads: List<Path>)`, `record(…)`, and `(id, reads): Tuple<String, List<Path>>` of 25.10. */
function typedMembers(c: Cursor): Statement | undefined {
  const { start } = c.token;
  return c.attempt("typed members", () => {
    const span = c.span;
    const callee = c.atWord("record") ? "record" : "tuple";
    const named = c.acceptWord("tuple") || c.acceptWord("record");
    if (!c.accept("(")) return undefined;
    const members: { readonly name: Name; readonly type: TypeName | undefined }[] = [];
    do {
      if (c.at(")")) break;
      if (c.token.kind !== "name") return undefined;
      const name = c.name("a name");
      if (!named) members.push({ name, type: undefined });
      else if (!c.accept(":") || c.token.kind !== "name" || !isTypeText(c.token.text)) return undefined;
      else members.push({ name, type: parseDeclaredType(c) });
    } while (c.accept(","));
    if (!c.accept(")") || members.length === 0) return undefined;
    let types: readonly TypeName[] = [];
    if (!named) {
      if (!c.accept(":") || c.token.kind !== "name" || !isTypeText(c.token.text)) return undefined;
      types = parseDeclaredType(c).arguments;
    }
    if (!c.separated) return undefined;
    return {
      kind: "expression",
      span: c.spanFrom(start),
      expression: {
        kind: "call",
        span: c.spanFrom(start),
        callee: { kind: "name", span, name: callee },
        arguments: members.map(({ name, type }, index) => ({
          name,
          value: {
            kind: "as" as const,
            span: name.span,
            value: { kind: "name" as const, span: name.span, name: name.text },
            type: type ?? types[index] ?? { ...anyType, span: name.span },
          },
        })),
        command: false,
      },
    };
  });
}

const anyType = { name: "Object", arguments: [], optional: true, array: false } as const;
