/** What a pipeline takes, as far as its text tells: parameters of its scripts. */
import type { Parameter, WorkflowInterface } from "../core/index.ts";
import type { LoadedScripts } from "./check/load.ts";
import type { Expression, Item } from "./syntax/ast.ts";

export function interfaceOf(loaded: LoadedScripts, name: string): WorkflowInterface {
  const items = loaded.main?.script.items ?? [];
  const text = loaded.main?.script.source.text ?? "";
  const parameters = items.flatMap((each) => parametersOf(each, text));
  const tasks = [...loaded.scripts.values()].flatMap(({ script }) =>
    script.items.flatMap((each) => (each.kind === "process" ? [each.name.text] : [])),
  );
  return { kind: "workflow", name, parameters, outputs: [], tasks: [...new Set(tasks)] };
}

function parametersOf(item: Item, text: string): Parameter[] {
  if (item.kind === "params")
    return item.parameters.map(({ name, type, value }) => ({
      name: name.text,
      type: type === undefined ? "Object" : text.slice(type.span.start, type.span.end),
      required: value === undefined && type?.optional !== true && type?.name !== "Boolean",
      ...(value !== undefined && { defaultText: text.slice(value.span.start, value.span.end) }),
    }));
  if (item.kind !== "expression" || item.expression.kind !== "assign") return [];
  const path = pathOf(item.expression.target);
  if (path?.[0] !== "params" || path.length < 2) return [];
  const { value } = item.expression;
  return [
    {
      name: path.slice(1).join("."),
      type: typeOf(value),
      required: false,
      defaultText: text.slice(value.span.start, value.span.end),
    },
  ];
}

function pathOf(node: Expression): readonly string[] | undefined {
  if (node.kind === "name") return [node.name];
  if (node.kind !== "property" || typeof node.name !== "string") return undefined;
  const before = pathOf(node.object);
  return before === undefined ? undefined : [...before, node.name];
}

function typeOf(node: Expression): string {
  switch (node.kind) {
    case "boolean":
      return "Boolean";
    case "number":
      return /^\d+$/.test(node.text) ? "Integer" : "Number";
    case "string":
    case "gstring":
      return "String";
    case "list":
      return "List";
    case "map":
      return "Map";
    default:
      return "Object";
  }
}
