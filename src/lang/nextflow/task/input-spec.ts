/** The inputs that a process declares. */
import type { Expression, ProcessNode, Statement, TypeName } from "../syntax/ast.ts";
import { fail } from "../values/throwable.ts";

export type InputSpec =
  | { readonly kind: "val"; readonly name: string | undefined }
  | PathInput
  | { readonly kind: "env"; readonly name: Expression }
  | { readonly kind: "stdin" }
  | { readonly kind: "tuple"; readonly items: readonly InputSpec[] }
  | TypedInput
  | { readonly kind: "record"; readonly items: readonly TypedInput[] }
  | { readonly kind: "each"; readonly item: InputSpec };

/** `x: Path`: files that the type says are staged. */
export interface TypedInput {
  readonly kind: "typed";
  readonly name: string;
  /** undefined: any. */
  readonly type: TypeName | undefined;
}

export interface PathInput {
  readonly kind: "path";
  readonly name: string | undefined;
  /** The name or pattern under which it is staged. */
  readonly stageAs: Expression | undefined;
  readonly arity: Expression | undefined;
  /** `file`: values that are not files are written to one. */
  readonly old: boolean;
}

export function inputSpecs(node: ProcessNode, typed: boolean): readonly InputSpec[] {
  return node.inputs.map((each) => (typed ? ofTyped(each) : ofStatement(each)));
}

/** `x: Path`, `x`, `tuple(id: String, reads: List<Path>)`, `record(id: String, reads: List<Path>)`. */
function ofTyped(statement: Statement): InputSpec {
  if (statement.kind === "declare") return { kind: "typed", name: statement.name.text, type: statement.type };
  if (statement.kind !== "expression") return refused();
  const { expression } = statement;
  if (expression.kind === "name") return { kind: "typed", name: expression.name, type: undefined };
  if (expression.kind !== "call" || expression.callee.kind !== "name") return refused();
  const items = expression.arguments.map(({ name, value }): TypedInput => {
    if (name === undefined || value.kind !== "as") return refused();
    return { kind: "typed", name: name.text, type: value.type };
  });
  const { name } = expression.callee;
  return name === "tuple" || name === "record" ? { kind: name, items } : refused();
}

function ofStatement(statement: Statement): InputSpec {
  if (statement.kind === "expression") return ofExpression(statement.expression);
  return refused();
}

const pathOptions = new Set(["name", "stageAs", "arity"]);

function ofExpression(node: Expression): InputSpec {
  if (node.kind === "name" && node.name === "stdin") return { kind: "stdin" };
  if (node.kind !== "call" || node.callee.kind !== "name") return refused();
  const options = new Map(
    node.arguments.flatMap(({ name, value }) => (name === undefined ? [] : [[name.text, value] as const])),
  );
  const [first, ...more] = node.arguments.flatMap(({ name, value }) => (name === undefined ? [value] : []));
  switch (node.callee.name) {
    case "val":
      return { kind: "val", name: first?.kind === "name" ? first.name : undefined };
    case "path":
    case "file": {
      const named = [...options].find(([name]) => !pathOptions.has(name));
      if (first === undefined && named !== undefined)
        return { kind: "path", name: named[0], stageAs: named[1], arity: options.get("arity"), old: true };
      const variable = first?.kind === "name" ? first.name : undefined;
      return {
        kind: "path",
        name: variable,
        stageAs:
          options.get("stageAs") ?? options.get("name") ?? (variable === undefined ? first : undefined),
        arity: options.get("arity"),
        old: node.callee.name === "file",
      };
    }
    case "env":
      return first === undefined
        ? refused()
        : {
            kind: "env",
            name: first.kind === "name" ? { kind: "string", span: first.span, value: first.name } : first,
          };
    case "stdin":
      return { kind: "stdin" };
    case "each":
      if (first === undefined) return refused();
      return {
        kind: "each",
        item: first.kind === "name" ? { kind: "val", name: first.name } : ofExpression(first),
      };
    case "tuple":
    case "set":
      return {
        kind: "tuple",
        items: [first, ...more].flatMap((each) => (each === undefined ? [] : [ofMember(each)])),
      };
    default:
      return refused();
  }
}

/** Old tuples name values without a qualifier, and files by their names. */
function ofMember(node: Expression): InputSpec {
  if (node.kind === "name" && node.name !== "stdin") return { kind: "val", name: node.name };
  if (node.kind === "string" || node.kind === "gstring")
    return { kind: "path", name: undefined, stageAs: node, arity: undefined, old: true };
  return ofExpression(node);
}

function refused(): never {
  return fail(
    "IllegalArgumentException",
    "this is not an input of a process: val, path, tuple, env, stdin or each",
  );
}
