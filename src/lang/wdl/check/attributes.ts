/**
 * runtime, requirements and hints.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#-requirements-section
 */
import { taskSettingsOf } from "../eval/task/attributes.ts";
import type { Attribute, AttributeSection, Expression, TaskNode } from "../syntax/ast.ts";
import { anyType, required, type WdlType } from "../types/type.ts";
import { ValueFailure } from "../values/failure.ts";
import { bool, float, int, str, type WdlValue } from "../values/value.ts";
import type { Context } from "./context.ts";
import type { Place } from "./diagnostics.ts";
import * as wrong from "./diagnostics-document.ts";
import { infer } from "./expressions.ts";
import type { Scope } from "./scope.ts";

interface Requirement {
  /** `string[]` stands for an array of strings. */
  readonly kinds: ReadonlySet<string>;
  readonly words: string;
}

function requirement(words: string, ...kinds: readonly string[]): Requirement {
  return { words, kinds: new Set(kinds) };
}

const image = requirement("a String or an Array[String]", "string", "string[]");
const codes = requirement('an Int, an Array[Int] or "*"', "int", "int[]", "string");
const retries = requirement("an Int", "int");
const flag = requirement("a Boolean", "boolean");

/** Aliases of 1.1 stay legal. */
const requirements: ReadonlyMap<string, Requirement> = new Map([
  ["container", image],
  ["docker", image],
  ["cpu", requirement("an Int or a Float", "int", "float")],
  ["memory", requirement('an Int (bytes) or a String such as "4 GiB"', "int", "float", "string")],
  ["gpu", flag],
  ["fpga", flag],
  ["disks", requirement("an Int (GiB), a String or an Array[String]", "int", "string", "string[]")],
  ["max_retries", retries],
  ["maxRetries", retries],
  ["return_codes", codes],
  ["returnCodes", codes],
]);

export function checkTaskAttributes(context: Context, task: TaskNode, scope: Scope): void {
  for (const section of ["requirements", "hints"] as const) {
    const found = task[section];
    if (found !== undefined && task.runtime !== undefined)
      context.report(wrong.runtimeWithNew(context.place(task.runtime.span), section));
  }
  if (task.runtime !== undefined) {
    inferSection(context, task.runtime, scope);
    for (const attribute of task.runtime.attributes)
      if (checkOldAttribute(context, attribute)) checkLiteral(context, attribute);
  }
  if (task.hints !== undefined) inferSection(context, task.hints, scope);
  if (task.requirements !== undefined) {
    inferSection(context, task.requirements, scope);
    checkRequirements(context, task.requirements);
  }
}

/** Types are recorded; keys that we do not know are nobody's business here. */
function inferSection(context: Context, section: AttributeSection, scope: Scope): void {
  const seen = new Map<string, Place>();
  for (const { name, expression } of section.attributes) {
    infer(context, expression, { scope });
    const place = context.place(name.span);
    const first = seen.get(name.text);
    if (first === undefined) seen.set(name.text, place);
    else context.report(wrong.duplicateAttribute(place, name.text, first));
  }
}

function checkRequirements(context: Context, section: AttributeSection): void {
  for (const { name, expression } of section.attributes) {
    const known = requirements.get(name.text);
    if (known === undefined) {
      context.report(
        wrong.unknownRequirement(context.place(name.span), name.text, () => requirements.keys()),
      );
      continue;
    }
    const found = context.typeOf(expression);
    if (fits(found, known)) checkLiteral(context, { name, expression });
    else context.report(wrong.requirementType(context.place(expression.span), name.text, found, known.words));
  }
}

/** A value that is in the document is known now: what no task could be run with is reported before a run. */
function checkLiteral(context: Context, { name, expression }: Pick<Attribute, "name" | "expression">): void {
  const value = literalOf(expression);
  if (value === undefined) return;
  try {
    taskSettingsOf({ requirements: new Map([[name.text, value]]), hints: new Map() });
  } catch (error) {
    if (!(error instanceof ValueFailure)) throw error;
    context.report(wrong.attributeValue(context.place(expression.span), error.message, error.help));
  }
}

function literalOf(expression: Expression): WdlValue | undefined {
  switch (expression.kind) {
    case "int":
      return int(expression.value);
    case "float":
      return float(expression.value);
    case "boolean":
      return bool(expression.value);
    case "string": {
      const texts = expression.parts.flatMap((part) => (part.kind === "text" ? [part.text] : []));
      return texts.length === expression.parts.length ? str(texts.join("")) : undefined;
    }
    default:
      return undefined;
  }
}

/** A `runtime` section may say anything, and numbers as text; only what can never be meant is refused. */
function checkOldAttribute(context: Context, { name, expression }: Attribute): boolean {
  const known = requirements.get(name.text);
  if (known === undefined || known === flag) return true;
  const found = context.typeOf(expression);
  if (fits(found, known) || required(found).kind === "string") return true;
  context.report(wrong.requirementType(context.place(expression.span), name.text, found, known.words));
  return false;
}

function fits(found: WdlType, known: Requirement): boolean {
  const type = required(found);
  if (type.kind === "any") return true;
  return known.kinds.has(type.kind === "array" ? `${required(type.item).kind}[]` : type.kind);
}

/** Hints of a workflow are plain values: nothing is there yet to compute them from. */
export function checkWorkflowHints(context: Context, section: AttributeSection, scope: Scope): void {
  for (const { expression } of section.attributes) {
    if (expression.kind === "name" && scope.find(expression.name) !== undefined)
      context.report(wrong.hintNotLiteral(context.place(expression.span)));
    else infer(context, expression, { scope }, anyType);
  }
}
