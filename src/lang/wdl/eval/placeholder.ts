/**
 * Strings and commands with placeholders.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#expression-placeholders-and-string-interpolation
 */
import type { Expression, PlaceholderOption, StringPart } from "../syntax/ast.ts";
import { atLeast } from "../syntax/version.ts";
import { EvaluationFailure, ValueFailure } from "../values/failure.ts";
import { andThen, type MaybePromise, mapInOrder } from "../values/maybe-promise.ts";
import { render } from "../values/render.ts";
import { describe, isNone, none, type WdlValue } from "../values/value.ts";
import { type EvaluationScope, located } from "./scope.ts";

type EvaluateIn = (
  expression: Expression,
  scope: EvaluationScope,
  inPlaceholder: boolean,
) => MaybePromise<WdlValue>;

type Placeholder = Extract<StringPart, { kind: "placeholder" }>;

export function renderParts(
  parts: readonly StringPart[],
  scope: EvaluationScope,
  evaluateIn: EvaluateIn,
): MaybePromise<string> {
  const first = parts[0];
  if (parts.length === 1 && first?.kind === "text") return first.text;
  return andThen(
    mapInOrder(parts, (part) =>
      part.kind === "text" ? part.text : renderPlaceholder(part, scope, evaluateIn),
    ),
    (texts) => texts.join(""),
  );
}

function renderPlaceholder(
  part: Placeholder,
  scope: EvaluationScope,
  evaluateIn: EvaluateIn,
): MaybePromise<string> {
  const value = emptyOnNone(() => evaluateIn(part.expression, scope, true), scope);
  return andThen(value, (known) => {
    const option = chosenOption(part.options, known);
    return andThen(option === undefined ? undefined : evaluateIn(option.value, scope, true), (text) => {
      try {
        if (option === undefined) refuseMisfit(part.options, known);
        return write(known, option, text);
      } catch (error) {
        throw located(error, scope.document, part.expression.span);
      }
    });
  });
}

/**
 * 1.2: a placeholder whose expression fails because nothing was there is empty. `select_first` of nothing is the case
 * that the specification shows; other failures stay failures.
 */
function emptyOnNone(work: () => MaybePromise<WdlValue>, scope: EvaluationScope): MaybePromise<WdlValue> {
  const recover = (error: unknown): WdlValue => {
    const nothing = error instanceof EvaluationFailure && error.becauseOfNone;
    if (nothing && atLeast(scope.document.version, "1.2")) return none;
    throw error;
  };
  try {
    const value = work();
    return value instanceof Promise ? value.catch(recover) : value;
  } catch (error) {
    return recover(error);
  }
}

/** `true` and `false` by the value, `default` for None, `sep` for arrays. */
function chosenOption(options: readonly PlaceholderOption[], value: WdlValue): PlaceholderOption | undefined {
  return options.find((option) => {
    switch (option.kind) {
      case "default":
        return isNone(value);
      case "sep":
        return value.kind === "array";
      case "true":
        return value.kind === "boolean" && value.value;
      case "false":
        return value.kind === "boolean" && !value.value;
      default:
        return false;
    }
  });
}

/** Options that ask for another kind of value, as can happen when the type is known only now. */
function refuseMisfit(options: readonly PlaceholderOption[], value: WdlValue): void {
  if (isNone(value)) return;
  for (const { kind } of options) {
    const wanted = kind === "sep" ? "an array" : kind === "default" ? undefined : "a Boolean";
    const fits = kind === "sep" ? value.kind === "array" : value.kind === "boolean";
    if (wanted !== undefined && !fits) {
      throw new ValueFailure(`the placeholder option ${kind} needs ${wanted}, got ${describe(value)}`);
    }
  }
}

function write(value: WdlValue, option: PlaceholderOption | undefined, text: WdlValue | undefined): string {
  if (option === undefined) return render(value);
  const words = text === undefined ? "" : render(text);
  if (option.kind !== "sep") return words;
  if (value.kind !== "array") throw new ValueFailure(`cannot join ${describe(value)} with sep`);
  return value.items.map(render).join(words);
}
