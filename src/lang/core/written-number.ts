/** A number with decimals as somebody typed it: `1.0` is not `1` where a language shows it. */
export class WrittenNumber {
  readonly text: string;
  /** Languages that have both kinds keep them apart. */
  readonly kind: "double" | "decimal";

  constructor(text: string, kind: "double" | "decimal" = "double") {
    this.text = text;
    this.kind = kind;
  }

  /** For everybody who does not know the difference. */
  toJSON(): number {
    return Number(this.text);
  }
}
