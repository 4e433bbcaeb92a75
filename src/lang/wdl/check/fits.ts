/** Whether a value of the type that was found may stand where another is wanted, and what to say when not. */
import type { Expression } from "../syntax/ast.ts";
import { type CoercionRules, coercible, commonType } from "../types/coercion.ts";
import { anyType, required, type WdlType } from "../types/type.ts";
import type { Context } from "./context.ts";
import * as wrong from "./diagnostics.ts";

/** Functions that read text: what they answer may be taken for numbers and flags at once. */
const textReaders: ReadonlySet<string> = new Set(["read_lines", "read_map", "read_tsv", "read_string"]);

export function checkFits(
  context: Context,
  expression: Expression,
  found: WdlType,
  wanted: WdlType,
  what: string,
): void {
  const place = context.place(expression.span);
  if (
    expression.kind === "array" &&
    expression.items.length === 0 &&
    wanted.kind === "array" &&
    wanted.nonEmpty
  ) {
    context.report(wrong.emptyForNonEmpty(place, wanted, what));
    return;
  }
  if (coercible(found, wanted, context.rules)) return;
  const lenient: CoercionRules = { lenient: true };
  if (
    expression.kind === "apply" &&
    textReaders.has(expression.function.text) &&
    coercible(found, wanted, lenient)
  )
    return;
  const text = plainText(expression);
  if (
    text?.startsWith('"') === true &&
    Number.isNaN(Number(JSON.parse(text))) &&
    !coercible(found, wanted, context.rules)
  )
    context.report(wrong.typeMismatch(place, found, wanted, what));
  else if (coercible(found, wanted, { lenient: false, numbersFromText: true }))
    context.report(wrong.numberFromText(place, found, wanted, what));
  else if (!coercible(found, wanted, lenient)) context.report(wrong.typeMismatch(place, found, wanted, what));
  else if (isOptionalAlone(found, wanted))
    context.report(wrong.optionalForRequired(place, found, wanted, what));
  else context.report(wrong.looseConversion(place, found, wanted, what));
}

/** Whether only the question mark is in the way. */
function isOptionalAlone(found: WdlType, wanted: WdlType): boolean {
  return (
    !coercible(found, wanted, { lenient: false }) &&
    coercible(deepRequired(found), wanted, { lenient: false })
  );
}

function deepRequired(type: WdlType): WdlType {
  const here = required(type);
  switch (here.kind) {
    case "array":
      return { ...here, item: deepRequired(here.item) };
    case "map":
      return { ...here, key: deepRequired(here.key), value: deepRequired(here.value) };
    case "pair":
      return { ...here, left: deepRequired(here.left), right: deepRequired(here.right) };
    default:
      return here;
  }
}

/** The text of a literal without placeholders. */
export function plainText(expression: Expression): string | undefined {
  if (expression.kind === "int") return expression.value.toString();
  if (expression.kind !== "string") return undefined;
  if (expression.parts.length === 0) return '""';
  const [part] = expression.parts;
  return expression.parts.length === 1 && part?.kind === "text" ? JSON.stringify(part.text) : undefined;
}

/** What is wanted where something is, and each must fit; else what they have in common. */
export function commonOf(
  context: Context,
  expressions: readonly Expression[],
  so: { readonly types: readonly WdlType[]; readonly wanted: WdlType; readonly what: string },
): WdlType {
  const { types, wanted, what } = so;
  if (wanted.kind === "any") return unify(context, expressions, types, what);
  for (const [index, each] of expressions.entries())
    checkFits(context, each, types[index] ?? anyType, wanted, `this ${what}`);
  return wanted;
}

/** The common type of several expressions; the first that does not go with those before it is reported. */
function unify(
  context: Context,
  expressions: readonly Expression[],
  types: readonly WdlType[],
  what: string,
): WdlType {
  let found: WdlType = anyType;
  for (const [index, type] of types.entries()) {
    const next = commonType(found, type, context.rules);
    const expression = expressions[index];
    if (next === undefined && expression !== undefined) {
      const place = context.place(expression.span);
      context.report(wrong.noCommonType(place, type, found, `this ${what}`));
      return anyType;
    }
    found = next ?? found;
  }
  return found;
}
