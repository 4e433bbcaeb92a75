/** The labelled sections of a process or workflow body. */
import type { Statement } from "./ast.ts";
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
  return typed ?? statement(c);
}
