/** Parameters of processes. */
import { defined } from "../../../kernel/index.ts";
import type { InputParameter, OutputParameter } from "../model/parameter.ts";
import { bindingOf, fileDetailsOf, outputBindingOf } from "./build-binding.ts";
import { type BuildContext, docField, flagField, shortName, textField } from "./build-context.ts";
import { typeOf } from "./build-type.ts";
import { literalValue } from "./build-value.ts";
import { startOf } from "./conform.ts";
import { entryOf, field, type Node } from "./node.ts";

export function inputParameterOf(node: Node, context: BuildContext): InputParameter {
  const inputBinding = bindingOf(field(node, "inputBinding"), context);
  const given = entryOf(node, "default")?.value;
  const details = fileDetailsOf(node, context);
  return {
    name: shortName(textField(node, "id") ?? ""),
    type: typeOf(field(node, "type"), context),
    ...details,
    // Where it was before v1.1.
    loadContents:
      details.loadContents || flagField(field(node, "inputBinding") ?? node, "loadContents") === true,
    ...(given !== undefined && { default: literalValue(given, context) }),
    ...defined({ inputBinding }),
    ...descriptionOf(node),
    place: placeOfId(node),
  };
}

export function outputParameterOf(node: Node, context: BuildContext): OutputParameter {
  const outputBinding = outputBindingOf(field(node, "outputBinding"), context);
  return {
    name: shortName(textField(node, "id") ?? ""),
    type: typeOf(field(node, "type"), context),
    ...fileDetailsOf(node, context),
    ...defined({ outputBinding }),
    ...descriptionOf(node),
    place: placeOfId(node),
  };
}

/** Points at the name, where there is one. */
export function placeOfId(node: Node): InputParameter["place"] {
  return field(node, "id")?.place ?? startOf(node.place);
}

export function descriptionOf(node: Node): { readonly label?: string; readonly doc?: string } {
  const label = textField(node, "label");
  const doc = docField(node);
  return { ...defined({ label, doc }) };
}
