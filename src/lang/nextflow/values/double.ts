/** Doubles and floats, which are kept apart from integers. */
import { Thing } from "./thing.ts";

export class Double extends Thing {
  readonly type: "Double" | "Float";
  override readonly kinds = ["Number"];
  readonly value: number;

  constructor(value: number, type: "Double" | "Float" = "Double") {
    super();
    this.value = type === "Float" ? Math.fround(value) : value;
    this.type = type;
  }

  override text(): string {
    return doubleText(this.value, this.type === "Float");
  }

  override key(): string {
    return `\u0000${this.type}:${this.value}`;
  }

  override truth(): boolean {
    return this.value !== 0;
  }
}

/** As Java writes it: `1.0`, `1.0E10`, `1.0E-4`. */
function doubleText(value: number, single: boolean): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const size = Math.abs(value);
  const short = single ? shortestSingle(value) : value;
  if (size >= 1e-3 && size < 1e7) {
    const text = String(short);
    return text.includes(".") ? text : `${text}.0`;
  }
  const [mantissa = "", exponent = ""] = short.toExponential().split("e");
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}

function shortestSingle(value: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** An integer beyond 64 bits. */
export class BigInteger extends Thing {
  readonly type = "BigInteger";
  override readonly kinds = ["Number"];
  readonly value: bigint;

  constructor(value: bigint) {
    super();
    this.value = value;
  }

  override text(): string {
    return this.value.toString();
  }

  override key(): string {
    return `\u0000big:${this.value}`;
  }

  override truth(): boolean {
    return this.value !== 0n;
  }
}
