/** 64-bit signed integers and the numbers that texts hold. */
import { ValueFailure } from "./failure.ts";
import { type IntValue, int } from "./value.ts";

const least = -(2n ** 63n);
const greatest = 2n ** 63n - 1n;

export function fitsInt64(value: bigint): boolean {
  return value >= least && value <= greatest;
}

/** Fails when the number does not fit: WDL integers neither wrap nor grow. */
export function int64(value: bigint, doing: string): IntValue {
  if (!fitsInt64(value)) throw new ValueFailure(`${doing} gives ${value}, which does not fit a 64-bit Int`);
  return int(value);
}

/** The Int that a whole Float stands for. */
export function intOfFloat(value: number, doing: string): IntValue {
  if (!Number.isFinite(value)) throw new ValueFailure(`${doing} gives ${value}, which is not an Int`);
  return int64(BigInt(value), doing);
}

/** Decimal text with an optional sign; undefined for anything else. */
export function parseInteger(text: string): bigint | undefined {
  const trimmed = text.trim();
  return /^[+-]?[0-9]+$/.test(trimmed) ? BigInt(trimmed.replace(/^\+/, "")) : undefined;
}

/** Decimal text with optional fraction and exponent; `inf` and `nan` as C reads them. */
export function parseFloatText(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(trimmed)) return Number(trimmed);
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(trimmed);
  if (special === null) return undefined;
  if (special[2]?.toLowerCase() === "nan") return Number.NaN;
  return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
