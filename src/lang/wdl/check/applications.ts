/** Applications of standard-library functions. */
import { unreachable } from "../../../kernel/index.ts";
import type { ApplyNode } from "../syntax/ast.ts";
import { anyType, type WdlType } from "../types/type.ts";
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
    context.report(wrong.unknownFunction(place, name, context.functions.names()));
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
      context.signatures.set(node, signature);
      return signature.result;
    }
    default:
      return unreachable(resolution);
  }
}
