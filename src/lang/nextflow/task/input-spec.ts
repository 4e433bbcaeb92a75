/** The inputs that a process declares. */
import type { Expression, ProcessNode, Statement, TypeName } from "../syntax/ast.ts";
import { fail } from "../values/throwable.ts";

export type InputSpec =
  | { readonly kind: "val"; readonly name: string | undefined }
  | PathInput
  | { readonly kind: "env"; readonly name: Expression }
  | { readonly kind: "stdin" }
  | { readonly kind: "tuple"; readonly items: readonly InputSpec[] }
  | { readonly kind: "each"; readonly item: InputSpec };

export interface PathInput {
  readonly kind: "path";
  readonly name: string | undefined;
  /** The name or pattern under which it is staged. */
  readonly stageAs: Expression | undefined;
  readonly arity: Expression | undefined;
  /** `file`: values that are not files are written to one. */
  readonly old: boolean;
}

export function inputSpecs(node: ProcessNode): readonly InputSpec[] {
  return node.inputs.map((each) => ofStatement(each));
}

function ofStatement(statement: Statement): InputSpec {
  if (statement.kind === "declare") return typed(statement.name.text, statement.type);
  if (statement.kind === "expression") return ofExpression(statement.expression);
  return refused();
}

/** `x: Path`, `x: List<Path>`: paths are staged, everything else is a value. */
function typed(name: string, type: TypeName | undefined): InputSpec {
  const path =
    type !== undefined && (type.name === "Path" || type.arguments.some((each) => each.name === "Path"));
  if (path) return { kind: "path", name, stageAs: undefined, arity: undefined, old: false };
  return { kind: "val", name };
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
      if (first === undefined && options.size > 0)
        return { kind: "tuple", items: [...options].map(([name, type]) => typedMember(name, type)) };
      return {
        kind: "tuple",
        items: [first, ...more].flatMap((each) => (each === undefined ? [] : [ofMember(each)])),
      };
    default:
      return refused();
  }
}

/** `tuple(id: String, reads: List<Path>)` */
function typedMember(name: string, type: Expression): InputSpec {
  const isPath = type.kind === "name" && /\bPath\b/.test(type.name);
  if (isPath) return { kind: "path", name, stageAs: undefined, arity: undefined, old: false };
  return { kind: "val", name };
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
