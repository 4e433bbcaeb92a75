/** What scripts of a pipeline use of each other, for checks that are only certain of what runs. */
import type { Expression, Item } from "../syntax/ast.ts";
import { definedNames, type LoadedScript } from "./load.ts";

interface Uses {
  /** Names of processes and workflows that a workflow, function or include names, in any script. */
  readonly named: ReadonlySet<string>;
  /** What a script includes that is a process, by the name that it has there. */
  processesOf(script: LoadedScript): ReadonlySet<string>;
}

export function usesOf(scripts: ReadonlyMap<string, LoadedScript>): Uses {
  const named = new Set<string>();
  for (const { script } of scripts.values())
    for (const item of script.items) {
      if (item.kind === "include") for (const { name } of item.names) named.add(name.text);
      else if (item.kind !== "process") namesIn(item, named);
    }
  return {
    named,
    processesOf: ({ script, includes }) => {
      const found = new Set<string>();
      for (const item of script.items) if (item.kind === "process") found.add(item.name.text);
      for (const [node, target] of includes) {
        const other = target.kind === "script" ? scripts.get(target.uri) : undefined;
        for (const { name, alias } of node.names)
          if (isProcess(other?.script.items ?? [], name.text)) found.add((alias ?? name).text);
      }
      return found;
    },
  };
}

function isProcess(items: readonly Item[], name: string): boolean {
  const defining = items.filter((item) => definedNames(item).includes(name));
  return defining.length === 1 && defining[0]?.kind === "process";
}

function namesIn(node: unknown, found: Set<string>): void {
  if (Array.isArray(node)) {
    for (const each of node) namesIn(each, found);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  const { kind, name } = node as Partial<Extract<Expression, { kind: "name" }>>;
  if (kind === "name" && name !== undefined) found.add(name);
  for (const member in node) {
    const each = (node as Readonly<Record<string, unknown>>)[member];
    if (typeof each === "object" && member !== "source" && member !== "span") namesIn(each, found);
  }
}
