/** Exact decimals: what `0.1` is. */

import { doubleText } from "./double-text.ts";
import { Thing, type Value } from "./thing.ts";
import { fail } from "./throwable.ts";

const mostDecimals = 100_000;

export class Decimal extends Thing {
  readonly type = "BigDecimal";
  override readonly kinds = ["Number"];
  /** The value is unscaled / 10^scale. */
  readonly unscaled: bigint;
  readonly scale: number;

  constructor(unscaled: bigint, scale: number) {
    super();
    this.unscaled = unscaled;
    this.scale = scale;
  }

  static parse(text: string): Decimal {
    const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
    const [whole = "", fraction = ""] = mantissa.split(".");
    const scale = fraction.length - Number(exponent);
    // Aligning such numbers would write all their zeros.
    if (Math.abs(scale) > mostDecimals) fail("NumberFormatException", `the exponent of ${text} is too large`);
    return new Decimal(BigInt(`${whole}${fraction}`), scale);
  }

  /** Without an exponent: a negative scale is written as none. */
  plainScale(): Decimal {
    return this.scale < 0 ? new Decimal(this.unscaled * 10n ** BigInt(-this.scale), 0) : this;
  }

  static ofNumber(value: number): Decimal {
    if (!Number.isFinite(value)) fail("NumberFormatException", "Infinite or NaN");
    return Decimal.parse(doubleText(value, "double"));
  }

  override text(): string {
    const negative = this.unscaled < 0n;
    const digits = (negative ? -this.unscaled : this.unscaled).toString();
    const adjusted = digits.length - 1 - this.scale;
    let body: string;
    if (this.scale >= 0 && adjusted >= -6) {
      const padded = digits.padStart(this.scale + 1, "0");
      body =
        this.scale === 0
          ? padded
          : `${padded.slice(0, padded.length - this.scale)}.${padded.slice(padded.length - this.scale)}`;
    } else {
      const head = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
      body = adjusted === 0 ? head : `${head}E${adjusted > 0 ? "+" : ""}${adjusted}`;
    }
    return negative ? `-${body}` : body;
  }

  /** Without an exponent. */
  plain(): string {
    const { unscaled, scale } = this.plainScale();
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
    const split = digits.length - scale;
    return `${unscaled < 0n ? "-" : ""}${digits.slice(0, split)}${scale > 0 ? `.${digits.slice(split)}` : ""}`;
  }

  /** Equal numbers of any kind are not one key, as in Java; equal decimals are. */
  override key(): string {
    const { unscaled, scale } = this.stripped().plainScale();
    return `\u0000decimal:${unscaled}/${scale}`;
  }

  override truth(): boolean {
    return this.unscaled !== 0n;
  }

  override get(name: string): Value | undefined {
    return name === "scale" ? this.scale : undefined;
  }

  stripped(): Decimal {
    let { unscaled, scale } = this;
    if (unscaled === 0n) return new Decimal(0n, 0);
    while (unscaled % 10n === 0n) {
      unscaled /= 10n;
      scale--;
    }
    return new Decimal(unscaled, scale);
  }

  toNumber(): number {
    return Number(`${this.unscaled}e${-this.scale}`);
  }

  /** Without its fraction. */
  toBigInt(): bigint {
    return this.scale < 0 ? this.plainScale().unscaled : this.unscaled / 10n ** BigInt(this.scale);
  }

  at(scale: number): bigint {
    return this.unscaled * 10n ** BigInt(scale - this.scale);
  }

  plus(other: Decimal): Decimal {
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.at(scale) + other.at(scale), scale);
  }

  negated(): Decimal {
    return new Decimal(-this.unscaled, this.scale);
  }

  times(other: Decimal): Decimal {
    return new Decimal(this.unscaled * other.unscaled, this.scale + other.scale);
  }

  compareTo(other: Decimal): number {
    const scale = Math.max(this.scale, other.scale);
    const [a, b] = [this.at(scale), other.at(scale)];
    return a < b ? -1 : a > b ? 1 : 0;
  }

  get precision(): number {
    const digits = this.unscaled < 0n ? -this.unscaled : this.unscaled;
    return digits === 0n ? 1 : digits.toString().length;
  }

  /**
   * Exact where that ends; otherwise to ten digits more than the operands have, and at most as many decimals as they
   * have, or ten.
   */
  divide(other: Decimal): Decimal {
    if (other.unscaled === 0n) fail("ArithmeticException", "Division by zero");
    const exact = this.#exactly(other);
    if (exact !== undefined) return exact;
    const precision = Math.max(this.precision, other.precision) + 10;
    const most = Math.max(this.scale, other.scale, 10);
    const quotient = this.#toPrecision(other, precision);
    return quotient.scale > most ? quotient.rounded(most) : quotient;
  }

  #exactly(other: Decimal): Decimal | undefined {
    // A quotient ends when the divisor, freed of common factors, has no factor but 2 and 5.
    let divisor = other.unscaled / gcd(this.unscaled, other.unscaled);
    if (divisor < 0n) divisor = -divisor;
    let digits = 0;
    for (const factor of [2n, 5n]) {
      let times = 0;
      while (divisor % factor === 0n) {
        divisor /= factor;
        times++;
      }
      digits = Math.max(digits, times);
    }
    if (divisor !== 1n) return undefined;
    const preferred = this.scale - other.scale;
    if (this.unscaled === 0n) return new Decimal(0n, preferred);
    const scale = preferred + digits;
    let result = new Decimal((this.unscaled * 10n ** BigInt(digits)) / other.unscaled, scale);
    while (result.scale > preferred && result.unscaled % 10n === 0n)
      result = new Decimal(result.unscaled / 10n, result.scale - 1);
    return result;
  }

  #toPrecision(other: Decimal, precision: number): Decimal {
    const scale =
      precision + other.precision - this.precision + Math.abs(this.scale) + Math.abs(other.scale) + 2;
    const shifted = this.unscaled * 10n ** BigInt(Math.max(0, scale + other.scale - this.scale));
    const long = new Decimal(shifted / other.unscaled, scale);
    return long.precision > precision ? long.rounded(long.scale - (long.precision - precision)) : long;
  }

  /** To so many decimals, half away from zero. */
  rounded(scale: number): Decimal {
    if (scale >= this.scale) return new Decimal(this.at(scale), scale);
    const unit = 10n ** BigInt(this.scale - scale);
    const half = unit / 2n;
    const away = this.unscaled < 0n ? this.unscaled - half : this.unscaled + half;
    const result = new Decimal(away / unit, scale);
    return result;
  }
}

function gcd(first: bigint, second: bigint): bigint {
  let [a, b] = [first < 0n ? -first : first, second < 0n ? -second : second];
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n ? 1n : a;
}
