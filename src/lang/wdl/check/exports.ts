/**
 * What scatters and conditionals export to the scope around them.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#workflow-scope
 */
import type { ConditionalNode } from "../syntax/ast.ts";
import { commonType } from "../types/coercion.ts";
import { anyType, arrayOf, optional, type WdlType } from "../types/type.ts";
import type { Context } from "./context.ts";
import { noCommonType } from "./diagnostics.ts";
import type { DependencyGraph } from "./graph.ts";
import type { Entry, Scope } from "./scope.ts";

/** `T` becomes `Array[T]`, the members of calls likewise. The variable stays inside. */
export function exportedByScatter(scope: Scope): Entry[] {
  return [...scope.entries()]
    .filter((entry) => entry.kind !== "scatter variable")
    .map((entry) => ({ ...entry, type: mapType(entry.type, (type) => arrayOf(type)) }));
}

function mapType(type: WdlType, wrap: (type: WdlType) => WdlType): WdlType {
  // What could not be checked stays so: a call of something unknown has members all the same.
  if (type.kind === "any") return type;
  if (type.kind !== "call") return wrap(type);
  return { ...type, members: new Map([...type.members].map(([name, member]) => [name, wrap(member)])) };
}

/** `T` becomes `T?`, except where every clause of an if … else has the name (1.3). */
export function exportedByConditional(
  context: Context,
  node: ConditionalNode,
  scopes: readonly Scope[],
  graph: DependencyGraph,
): Entry[] {
  const names = new Set(scopes.flatMap((scope) => [...scope.entries()].map((entry) => entry.name)));
  const exhaustive = node.clauses.at(-1)?.condition === undefined;
  const exported: Entry[] = [];
  for (const name of names) {
    const entries = scopes.flatMap((scope) => scope.own(name) ?? []);
    const [first] = entries;
    if (first === undefined) continue;
    const always = exhaustive && entries.length === scopes.length;
    const type = entries.slice(1).reduce((common, entry) => unify(context, common, entry), first.type);
    const whole = always ? type : mapType(type, optional);
    exported.push({ ...first, type: whole, node: graph.together(entries.map((entry) => entry.node)) });
  }
  return exported;
}

/** Clauses that declare the same name must agree on its type. */
function unify(context: Context, common: WdlType, entry: Entry): WdlType {
  if (common.kind === "call" && entry.type.kind === "call") {
    const members = new Map<string, WdlType>();
    for (const [name, type] of common.members) {
      const other = entry.type.members.get(name);
      const both = other && commonType(type, other, context.rules);
      if (both !== undefined) members.set(name, both);
    }
    return { ...common, members };
  }
  const both = commonType(common, entry.type, context.rules);
  if (both !== undefined) return both;
  context.report(noCommonType(context.place(entry.span), entry.type, common, entry.name));
  return anyType;
}
