/**
 * How values are written into strings and commands.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#expression-placeholder-coercion
 */
import { ValueFailure } from "./failure.ts";
import { describe, type WdlValue } from "./value.ts";

/** Six decimals, as C's `%.6f`. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  // toFixed answers an exponent from 1e21 on; such numbers have no fraction.
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}.000000`;
  return Object.is(value, -0) ? "-0.000000" : value.toFixed(6);
}

/** The text of a primitive; None is the empty text. Compound values fail. */
export function render(value: WdlValue): string {
  switch (value.kind) {
    case "none":
      return "";
    case "boolean":
      return value.value ? "true" : "false";
    case "int":
      return value.value.toString();
    case "float":
      return floatText(value.value);
    case "string":
      return value.value;
    case "file":
    case "directory":
      return value.path;
    case "enum":
      return value.choice;
    default:
      throw new ValueFailure(
        `cannot write ${describe(value)} into text: only primitive values have a text form`,
        'join arrays with sep(), for example ~{sep(" ", items)}',
      );
  }
}
