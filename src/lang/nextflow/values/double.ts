/** Doubles and floats, which are kept apart from integers. */
import { doubleText } from "./double-text.ts";
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
    return doubleText(this.value, this.type === "Float" ? "single" : "double");
  }

  override key(): string {
    return `\u0000${this.type}:${this.value}`;
  }

  override truth(): boolean {
    return this.value !== 0;
  }
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
