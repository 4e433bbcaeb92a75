/** From types as they are written to types as they are: names of structs and enums are looked up. */
import type { TypeNode } from "../syntax/ast.ts";
import { anyType, directoryType, isPrimitive, objectType, optional, type WdlType } from "../types/type.ts";
import type { Context } from "./context.ts";
import * as wrong from "./diagnostics.ts";

const builtIn = ["Boolean", "Int", "Float", "String", "File", "Array", "Map", "Pair", "Object"];

/** Looks a struct or enum up by name. Structs are looked up while they are still being resolved, hence the function. */
export type NamedTypes = (name: string) => WdlType | undefined;

export function namedTypesOf(context: Context): NamedTypes {
  return (name) => context.structs.get(name) ?? context.enums.get(name)?.type;
}

/** Reports unknown names, which become `any`. */
export function resolveType(context: Context, node: TypeNode, named: NamedTypes): WdlType {
  const type = resolveRequired(context, node, named);
  return node.optional ? optional(type) : type;
}

function resolveRequired(context: Context, node: TypeNode, named: NamedTypes): WdlType {
  switch (node.kind) {
    case "array":
      return {
        kind: "array",
        item: resolveType(context, node.item, named),
        nonEmpty: node.nonEmpty,
        optional: false,
      };
    case "map": {
      const key = resolveType(context, node.key, named);
      if (!isPrimitive(key) && key.kind !== "any" && key.kind !== "enum")
        context.report(wrong.mapKeyType(context.place(node.key.span), key));
      return { kind: "map", key, value: resolveType(context, node.value, named), optional: false };
    }
    case "pair":
      return {
        kind: "pair",
        left: resolveType(context, node.left, named),
        right: resolveType(context, node.right, named),
        optional: false,
      };
    case "object":
      return objectType;
    case "named": {
      const found = named(node.name);
      if (found !== undefined) return found;
      // Before 1.2 the word is not a type, yet `development` documents of old and Cromwell have it.
      if (node.name === "Directory" && context.lenient) return directoryType;
      if (context.missingNamespaces.size > 0) return anyType;
      const known = () => [...builtIn, ...context.structs.keys(), ...context.enums.keys()];
      context.report(wrong.unknownType(context.place(node.span), node.name, known));
      return anyType;
    }
    case "error":
      return anyType;
    default:
      return { kind: node.kind, optional: false };
  }
}
