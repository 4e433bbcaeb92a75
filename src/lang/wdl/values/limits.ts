/** How large values may become. An expression that doubles a value forty times is a mistake, and not a reason to stop. */
import { ValueFailure } from "./failure.ts";
import type { WdlValue } from "./value.ts";

export const mostItems = 10_000_000;
/** Characters; what `read_string` may answer, too. */
const longestText = 2 ** 28;

/** The value itself. @throws ValueFailure when it is too large */
export function bounded(value: WdlValue): WdlValue {
  if (value.kind === "string" && value.value.length > longestText)
    throw new ValueFailure(
      `this makes a text of ${value.value.length} characters, the limit is ${longestText}`,
    );
  if (value.kind === "array") checkItems(value.items.length);
  return value;
}

/** @throws ValueFailure */
export function checkItems(count: number): void {
  if (count > mostItems)
    throw new ValueFailure(`this makes an array of ${count} items, the limit is ${mostItems}`);
}

/** What the engine of JavaScript says of values that it cannot hold, as a failure of the expression; else the error. */
export function asTooLarge(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  if (/Invalid (string|array) length/.test(error.message))
    return new ValueFailure("this makes a value that is too large to be held in memory");
  if (/call stack/.test(error.message)) return new ValueFailure("this is nested too deeply");
  return error;
}
