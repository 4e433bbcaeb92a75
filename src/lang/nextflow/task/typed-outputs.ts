/**
 * Outputs of typed processes: any expressions, in which `file`, `files`, `env`, `eval` and `stdout` stand for what the
 * task leaves. These are found out and kept like the outputs of other processes; the expressions are evaluated when they
 * are there.
 */
import type { Argument, Expression, Statement } from "../syntax/ast.ts";
import { fail } from "../values/throwable.ts";
import type { OutputItem, OutputSpec } from "./output-spec.ts";

export function typedOutputs(
  outputs: readonly Statement[],
  topics: readonly Statement[],
): readonly OutputSpec[] {
  return [...outputs.map((each) => ofOutput(each)), ...topics.map((each) => ofTopic(each))];
}

/** `val(x)`, `path 'x'`, `tuple val(x), path('y')`: outputs without types. */
export function isUntypedOutput(node: Statement): boolean {
  const call = node.kind === "expression" ? node.expression : undefined;
  if (call?.kind !== "call") return false;
  const qualified = (each: Expression) =>
    each.kind === "call" && each.callee.kind === "name" && /^(?:val|path)$/.test(each.callee.name);
  return qualified(call) || call.arguments.some(({ value }) => qualified(value));
}

function ofOutput(node: Statement): OutputSpec {
  if (node.kind === "declare") {
    const value = node.value ?? { kind: "name" as const, span: node.name.span, name: node.name.text };
    return specOf(value, node.name.text, undefined);
  }
  if (node.kind !== "expression") return refused();
  const { expression } = node;
  if (expression.kind === "assign" && expression.target.kind === "name")
    return specOf(expression.value, expression.target.name, undefined);
  return specOf(expression, expression.kind === "name" ? expression.name : undefined, undefined);
}

/** `value >> 'topic'` */
function ofTopic(node: Statement): OutputSpec {
  const value = node.kind === "expression" ? node.expression : undefined;
  if (value?.kind !== "binary" || value.operator !== ">>" || value.right.kind !== "string") return refused();
  return { ...specOf(value.left, undefined, value.right.value), hidden: true };
}

function specOf(written: Expression, emit: string | undefined, topic: string | undefined): OutputSpec {
  const items: OutputItem[] = [];
  const value = replaced(written, (node) => {
    const item = itemOf(node);
    if (item === undefined) return undefined;
    items.push(item);
    return { kind: "name", span: node.span, name: slotName(items.length - 1) };
  });
  return { emit, topic, optional: undefined, items, tuple: false, value };
}

/** A variable that no script can name: what the task left for the item of an output. */
export function slotName(index: number): string {
  return `\u0000left:${index}`;
}

function itemOf(node: Expression): OutputItem | undefined {
  if (node.kind === "name") return node.name === "stdout" ? { kind: "stdout" } : undefined;
  if (node.kind !== "call" || node.callee.kind !== "name") return undefined;
  const { callee, arguments: given } = node;
  const options = new Map(
    given.flatMap(({ name, value }) => (name === undefined ? [] : [[name.text, value] as const])),
  );
  const [first, second] = given.flatMap(({ name, value }) => (name === undefined ? [value] : []));
  switch (callee.name) {
    case "file":
    case "files":
      if (first === undefined || second !== undefined) return undefined;
      return { kind: "path", pattern: first, options, count: callee.name === "file" ? "one" : "all" };
    case "env":
      return first === undefined || second !== undefined ? undefined : { kind: "env", name: first };
    case "eval":
      return first === undefined || second !== undefined ? undefined : { kind: "eval", command: first };
    case "stdout":
      return given.length === 0 ? { kind: "stdout" } : undefined;
    default:
      return undefined;
  }
}

/** The expression with some of its parts replaced, from the outside in. */
function replaced(node: Expression, replace: (node: Expression) => Expression | undefined): Expression {
  const other = replace(node);
  if (other !== undefined) return other;
  const inner = (each: Expression) => replaced(each, replace);
  const given = (all: readonly Argument[]) => all.map((each) => ({ ...each, value: inner(each.value) }));
  switch (node.kind) {
    case "call": {
      const callee = node.callee.kind === "name" ? node.callee : inner(node.callee);
      return { ...node, callee, arguments: given(node.arguments) };
    }
    case "property":
      return { ...node, object: inner(node.object) };
    case "index":
      return { ...node, object: inner(node.object), index: node.index.map(inner) };
    case "list":
      return { ...node, items: node.items.map(inner) };
    case "map":
      return {
        ...node,
        entries: node.entries.map(({ key, value }) => ({ key: key && inner(key), value: inner(value) })),
      };
    case "binary":
    case "and":
    case "or":
    case "elvis":
      return { ...node, left: inner(node.left), right: inner(node.right) };
    case "ternary":
      return { ...node, condition: inner(node.condition), yes: inner(node.yes), no: inner(node.no) };
    case "unary":
    case "spread":
    case "as":
    case "instanceof":
      return { ...node, value: inner(node.value) };
    case "gstring":
      return { ...node, parts: node.parts.map((each) => (typeof each === "string" ? each : inner(each))) };
    case "new":
      return { ...node, arguments: given(node.arguments) };
    default:
      return node;
  }
}

function refused(): never {
  return fail(
    "IllegalArgumentException",
    "this is not an output of a typed process: a name, `name = value`, a value, or `value >> 'topic'`",
  );
}
