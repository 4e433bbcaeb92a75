/**
 * runtime, requirements and hints.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#-requirements-section
 */
import type { Attribute, AttributeSection, TaskNode } from "../syntax/ast.ts";
import { anyType, required, type WdlType } from "../types/type.ts";
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
    for (const attribute of task.runtime.attributes) checkOldAttribute(context, attribute);
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
      context.report(wrong.unknownRequirement(context.place(name.span), name.text, requirements.keys()));
      continue;
    }
    const found = context.typeOf(expression);
    if (!fits(found, known))
      context.report(wrong.requirementType(context.place(expression.span), name.text, found, known.words));
  }
}

/** A `runtime` section may say anything, and numbers as text; only what can never be meant is refused. */
function checkOldAttribute(context: Context, { name, expression }: Attribute): void {
  const known = requirements.get(name.text);
  if (known === undefined || known === flag) return;
  const found = context.typeOf(expression);
  if (fits(found, known) || required(found).kind === "string") return;
  context.report(wrong.requirementType(context.place(expression.span), name.text, found, known.words));
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
