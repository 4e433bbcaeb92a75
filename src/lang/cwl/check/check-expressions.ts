/** Expressions that cannot be evaluated, whatever the inputs: JavaScript without the requirement, names that lead nowhere. */
import { type Diagnostic, didYouMean } from "../../../kernel/index.ts";
import type { Expr } from "../model/expression.ts";
import type { Process } from "../model/process.ts";
import type { Requirements } from "../model/requirements.ts";

export function checkExpressions(process: Process, requirements: Requirements): Diagnostic[] {
  const found: Diagnostic[] = [];
  const javascript = requirements.inlineJavascript !== undefined;
  const inputs = process.inputs.map((each) => each.name);
  for (const expr of expressionsOf(process)) {
    for (const part of expr.parts) {
      if (part.kind === "js" && !javascript) found.push(off(expr));
      if (part.kind === "ref" && !javascript)
        found.push(...unknownName(part.root, part.path[0], inputs, expr));
    }
  }
  return found;
}

function off(expr: Expr): Diagnostic {
  return {
    code: "cwl-javascript-off",
    severity: "error",
    message: "this is JavaScript, and InlineJavascriptRequirement is not among the requirements",
    source: expr.place.source,
    span: expr.place.span,
    help: 'add "InlineJavascriptRequirement: {}" to the requirements',
  };
}

type FirstSegment = { readonly kind: "name"; readonly name: string } | { readonly kind: "index" } | undefined;

function unknownName(root: string, first: FirstSegment, inputs: readonly string[], expr: Expr): Diagnostic[] {
  const say = (message: string, near: string | undefined): Diagnostic => ({
    code: "cwl-reference",
    severity: "warning",
    message,
    source: expr.place.source,
    span: expr.place.span,
    ...(near !== undefined && { help: `did you mean ${near}?` }),
  });
  const roots = ["inputs", "self", "runtime", "null"];
  if (!roots.includes(root)) return [say(`there is no ${root} in expressions`, didYouMean(root, roots))];
  if (root !== "inputs" || first?.kind !== "name" || inputs.includes(first.name)) return [];
  return [say(`there is no input ${first.name}`, didYouMean(first.name, inputs))];
}

/** Every expression of the process itself; those of its steps belong to the workflow. */
function* expressionsOf(process: Process): Iterable<Expr> {
  if (process.kind === "tool") {
    for (const each of process.arguments) {
      if (typeof each.position === "object") yield each.position;
      if (each.valueFrom !== undefined) yield each.valueFrom;
    }
    for (const each of process.inputs) {
      if (typeof each.inputBinding?.position === "object") yield each.inputBinding.position;
      if (each.inputBinding?.valueFrom !== undefined) yield each.inputBinding.valueFrom;
    }
    for (const each of process.outputs) {
      yield* each.outputBinding?.glob ?? [];
      if (each.outputBinding?.outputEval !== undefined) yield each.outputBinding.outputEval;
    }
    for (const each of [process.stdin, process.stdout, process.stderr]) if (each !== undefined) yield each;
    for (const each of process.requirements.envVar?.definitions ?? []) yield each.value;
  }
  if (process.kind === "expression") yield process.expression;
}
