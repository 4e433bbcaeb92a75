/**
 * What can be known of a task before any of its calls: which declarations can reach its result, and in which form each
 * output can be described to a cache. Made once per task and run.
 */
import type { CheckedDeclaration, CheckedTask } from "../../check/checked.ts";
import type { AttributeSection, Expression, MetaSection, MetaValue } from "../../syntax/ast.ts";
import { printExpression } from "../../syntax/printer.ts";
import {
  array,
  bool,
  float,
  int,
  none,
  type ObjectValue,
  object,
  str,
  type WdlValue,
} from "../../values/value.ts";
import { everyExpression, expressionsOfParts, namesIn } from "../walk.ts";
import { typeText } from "./facts.ts";

export interface TaskPlan {
  readonly task: CheckedTask;
  /** Inputs and private declarations that command, environment or outputs may look at. */
  readonly reachable: ReadonlySet<string>;
  readonly outputs: readonly PlannedOutput[];
  readonly meta: ObjectValue;
  readonly parameterMeta: ObjectValue;
  /** Something looks at the implicit `task` variable. */
  readonly usesTask: boolean;
  /** Of `runtime` and `requirements`, and of `hints`; each by name. */
  readonly requirements: readonly (readonly [string, Expression])[];
  readonly hints: readonly (readonly [string, Expression])[];
  /** The command or the requirements look at the attempt, so that every attempt is its own call. */
  readonly rendersAttempts: boolean;
  /** `meta { volatile: true }` */
  readonly volatile: boolean;
}

export interface PlannedOutput {
  readonly declaration: CheckedDeclaration;
  readonly typeText: string;
  readonly form: /** The expression's value is known before the command runs. */
    | { readonly kind: "path"; readonly expression: Expression }
    | { readonly kind: "glob"; readonly pattern: Expression }
    | { readonly kind: "stdout" }
    | { readonly kind: "stderr" }
    | { readonly kind: "expression"; readonly text: string; readonly names: readonly string[] };
}

export function planTask(task: CheckedTask): TaskPlan {
  const byName = new Map(task.evaluationOrder.map((declaration) => [declaration.name, declaration]));
  const outputNames = new Set(task.outputs.map((output) => output.name));
  const meta = metaObject(task.node.meta);
  const volatile = meta.members.get("volatile");
  return {
    task,
    reachable: reachableNames(task, byName),
    outputs: task.outputs.map((declaration) => planOutput(declaration, outputNames)),
    meta,
    usesTask: usesTask(task),
    requirements: [...attributesOf(task.node.runtime), ...attributesOf(task.node.requirements)],
    hints: attributesOf(task.node.hints),
    rendersAttempts: rendersAttempts(task),
    parameterMeta: metaObject(task.node.parameterMeta),
    volatile:
      (volatile?.kind === "boolean" && volatile.value) ||
      (volatile?.kind === "string" && volatile.value.toLowerCase() === "true"),
  };
}

function usesTask({ node }: CheckedTask): boolean {
  const sections = [node.runtime, node.requirements, node.hints].flatMap(
    (section) => section?.attributes ?? [],
  );
  const outputs = node.outputs.flatMap((output) => output.expression ?? []);
  return namesIn([
    ...expressionsOfParts(node.command?.parts ?? []),
    ...sections.map((attribute) => attribute.expression),
    ...outputs,
  ]).has("task");
}

function rendersAttempts({ node }: CheckedTask): boolean {
  const sections = [node.runtime, node.requirements].flatMap((section) => section?.attributes ?? []);
  const roots = [
    ...expressionsOfParts(node.command?.parts ?? []),
    ...sections.map((attribute) => attribute.expression),
  ];
  return roots.some((root) =>
    [...everyExpression(root)].some(
      (each) =>
        each.kind === "member" &&
        each.object.kind === "name" &&
        each.object.name === "task" &&
        (each.name.text === "attempt" || each.name.text === "previous"),
    ),
  );
}

function reachableNames(task: CheckedTask, byName: ReadonlyMap<string, CheckedDeclaration>): Set<string> {
  const roots = [
    ...expressionsOfParts(task.node.command?.parts ?? []),
    ...task.outputs.flatMap((output) => output.node.expression ?? []),
  ];
  const waiting = [
    ...namesIn(roots),
    ...task.evaluationOrder
      .filter((declaration) => declaration.node.env)
      .map((declaration) => declaration.name),
  ];
  const reached = new Set<string>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const declaration = byName.get(name);
    if (declaration === undefined || reached.has(name)) continue;
    reached.add(name);
    const { expression } = declaration.node;
    if (expression !== undefined) for (const each of namesIn([expression])) waiting.push(each);
  }
  return reached;
}

/** Functions whose answer follows from their arguments alone. */
const pure: ReadonlySet<string> = new Set(
  "floor ceil round min max find matches sub split basename prefix suffix quote squote sep range transpose cross zip unzip contains chunk flatten select_first select_all as_pairs as_map keys contains_key values collect_by_key defined length".split(
    " ",
  ),
);

function planOutput(declaration: CheckedDeclaration, outputs: ReadonlySet<string>): PlannedOutput {
  const { type, node } = declaration;
  const expression = node.expression;
  const planned = { declaration, typeText: typeText(type) };
  if (expression === undefined) return { ...planned, form: { kind: "expression", text: "", names: [] } };
  const isPath = type.kind === "file" || type.kind === "directory";
  if (isPath && isKnownBefore(expression, outputs)) return { ...planned, form: { kind: "path", expression } };
  if (expression.kind === "apply") {
    const called = expression.function.text;
    if (isPath && (called === "stdout" || called === "stderr")) return { ...planned, form: { kind: called } };
    const pattern = expression.arguments[0];
    const isFiles = type.kind === "array" && type.item.kind === "file";
    if (isFiles && called === "glob" && pattern !== undefined && isKnownBefore(pattern, outputs)) {
      return { ...planned, form: { kind: "glob", pattern } };
    }
  }
  const names = [...namesIn([expression])].sort();
  return { ...planned, form: { kind: "expression", text: printExpression(expression), names } };
}

function isKnownBefore(expression: Expression, outputs: ReadonlySet<string>): boolean {
  for (const each of everyExpression(expression)) {
    if (each.kind === "name" && (outputs.has(each.name) || each.name === "task")) return false;
    if (each.kind === "apply" && !pure.has(each.function.text)) return false;
  }
  return true;
}

/** Attributes by name, as they are written. */
function attributesOf(section: AttributeSection | undefined): (readonly [string, Expression])[] {
  return (section?.attributes ?? []).map((attribute) => [attribute.name.text, attribute.expression] as const);
}

export function metaObject(section: MetaSection | undefined): ObjectValue {
  return object((section?.entries ?? []).map((entry) => [entry.name.text, metaValue(entry.value)] as const));
}

function metaValue(value: MetaValue): WdlValue {
  switch (value.kind) {
    case "null":
      return none;
    case "boolean":
      return bool(value.value);
    case "int":
      return int(value.value);
    case "float":
      return float(value.value);
    case "string":
      return str(value.value);
    case "array":
      return array(value.items.map(metaValue));
    case "object":
      return object(value.entries.map((entry) => [entry.name.text, metaValue(entry.value)] as const));
  }
}
