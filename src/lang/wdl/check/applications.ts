/** Applications of standard-library functions. */
import { unreachable } from "../../../kernel/index.ts";
import type { ApplyNode } from "../syntax/ast.ts";
import { anyType, printType, type WdlType } from "../types/type.ts";
import type { Context } from "./context.ts";
import * as wrong from "./diagnostics.ts";
import { checkFits } from "./fits.ts";
import { resolveOverload } from "./overloads.ts";

export interface Application {
  readonly node: ApplyNode;
  /** Types of the arguments. */
  readonly given: readonly WdlType[];
  /** Whether functions that only work after the command are legal. */
  readonly outputs: boolean;
}

/** Finds the overload that is meant and records it; answers its result. */
export function applicationType(context: Context, { node, given, outputs }: Application): WdlType {
  const name = node.function.text;
  const known = context.functions.get(name);
  const place = context.place(node.function.span);
  if (known === undefined) {
    context.report(wrong.unknownFunction(place, name, () => context.functions.names()));
    return anyType;
  }
  const { signatures } = known;
  if (!context.has(signatures.since)) {
    context.report(wrong.functionNeedsVersion(place, name, signatures.since, context.version));
    if (!context.lenient) return anyType;
  }
  if (signatures.only === "output" && !outputs) context.report(wrong.onlyInOutputs(place, name));
  const resolution = resolveOverload({
    function: known,
    arguments: given,
    has: (since) => context.lenient || context.has(since),
  });
  const texts = signatures.overloads
    .filter((each) => each.since === undefined || context.has(each.since))
    .map((each) => each.text);
  switch (resolution.kind) {
    case "count": {
      const { least, most } = resolution;
      context.report(wrong.argumentCount(context.place(node.span), name, given.length, least, most, texts));
      return anyType;
    }
    case "mismatch": {
      const argument = node.arguments[resolution.at] ?? node;
      const found = given[resolution.at] ?? anyType;
      context.report(wrong.argumentType(context.place(argument.span), name, found, texts));
      return anyType;
    }
    case "resolved": {
      const { signature } = resolution;
      for (const [index, argument] of node.arguments.entries()) {
        const parameter = signature.parameters[index];
        const type = given[index];
        if (parameter === undefined || type === undefined) continue;
        if (resolution.lenient)
          checkFits(context, argument, type, parameter, `argument ${index + 1} of ${name}`);
        // A literal takes the type it is used as, so that the evaluator builds it right.
        else if (type.kind === "array" && type.item.kind === "any") context.types.set(argument, parameter);
      }
      const reason = unwritable(context, name, given[0] ?? anyType);
      if (reason !== undefined)
        context.report(wrong.unwritable(context.place((node.arguments[0] ?? node).span), name, reason));
      context.signatures.set(node, signature);
      return signature.result;
    }
    default:
      return unreachable(resolution);
  }
}

/** Why a function that writes files cannot write a value of the type; undefined when it may. */
function unwritable(context: Context, name: string, type: WdlType): string | undefined {
  switch (name) {
    case "write_json":
      return context.has("1.1") ? withoutJson(type) : undefined;
    case "write_object":
      return withoutCell(type);
    case "write_objects":
    case "write_tsv":
      return type.kind === "array" ? withoutCell(type.item) : undefined;
    default:
      return undefined;
  }
}

/** https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#json-serialization-of-wdl-types */
function withoutJson(type: WdlType): string | undefined {
  switch (type.kind) {
    case "pair":
      return "cannot write a Pair as JSON: make an array or a struct of its two sides first";
    case "map":
      if (["int", "float", "boolean"].includes(type.key.kind))
        return `cannot write a Map with keys of type ${printType(type.key)} as JSON: keys must be String`;
      return withoutJson(type.value);
    case "array":
      return withoutJson(type.item);
    case "struct":
      for (const member of type.members.values()) {
        const reason = withoutJson(member);
        if (reason !== undefined) return reason;
      }
      return undefined;
    default:
      return undefined;
  }
}

/** Each member of a struct becomes a cell of a table. */
function withoutCell(type: WdlType): string | undefined {
  if (type.kind !== "struct") return undefined;
  for (const [member, of] of type.members)
    if (["array", "map", "pair", "struct", "object"].includes(of.kind))
      return `the member "${member}" is ${printType(of)}, expected a primitive value`;
  return undefined;
}
