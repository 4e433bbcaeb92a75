/**
 * runtime, requirements and hints.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#-requirements-section
 */
import type { AttributeSection, TaskNode } from "../syntax/ast.ts";
import { coercible } from "../types/coercion.ts";
import {
  anyType,
  arrayOf,
  booleanType,
  floatType,
  intType,
  required,
  stringType,
  type WdlType,
} from "../types/type.ts";
import type { Context } from "./context.ts";
import type { Place } from "./diagnostics.ts";
import * as wrong from "./diagnostics-document.ts";
import { infer } from "./expressions.ts";
import type { Scope } from "./scope.ts";

interface Requirement {
  readonly types: readonly WdlType[];
  readonly words: string;
}

const text: Requirement = { types: [stringType, arrayOf(stringType)], words: "a String or an Array[String]" };
const codes: Requirement = {
  types: [intType, arrayOf(intType), stringType],
  words: 'an Int, an Array[Int] or "*"',
};
const retries: Requirement = { types: [intType], words: "an Int" };
const flag: Requirement = { types: [booleanType], words: "a Boolean" };

/** Aliases of 1.1 stay legal. */
const requirements: ReadonlyMap<string, Requirement> = new Map([
  ["container", text],
  ["docker", text],
  ["cpu", { types: [intType, floatType], words: "an Int or a Float" }],
  ["memory", { types: [intType, stringType], words: 'an Int (bytes) or a String such as "4 GiB"' }],
  ["gpu", flag],
  ["fpga", flag],
  [
    "disks",
    {
      types: [intType, stringType, arrayOf(stringType)],
      words: "an Int (GiB), a String or an Array[String]",
    },
  ],
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
  if (task.runtime !== undefined) inferSection(context, task.runtime, scope);
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
    const found = required(context.typeOf(expression));
    if (found.kind === "none" || known.types.some((type) => coercible(found, type, { lenient: false })))
      continue;
    context.report(wrong.requirementType(context.place(expression.span), name.text, found, known.words));
  }
}

/** Hints of a workflow are plain values: nothing is there yet to compute them from. */
export function checkWorkflowHints(context: Context, section: AttributeSection, scope: Scope): void {
  for (const { expression } of section.attributes) {
    if (expression.kind === "name" && scope.find(expression.name) !== undefined)
      context.report(wrong.hintNotLiteral(context.place(expression.span)));
    else infer(context, expression, { scope }, anyType);
  }
}
