/** Process definitions. */
import type { Expression, Name, ProcessBody, ProcessNode, Statement } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import * as wrong from "./diagnostics.ts";
import { sections } from "./sections.ts";

const labels = ["input", "stage", "output", "topic", "when", "script", "shell", "exec", "stub"];

export function processDefinition(c: Cursor): ProcessNode {
  const { start } = c.next();
  const token = c.token;
  const name: Name =
    token.kind === "string"
      ? { text: token.value ?? "", span: { start: token.start, end: token.end } }
      : c.name("the name of the process");
  if (token.kind === "string") c.next();
  c.expect("{");
  const found = sections(c, labels);
  c.expect("}", 'a statement or "}"');
  const top = found.get("") ?? [];
  const script = bodyOf(c, found, name);
  const split = script === undefined && !found.has("stub") ? implicitScript(found, top) : undefined;
  return {
    kind: "process",
    span: c.spanFrom(start),
    name,
    directives: split?.directives ?? top,
    inputs: split?.inputs ?? found.get("input") ?? [],
    outputs: split?.outputs ?? found.get("output") ?? [],
    stages: found.get("stage") ?? [],
    topics: found.get("topic") ?? [],
    when: split?.when ?? whenOf(found.get("when")),
    script: script ?? split?.script,
    stub: found.get("stub"),
    typed:
      found.has("stage") ||
      found.has("topic") ||
      [...(found.get("input") ?? []), ...(found.get("output") ?? [])].some(isTyped),
  };
}

/** `x: Path`, `tuple(x: Path)`, `y: Path = file('y')` */
function isTyped(node: Statement): boolean {
  if (node.kind === "declare") return true;
  return (
    node.kind === "expression" &&
    node.expression.kind === "call" &&
    node.expression.arguments.some(
      ({ name, value }) => name !== undefined && value.kind === "as" && value.value.kind === "name",
    )
  );
}

function whenOf(statements: readonly Statement[] | undefined): Expression | undefined {
  const last = statements?.at(-1);
  return last?.kind === "expression" ? last.expression : undefined;
}

function bodyOf(
  c: Cursor,
  found: ReadonlyMap<string, readonly Statement[]>,
  name: Name,
): ProcessBody | undefined {
  const bodies = (["script", "shell", "exec"] as const).filter((each) => found.has(each));
  const [kind, second] = bodies;
  if (second !== undefined)
    c.report(wrong.duplicate(c.place(name.span), `the script of the process ${name.text}`));
  return kind === undefined ? undefined : { kind, statements: found.get(kind) ?? [] };
}

interface Split {
  readonly directives: readonly Statement[];
  readonly inputs: readonly Statement[];
  readonly outputs: readonly Statement[];
  readonly when: Expression | undefined;
  readonly script: ProcessBody | undefined;
}

/** Without `script:` the script is the end of the last section: from the first statement that is not a declaration. */
function implicitScript(
  found: ReadonlyMap<string, readonly Statement[]>,
  top: readonly Statement[],
): Split | undefined {
  const order = (["output", "input", "when"] as const).filter((each) => found.has(each));
  const last = [...found.keys()].at(-1) ?? "";
  if (last === "when") {
    const [condition, ...rest] = found.get("when") ?? [];
    return {
      directives: top,
      inputs: found.get("input") ?? [],
      outputs: found.get("output") ?? [],
      when: condition?.kind === "expression" ? condition.expression : undefined,
      script: { kind: "script", statements: rest },
    };
  }
  const section = order.length === 0 ? top : (found.get(last) ?? []);
  const at = section.findIndex((each) => startsScript(each));
  if (at < 0) return undefined;
  const [head, script] = [section.slice(0, at), section.slice(at)];
  return {
    directives: last === "" ? head : top,
    inputs: last === "input" ? head : (found.get("input") ?? []),
    outputs: last === "output" ? head : (found.get("output") ?? []),
    when: whenOf(found.get("when")),
    script: { kind: "script", statements: script },
  };
}

function startsScript(node: Statement): boolean {
  switch (node.kind) {
    case "expression":
      return (
        node.expression.kind === "string" ||
        node.expression.kind === "gstring" ||
        node.expression.kind === "assign" ||
        (node.expression.kind === "call" &&
          node.expression.callee.kind === "name" &&
          node.expression.callee.name === "template")
      );
    case "labeled":
      return false;
    default:
      return true;
  }
}
