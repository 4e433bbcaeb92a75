/** What sections of declarations have in common, in tasks and in workflows. */
import type { Steps } from "../../../kernel/index.ts";
import type { Declaration } from "../syntax/ast.ts";
import type { CheckedDeclaration, CheckedInput } from "./checked.ts";
import type { Context } from "./context.ts";
import { duplicateName, shadowingVariable } from "./diagnostics.ts";
import * as wrong from "./diagnostics-document.ts";
import { expectType, type Where } from "./expressions.ts";
import { dependencyOrder } from "./order.ts";
import type { Entry, EntryKind, Scope } from "./scope.ts";
import { namedTypesOf, resolveType } from "./type-names.ts";
import { namesIn } from "./walk.ts";

/** Resolves the type and enters the name; a name that is taken is reported and stays what it was. */
export function declare(
  context: Context,
  node: Declaration,
  kind: EntryKind,
  scope: Scope,
): CheckedDeclaration {
  const type = resolveType(context, node.type, namedTypesOf(context));
  enter(context, { name: node.name.text, kind, type, span: node.name.span, node }, scope);
  const names = node.expression === undefined ? [] : namesIn(node.expression);
  return { name: node.name.text, type, node, dependsOn: new Set(names.map((each) => each.name)) };
}

/** Pauses after each. */
export function* declareAll(
  context: Context,
  nodes: readonly Declaration[],
  kind: EntryKind,
  scope: Scope,
): Steps<CheckedDeclaration[]> {
  const declared: CheckedDeclaration[] = [];
  for (const node of nodes) {
    declared.push(declare(context, node, kind, scope));
    yield;
  }
  return declared;
}

/** Names are unique in a scope and all scopes around it. */
export function enter(context: Context, entry: Entry, scope: Scope): boolean {
  const taken = scope.find(entry.name);
  if (taken !== undefined && taken.kind !== "task") {
    const variable = entry.kind === "scatter variable" && scope.own(entry.name) === undefined;
    context.report(
      (variable ? shadowingVariable : duplicateName)(
        context.place(entry.span),
        entry.name,
        entry.kind,
        context.place(taken.span),
        taken.kind,
      ),
    );
    if (variable) scope.add(entry);
    return false;
  }
  scope.add(entry);
  return true;
}

export function asInput(declaration: CheckedDeclaration): CheckedInput {
  const required = declaration.node.expression === undefined && !declaration.type.optional;
  return { ...declaration, required };
}

/** The expression of a declaration against its type. */
export function checkBinding(context: Context, declaration: CheckedDeclaration, where: Where): void {
  const { expression } = declaration.node;
  if (expression === undefined) return;
  expectType(context, expression, declaration.type, where, `${declaration.name}`);
}

/** Evaluation order among declarations of one scope; cycles are reported once each. */
export function orderDeclarations(
  context: Context,
  declarations: readonly CheckedDeclaration[],
): readonly CheckedDeclaration[] {
  const byName = new Map(declarations.map((each) => [each.name, each]));
  const { sorted, cycles } = dependencyOrder(declarations, (each) =>
    [...each.dependsOn].flatMap((name) => byName.get(name) ?? []),
  );
  for (const cycle of cycles) {
    const [first] = cycle;
    if (first === undefined) continue;
    const path = [...cycle.map((each) => each.name), first.name];
    context.report(wrong.declarationCycle(context.place(first.node.name.span), path));
  }
  return sorted;
}
