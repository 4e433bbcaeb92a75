/** The outputs that a process declares. */
import type { Expression, ProcessNode, Statement } from "../syntax/ast.ts";
import { fail } from "../values/throwable.ts";

export interface OutputSpec {
  readonly emit: string | undefined;
  readonly topic: string | undefined;
  /** A boolean, or a closure that answers one. */
  readonly optional: Expression | undefined;
  /** One for an output without `tuple`. */
  readonly items: readonly OutputItem[];
  readonly tuple: boolean;
  /** Of typed processes: what is sent, in which the items have the names of `slotName`. */
  readonly value?: Expression;
  /** Only sent to its topic. */
  readonly hidden?: boolean;
}

export type OutputItem =
  | { readonly kind: "val"; readonly value: Expression }
  | PathOutput
  | { readonly kind: "env"; readonly name: Expression }
  | { readonly kind: "stdout" }
  | { readonly kind: "eval"; readonly command: Expression };

export interface PathOutput {
  readonly kind: "path";
  readonly pattern: Expression;
  readonly options: ReadonlyMap<string, Expression>;
  /** Of typed processes: one file, or none where it is optional; or a list of any number. */
  readonly count?: "one" | "all";
}

const common = new Set(["emit", "topic", "optional"]);

export function outputSpecs(node: ProcessNode): readonly OutputSpec[] {
  return node.outputs.map((each) => ofStatement(each));
}

function ofStatement(statement: Statement): OutputSpec {
  if (statement.kind === "declare" && statement.value !== undefined)
    return { ...ofExpression(statement.value), emit: statement.name.text };
  if (statement.kind !== "expression") return refused();
  const { expression } = statement;
  if (expression.kind === "assign" && expression.target.kind === "name")
    return { ...ofExpression(expression.value), emit: expression.target.name };
  return ofExpression(expression);
}

function ofExpression(node: Expression): OutputSpec {
  const options = new Map<string, Expression>();
  if (node.kind === "call")
    for (const { name, value } of node.arguments) if (name !== undefined) options.set(name.text, value);
  const tuple =
    node.kind === "call" &&
    node.callee.kind === "name" &&
    (node.callee.name === "tuple" || node.callee.name === "set");
  const items =
    tuple && node.kind === "call"
      ? node.arguments.flatMap(({ name, value }) => (name === undefined ? [member(value)] : []))
      : [item(node)];
  return {
    emit: word(options.get("emit")),
    topic: word(options.get("topic")),
    optional: options.get("optional"),
    items,
    tuple,
  };
}

function word(node: Expression | undefined): string | undefined {
  if (node?.kind === "name") return node.name;
  return node?.kind === "string" ? node.value : undefined;
}

/** Old tuples name values without a qualifier. */
function member(node: Expression): OutputItem {
  if (node.kind === "name" && node.name !== "stdout") return { kind: "val", value: node };
  if (node.kind === "string" || node.kind === "gstring")
    return { kind: "path", pattern: node, options: new Map() };
  return item(node);
}

function item(node: Expression): OutputItem {
  if (node.kind === "name" && node.name === "stdout") return { kind: "stdout" };
  if (node.kind !== "call" || node.callee.kind !== "name") return { kind: "val", value: node };
  const options = new Map(
    node.arguments.flatMap(({ name, value }) =>
      name === undefined || common.has(name.text) ? [] : [[name.text, value] as const],
    ),
  );
  for (const { name, value } of node.arguments) if (name?.text === "optional") options.set("optional", value);
  const [first] = node.arguments.flatMap(({ name, value }) => (name === undefined ? [value] : []));
  switch (node.callee.name) {
    case "stdout":
      return { kind: "stdout" };
    case "val":
      return first === undefined ? refused() : { kind: "val", value: first };
    case "path":
    case "file":
      return first === undefined ? refused() : { kind: "path", pattern: first, options };
    case "env":
      return first === undefined
        ? refused()
        : {
            kind: "env",
            name: first.kind === "name" ? { kind: "string", span: first.span, value: first.name } : first,
          };
    case "eval":
      return first === undefined ? refused() : { kind: "eval", command: first };
    default:
      return { kind: "val", value: node };
  }
}

function refused(): never {
  return fail(
    "IllegalArgumentException",
    "this is not an output of a process: val, path, tuple, env, eval or stdout",
  );
}
