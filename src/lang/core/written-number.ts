/** A number with decimals as somebody typed it: `1.0` is not `1` where a language shows it. */
export class WrittenNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** For everybody who does not know the difference. */
  toJSON(): number {
    return Number(this.text);
  }
}
