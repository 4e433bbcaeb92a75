/**
 * Expressions that cannot be evaluated, whatever the inputs: JavaScript without the requirement, texts that are not
 * JavaScript, names that do not exist.
 */
import { Script } from "node:vm";
import type { Diagnostic, Severity } from "../../../kernel/index.ts";
import { nearest } from "../load/conform.ts";
import type { Expr, JsPart } from "../model/expression.ts";
import type { Process } from "../model/process.ts";
import type { Requirements } from "../model/requirements.ts";

export function checkExpressions(process: Process, requirements: Requirements): Diagnostic[] {
  const found: Diagnostic[] = [];
  const javascript = requirements.inlineJavascript !== undefined;
  const inputs = new Set(process.inputs.map((each) => each.name));
  for (const { expr, evaluated } of expressionsOf(process)) {
    for (const part of expr.parts) {
      if (part.kind === "js" && !javascript)
        found.push(off(expr, evaluated === "always" ? "error" : "warning"));
      const wrong = part.kind === "js" && javascript ? syntaxTrouble(part) : undefined;
      if (wrong !== undefined)
        found.push({
          code: "cwl-syntax",
          severity: evaluated === "always" ? "error" : "warning",
          message: `invalid JavaScript: ${wrong}`,
          source: expr.place.source,
          span: expr.place.span,
        });
      if (part.kind === "ref" && !javascript)
        for (const each of unknownName(part.root, part.path[0], inputs, expr)) found.push(each);
    }
  }
  return found;
}

function off(expr: Expr, severity: Severity): Diagnostic {
  return {
    code: "cwl-javascript-off",
    severity,
    message: "this is JavaScript, and InlineJavascriptRequirement is not among the requirements",
    source: expr.place.source,
    span: expr.place.span,
    help: 'add "InlineJavascriptRequirement: {}" to the requirements',
  };
}

/** Compiled as the engine does it, and never run. */
function syntaxTrouble({ form, code }: JsPart): string | undefined {
  const body = form === "expression" ? `return (\n${code}\n);` : `\n${code}\n`;
  try {
    new Script(`(function () { "use strict"; ${body} })`);
    return undefined;
  } catch (error) {
    return error instanceof SyntaxError ? error.message : undefined;
  }
}

type FirstSegment = { readonly kind: "name"; readonly name: string } | { readonly kind: "index" } | undefined;

function unknownName(
  root: string,
  first: FirstSegment,
  inputs: ReadonlySet<string>,
  expr: Expr,
): Diagnostic[] {
  const say = (message: string, name: string, names: Iterable<string>): Diagnostic => ({
    code: "cwl-reference",
    severity: "warning",
    message,
    source: expr.place.source,
    span: expr.place.span,
    help: nearest(name, () => names),
  });
  const roots = ["inputs", "self", "runtime", "null"];
  if (!roots.includes(root)) return [say(`there is no ${root} in expressions`, root, roots)];
  if (root !== "inputs" || first?.kind !== "name" || inputs.has(first.name)) return [];
  return [say(`there is no input ${first.name}`, first.name, inputs)];
}

interface Found {
  readonly expr: Expr;
  /** Bindings of inputs that are null are never looked at. */
  readonly evaluated: "always" | "perhaps";
}

/** Every expression of the process itself; those of its steps belong to the workflow. */
function expressionsOf(process: Process): readonly Found[] {
  if (process.kind === "expression") return [{ expr: process.expression, evaluated: "always" }];
  if (process.kind !== "tool") return [];
  const { stdin, stdout, stderr, requirements, outputs } = process;
  const always = [
    ...process.arguments.flatMap((each) => [each.position, each.valueFrom]),
    ...outputs.flatMap((each) => [...(each.outputBinding?.glob ?? []), each.outputBinding?.outputEval]),
    ...[stdin, stdout, stderr],
    ...(requirements.envVar?.definitions ?? []).map((each) => each.value),
  ];
  const perhaps = process.inputs.flatMap((each) => [
    each.inputBinding?.position,
    each.inputBinding?.valueFrom,
  ]);
  const found = (list: readonly (Expr | number | undefined)[], evaluated: Found["evaluated"]) =>
    list.flatMap((expr) => (typeof expr === "object" ? [{ expr, evaluated }] : []));
  return [...found(always, "always"), ...found(perhaps, "perhaps")];
}
